package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"unicode"

	"github.com/jmoiron/sqlx"
	mssql "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/msdsn"
)

// sqlserver was never run against a live server of Microsoft's: what is tested are its statements, binds, types and errors.
// Its driver knows no read-only transaction.
var sqlserver = Dialect{
	Name: "sqlserver", Untested: true, Bind: sqlx.AT, Code: sqlserverCode, Means: sqlserverMeans, Unknown: sqlserverUnknown,
	Unfit: sqlserverUnfit, Bars: sqlserverBars, Bound: varchar,
	Call: "EXEC %s %s", Execute: "OBJECT::%s",
	Time: "SELECT DATEDIFF_BIG(second, '19700101', SYSUTCDATETIME())",
	Types: map[string]kind{
		"CHAR": {padded: true}, "NCHAR": {padded: true}, "DATETIMEOFFSET": {instant: true}, "BIT": {text: bit}, "UNIQUEIDENTIFIER": {text: guid},
		"BINARY": {text: bytesAfter("0x")}, "VARBINARY": {text: bytesAfter("0x")}, "DECIMAL": {text: number}, "MONEY": {text: money},
		"SMALLMONEY": {text: money}, "FLOAT": {text: float(64)}, "REAL": {text: float(32)}, "TIME": {text: clock("15:04:05.999999", "15:04:05")},
	},
	Session: []string{
		"SET LOCK_TIMEOUT 15000", // somebody else's lock holds up no cycle
		"SET DATEFORMAT ymd",     // dates go with the year first; under a British login the second number were the day
	},
	Snapshot: "SELECT snapshot_isolation_state FROM sys.databases WHERE database_id = DB_ID()",
	Writing:  sql.TxOptions{Isolation: sql.LevelReadCommitted}, // what a reading before it on this connection had stays with some servers
	grants:   sqlserverGrants, executes: sqlserverExecutes, index: sqlserverIndex(false), unique: sqlserverIndex(true),
	names: catalogue{sqlserverTables, smallLetters + capitals, "[]"},
	open:  openSQLServer, replica: sqlserverReplica, primary: openSQLServerToWrite,
}

// varchar binds a text as a column of codes and keys has it: as NVARCHAR it would not be looked up in the index of one. Other
// characters than ASCII the server's code page might not hold.
func varchar(text string) any {
	const longest = 8000
	if text == "" || len(text) > longest || strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII }) {
		return text
	}
	return mssql.VarChar(text)
}

