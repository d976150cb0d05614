package records

import (
	"database/sql"
	"errors"
	"net"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"
)

var mariadb = Dialect{
	Name: "mariadb", Bind: sqlx.QUESTION, Instant: "TIMESTAMP", Means: mariadbMeans, Unfit: mariadbUnfit, Call: "CALL %s(%s)",
	Time:   "SELECT UNIX_TIMESTAMP()",
	Read:   sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead},
	grants: mariadbGrants, executes: mariadbExecutes, index: mariadbIndex(false), unique: mariadbIndex(true),
	open: openMariaDB,
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

func mariadbMeans(err error) string {
	var e *mysql.MySQLError
	if !errors.As(err, &e) {
		return ""
	}
	switch e.Number {
	case 1045, 1044, 1698, 1820, 1862, 4151:
		return "the login was refused: is its password right, and has it not expired?"
	case 1146, 1049:
		return noTable
	case 1142, 1143, 1227, 1370:
		return "this login may not do that: drpd check --online shows the grants that are missing"
	case 1213:
		return "another transaction was in the way (deadlock); it is tried again"
	case 1205, 1969, 3024:
		return "somebody else holds a lock on it; it is tried again"
	case 1021, 1114, 1041, 1040:
		return "the server has run out of disk, memory or connections"
	case 1053, 1927, 1317:
		return "the server was shut down or ended the connection; it is tried again"
	case 1406:
		return tooLong
	case 1366, 3988:
		return noCharacter
	case 1062:
		return "another row has the same key"
	case 1048, 1452, 1364, 4025:
		return "a rule of the table forbids it"
	}
	return ""
}
