package records

import (
	"database/sql"
	"errors"
	"slices"

	mssql "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/msdsn"

	"github.com/jmoiron/sqlx"
)

// sqlserver was never run against a live server: what is tested are its statements and binds.
var sqlserver = Dialect{
	Name: "sqlserver", Untested: true, Bind: sqlx.AT, Instant: "DATETIMEOFFSET", Means: sqlserverMeans, Unfit: sqlserverUnfit,
	Call:   "EXEC %s %s",
	Time:   "SELECT DATEDIFF_BIG(second, '19700101', SYSUTCDATETIME())",
	Padded: []string{"CHAR", "NCHAR"},
	Session: []string{
		"SET LOCK_TIMEOUT 15000", // somebody else's lock holds up no cycle
		"SET DATEFORMAT ymd",     // dates go with the year first; under a British login the second number were the day
	},
	open: openSQLServer, // the driver knows no read-only transaction
}

func openSQLServer(dsn string) (*sql.DB, error) {
	c, err := msdsn.Parse(dsn)
	if err != nil {
		return nil, errDSN("sqlserver://user:password@host:1433?database=NAME&encrypt=true")
	}
	if c.FailOverPartner != "" {
		return nil, errSecondHost
	}
	sealed := (c.Encryption == msdsn.EncryptionRequired || c.Encryption == msdsn.EncryptionStrict) && c.TLSConfig != nil &&
		!c.TLSConfig.InsecureSkipVerify
	if !sealed && !local(c.Host) {
		return nil, errPlain
	}
	c.ReadOnlyIntent = false
	return sql.OpenDB(mssql.NewConnectorConfig(c)), nil
}

// sqlserverUnfit knows the errors of a conversion, and of a number that is too large.
func sqlserverUnfit(err error) bool {
	var e mssql.Error
	return errors.As(err, &e) && slices.Contains([]int32{220, 241, 242, 244, 245, 248, 295, 8114, 8115, 8169}, e.Number)
}

func sqlserverMeans(err error) string {
	var e mssql.Error
	if !errors.As(err, &e) {
		return ""
	}
	switch e.Number {
	case 18456, 18487, 18488:
		return "the login was refused: is its password right, and has it not expired?"
	case 208:
		return noTable
	case 229, 230, 262:
		return "this login may not do that"
	case 1205:
		return "another transaction was in the way (deadlock); it is tried again"
	case 1222:
		return "somebody else holds a lock on it; it is tried again"
	case 1105, 1101, 9002:
		return "the server has run out of disk"
	case 8152, 2628:
		return tooLong
	case 2627, 2601:
		return "another row has the same key"
	}
	return ""
}