func openSQLServer(dsn string) (*sql.DB, error) {
	c, err := sqlserverConfig(dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(mssql.NewConnectorConfig(c)), nil
}

// openSQLServerToWrite goes to the server that writes, whatever the connection string says of the others.
func openSQLServerToWrite(dsn string) (*sql.DB, error) {
	c, err := sqlserverConfig(dsn)
	if err != nil {
		return nil, err
	}
	c.ReadOnlyIntent = false
	return sql.OpenDB(mssql.NewConnectorConfig(c)), nil
}

func sqlserverReplica(dsn string) bool {
	c, err := sqlserverConfig(dsn)
	return err == nil && c.ReadOnlyIntent
}

func sqlserverConfig(dsn string) (msdsn.Config, error) {
	c, err := msdsn.Parse(dsn)
	switch {
	case err != nil && strings.Contains(err.Error(), "ApplicationIntent"):
		return c, errIntent
	case err != nil:
		return c, errDSN("sqlserver://user:password@host:1433?database=NAME&encrypt=true")
	case c.FailOverPartner != "":
		return c, errSecondHost
	}
	sealed := (c.Encryption == msdsn.EncryptionRequired || c.Encryption == msdsn.EncryptionStrict) && c.TLSConfig != nil &&
		!c.TLSConfig.InsecureSkipVerify
	if !sealed && !local(c.Host) {
		return c, errPlain
	}
	if strings.EqualFold(c.Parameters[msdsn.ApplicationIntent], "ReadOnly") {
		c.ReadOnlyIntent = true // the driver knows one way to write it
		switch {
		case c.Database == "":
			return c, errIntent
		case !sealed: // the server may send drpd on to another machine
			return c, errPlain
		}
	}
	return c, windowsAccount(c, runtime.GOOS == "windows")
}

var errIntent = errors.New("ApplicationIntent=ReadOnly wants database=NAME in the connection string")

// windowsAccount refuses the accounts that this program cannot log in with: the driver would send what stands there as the
// password of a login of the server's own, or begin with a protocol that nobody asked for.
func windowsAccount(c msdsn.Config, windows bool) error {
	const instead = ": give drpd a login of the server's own (user and password)"
	how, entra := c.Parameters["authenticator"], c.Parameters["authentication"]
	switch {
	case c.Parameters["fedauth"] != "" || entra != "" && !strings.EqualFold(entra, "SqlPassword"):
		return errors.New("the connection string asks for Entra's accounts (fedauth), which are not built in" + instead)
	case strings.EqualFold(how, "krb5"):
		return errors.New("the connection string asks for Kerberos (authenticator=krb5), which is not built in" + instead +
			", or run it on Windows, as the service's account")
	case how != "" && (!windows || !strings.EqualFold(how, "winsspi")):
		return errors.New("the connection string asks for an authenticator that is not built in" + instead)
	case !windows && (c.User == "" || strings.Contains(c.User, `\`)):
		return errors.New("the connection string asks for a Windows account (DOMAIN\\user, or no user), with which drpd logs in on Windows alone" +
			instead)
	}
	return nil
}

// sqlserverUnfit knows the errors of a conversion, and of a number that is too large.
func sqlserverUnfit(err error) bool {
	var e mssql.Error
	return errors.As(err, &e) && slices.Contains([]int32{220, 241, 242, 244, 245, 248, 295, 8114, 8115, 8169}, e.Number)
}

// sqlserverBars knows the errors of another database behind a view, or a table in memory, that snapshot isolation does not
// reach.
func sqlserverBars(err error) bool {
	var e mssql.Error
	return errors.As(err, &e) && slices.Contains([]int32{3952, 3953, 41332, 41333}, e.Number)
}

// sqlserverUnknown gives the column of an error that says: Invalid column name 'RAISED_ON'.
func sqlserverUnknown(err error) string {
	var e mssql.Error
	if !errors.As(err, &e) {
		return ""
	}
	for _, one := range slices.Concat(e.All, []mssql.Error{e}) {
		if one.Number == 207 {
			return between(one.Message, "'", "'")
		}
	}
	return ""
}

func sqlserverCode(err error) string {
	var e mssql.Error
	if !errors.As(err, &e) {
		return ""
	}
	if e.LineNo > 1 {
		return fmt.Sprintf("error %d in line %d", e.Number, e.LineNo)
	}
	return fmt.Sprint("error ", e.Number)
}

// sqlserverNumbers are the numbers of the server's errors, by what they mean.
var sqlserverNumbers = map[string][]int32{
	refused: {18456, 18487, 18488},
	"the login is locked or switched off: ask whoever runs the server":                                     {18470, 18486},
	"the login is a Windows account that the server does not trust: give drpd a login of the server's own": {18452},
	noDatabase: {4060, 911},
	"the database that this login has by default cannot be opened: name one in the connection string (database=NAME)": {4062, 4063, 4064},
	"this login is no user of that database: ask for one (CREATE USER)":                                               {916},
	"the database is being restored, repaired or moved, or is kept for one user; it is tried again":                   {922, 924, 927, 942, 945, 976, 983, 40613},
	"the database answers to readers only: say ApplicationIntent=ReadOnly in the connection string of what reads":     {978},
	"its firewall does not let this machine through":                                                                  {40615},
	noTable:    {208},
	noColumn:   {207},
	noCall:     {2812},
	noFunction: {195, 206, 402, 4121},
	otherwise:  {201, 8144, 8145, 8146},
	noQuery:    {102, 105, 156, 170, 209, 4104, 4145, 8120, 8155, 8156},
	"the database compares texts of two collations: the query of the mapping must say COLLATE": {468, 451},
	unfit:    {220, 241, 242, 244, 245, 248, 295, 8114, 8115, 8169},
	noRight:  {229, 230, 262, 300, 297, 15247},
	deadlock: {1205, 3960},
	locked:   {1222},
	"a table was rebuilt while it was read; it is tried again":                                         {3961},
	"a database or table that it reaches allows no snapshot isolation: from now on it is read without": {3952, 3953, 41332, 41333},
	noDisk:   {1101, 1105, 9002},
	noRoom:   {701, 802, 8645, 10928, 10929, 17809},
	ended:    {596, 6005, 17142, 18461, 40501, 40197},
	tooLong:  {8152, 2628},
	twice:    {2627, 2601},
	ruled:    {515, 547, 334, 50000},
	noInsert: {4405, 4406},
}

func sqlserverMeans(err error) string {
	var e mssql.Error
	if !errors.As(err, &e) {
		return ""
	}
	return meaning(sqlserverNumbers, e.Number)
}

// sqlserverGrants asks the server itself: it knows of roles, schemas and what is denied.
func sqlserverGrants(ctx context.Context, db *sqlx.DB, table string) (grants, error) {
	return sqlserverMay(ctx, db, table, privileges...)
}

func sqlserverExecutes(ctx context.Context, db *sqlx.DB, procedure string) (grants, error) {
	return sqlserverMay(ctx, db, procedure, "EXECUTE")
}

func sqlserverMay(ctx context.Context, db *sqlx.DB, object string, rights ...string) (grants, error) {
	g := grants{may: make(map[string]bool)}
	if err := db.GetContext(ctx, &g.user, `SELECT QUOTENAME(USER_NAME())`); err != nil {
		return g, err
	}
	for _, right := range rights {
		var may bool
		if err := db.GetContext(ctx, &may, `SELECT COALESCE(HAS_PERMS_BY_NAME(@p1, 'OBJECT', @p2), 0)`, object, right); err != nil {
			return g, err
		}
		g.may[right] = may
	}
	return g, nil
}

func sqlserverIndex(unique bool) finder {
	query := `SELECT CASE WHEN EXISTS (SELECT 1 FROM sys.objects o WHERE o.object_id = OBJECT_ID(@p1) AND o.type <> 'U')
		OR EXISTS (SELECT 1 FROM sys.indexes i JOIN sys.index_columns k ON k.object_id = i.object_id AND k.index_id = i.index_id AND k.key_ordinal = 1
		WHERE i.object_id = OBJECT_ID(@p1) AND LOWER(COL_NAME(k.object_id, k.column_id)) = LOWER(@p2) AND i.is_disabled = 0 AND i.is_hypothetical = 0`
	if unique {
		query += ` AND i.is_unique = 1 AND i.has_filter = 0
		AND NOT EXISTS (SELECT 1 FROM sys.index_columns m WHERE m.object_id = i.object_id AND m.index_id = i.index_id AND m.key_ordinal = 2)`
	}
	query += `) THEN 1 ELSE 0 END`
	return func(ctx context.Context, db *sqlx.DB, table, column string) (ok bool, err error) {
		err = db.GetContext(ctx, &ok, query, table, column)
		return ok, err
	}
}

// sqlserverTables asks for all tables, views and synonyms of the database that the login sees.
const sqlserverTables = `SELECT CASE WHEN s.name = SCHEMA_NAME() THEN '' ELSE s.name END, o.name AS OBJECT_NAME FROM sys.objects o
	JOIN sys.schemas s ON s.schema_id = o.schema_id WHERE o.type IN ('U', 'V', 'SN') AND o.is_ms_shipped = 0`
