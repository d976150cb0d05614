package records

import (
	"database/sql"
	"errors"

	mssql "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/msdsn"

	"github.com/jmoiron/sqlx"
)

// sqlserver was never run against a live server: what is tested are its statements and binds.
var sqlserver = Dialect{
	Name: "sqlserver", Untested: true, Bind: sqlx.AT, Instant: "DATETIMEOFFSET", Means: sqlserverMeans, Call: "EXEC %s %s",
	open: openSQLServer, // the driver knows no read-only transaction
}

func openSQLServer(dsn string) (*sql.DB, error) {
	c, err := msdsn.Parse(dsn)
	if err != nil {
		return nil, errDSN("sqlserver://user:password@host:1433?database=NAME&encrypt=true")
	}
	sealed := (c.Encryption == msdsn.EncryptionRequired || c.Encryption == msdsn.EncryptionStrict) && c.TLSConfig != nil && !c.TLSConfig.InsecureSkipVerify
	if !sealed && !local(c.Host) {
		return nil, errPlain
	}
	c.ReadOnlyIntent = false
	return sql.OpenDB(mssql.NewConnectorConfig(c)), nil
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
