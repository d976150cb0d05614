package records

import (
	"database/sql"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
	ora "github.com/sijms/go-ora/v2"
	"github.com/sijms/go-ora/v2/network"
)

// oracle was never run against a live server: what is tested are its statements and binds. Its DATE is read as text, since
// the driver would put it into the server's zone.
var oracle = Dialect{
	Name: "oracle", Untested: true, Bind: sqlx.NAMED, Means: oracleMeans, Unfit: oracleUnfit, OneByOne: true, Midnight: " 00:00:00",
	Call: "BEGIN %s(%s); END;",
	Time: "SELECT ROUND((CAST(SYS_EXTRACT_UTC(SYSTIMESTAMP) AS DATE) - DATE '1970-01-01') * 86400) FROM DUAL",
	Text: func(column string) string { return "CAST(" + column + " AS VARCHAR2(100))" },
	Session: []string{
		"ALTER SESSION SET NLS_DATE_FORMAT = 'YYYY-MM-DD HH24:MI:SS'", "ALTER SESSION SET NLS_TIMESTAMP_FORMAT = 'YYYY-MM-DD HH24:MI:SS'",
		`ALTER SESSION SET NLS_TIMESTAMP_TZ_FORMAT = 'YYYY-MM-DD"T"HH24:MI:SSTZH:TZM'`, "ALTER SESSION SET TIME_ZONE = '+00:00'",
	},
	Reading: []string{"SET TRANSACTION READ ONLY"}, // one view of the data; the driver refuses the option
	Padded:  []string{"CHAR"},                      // what it calls NCHAR is VARCHAR2
	open:    openOracle,
}

func openOracle(dsn string) (*sql.DB, error) {
	u, err := url.Parse(dsn)
	if err != nil || u.Scheme != "oracle" || u.Hostname() == "" {
		return nil, errDSN("oracle://user:password@host:2484/service?SSL=true")
	}
	sealed, weak := false, false // of a setting that is given twice, who knows which the driver takes
	for name, values := range u.Query() {
		off := slices.ContainsFunc(values, func(v string) bool { return !strings.EqualFold(v, "true") && !strings.EqualFold(v, "enable") })
		switch strings.ToUpper(name) {
		case "CONNSTR", "SERVER":
			return nil, errSecondHost
		case "SSL":
			sealed, weak = true, weak || off
		case "SSL VERIFY":
			weak = weak || off
		}
	}
	if (!sealed || weak) && !local(u.Hostname()) {
		return nil, errPlain
	}
	return sql.OpenDB(ora.NewConnector(dsn)), nil
}

// oracleUnfit knows the errors of a text that is no number or date.
func oracleUnfit(err error) bool {
	var e *network.OracleError
	return errors.As(err, &e) && slices.Contains([]int{1426, 1438, 1722, 1830, 1839, 1840, 1841, 1843, 1847, 1858, 1861, 6502}, e.ErrCode)
}

func oracleMeans(err error) string {
	var e *network.OracleError
	if !errors.As(err, &e) {
		return ""
	}
	switch e.ErrCode {
	case 1017, 28000, 28001, 1045:
		return "the login was refused: is its password right, and has it not expired?"
	case 942:
		return noTable
	case 1031, 41900:
		return "this login may not do that"
	case 60:
		return "another transaction was in the way (deadlock); it is tried again"
	case 54, 30006:
		return "somebody else holds a lock on it; it is tried again"
	case 1653, 1654, 1536, 257:
		return "the server has run out of disk"
	case 12899:
		return tooLong
	case 1:
		return "another row has the same key"
	}
	return ""
}
