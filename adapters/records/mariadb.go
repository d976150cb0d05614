package records

import (
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"
)

var mariadb = Dialect{
	Name: "mariadb", Bind: sqlx.QUESTION, AsText: "CAST(%s AS CHAR)", Types: map[string]kind{"TIMESTAMP": {instant: true}}, Code: mariadbCode,
	Means: mariadbMeans, Unknown: mariadbUnknown, Unfit: mariadbUnfit, Call: "CALL %s(%s)", Execute: "PROCEDURE %s",
	Time:   "SELECT UNIX_TIMESTAMP()",
	Read:   sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead},
	grants: mariadbGrants, executes: mariadbExecutes, index: mariadbIndex(false), unique: mariadbIndex(true),
	names: catalogue{mariadbTables, smallLetters + capitals, "``"},
	open:  openMariaDB,
}

func openMariaDB(dsn string) (*sql.DB, error) {
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, errDSN("user:password@tcp(host:3306)/database?tls=true")
	}
	host, _, err := net.SplitHostPort(c.Addr)
	if err != nil {
		host = c.Addr
	}
	if private := c.TLSConfig == "true"; !private && !local(host) {
		return nil, errPlain
	}
	c.ParseTime = false // what a column holds, and no guess of the driver
	if c.Params == nil {
		c.Params = make(map[string]string)
	}
	c.Params["time_zone"] = "'+00:00'"                                               // whatever zone the server is in
	for _, wait := range []string{"lock_wait_timeout", "innodb_lock_wait_timeout"} { // somebody else's lock holds up no cycle
		if c.Params[wait] == "" {
			c.Params[wait] = "15"
		}
	}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, errors.New("the connection string cannot be used")
	}
	return sql.OpenDB(connector), nil
}

// mariadbUnfit knows the errors of a character that the column's character set has not; a text that is no number is none.
func mariadbUnfit(err error) bool {
	var e *mysql.MySQLError
	return errors.As(err, &e) && (e.Number == 1267 || e.Number == 1270 || e.Number == 1271 || e.Number == 3988)
}

func mariadbCode(err error) string {
	var e *mysql.MySQLError
	if !errors.As(err, &e) {
		return ""
	}
	return fmt.Sprint("error ", e.Number)
}

// mariadbUnknown gives the column of an error that says: Unknown column 'q.RAISED_ON' in 'SELECT'.
func mariadbUnknown(err error) string {
	var e *mysql.MySQLError
	if !errors.As(err, &e) || e.Number != 1054 {
		return ""
	}
	return between(e.Message, "'", "'")
}

func mariadbMeans(err error) string {
	var e *mysql.MySQLError
	if !errors.As(err, &e) {
		return ""
	}
	switch e.Number {
	case 1045, 1044, 1698, 1820, 1862, 4151:
		return refused
	case 1049:
		return noDatabase
	case 1146:
		return noTable
	case 1054:
		return noColumn
	case 1064, 1052:
		return noQuery
	case 1305:
		return noCall
	case 1142, 1143, 1227, 1370:
		return noRight
	case 1213:
		return deadlock
	case 1205, 1969, 3024:
		return locked
	case 1021, 1114, 1041, 1040:
		return noRoom
	case 1053, 1927, 1317:
		return ended
	case 1406:
		return tooLong
	case 3988:
		return noCharacter
	case 1366: // one number for two things
		if strings.HasPrefix(e.Message, "Incorrect string value") {
			return noCharacter
		}
		return unfit
	case 1264, 1265, 1292:
		return unfit
	case 1288, 1471:
		return noInsert
	case 1318:
		return otherwise
	case 1062:
		return twice
	case 1048, 1452, 1364, 1644, 4025:
		return ruled
	}
	return ""
}

// mariadbTables asks for all tables and views that the login sees.
const mariadbTables = `SELECT CASE WHEN table_schema = database() THEN '' ELSE table_schema END, table_name FROM information_schema.tables
	WHERE table_schema NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')`
