package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
	ora "github.com/sijms/go-ora/v2"
	"github.com/sijms/go-ora/v2/network"
)

// oracle was never run against a live server: what is tested are its statements, binds, types and errors. Its dates and
// times are read as text, since the driver would put them into the server's zone.
var oracle = Dialect{
	Name: "oracle", Untested: true, Bind: sqlx.NAMED, Code: oracleCode, Means: oracleMeans, Unknown: oracleUnknown, Unfit: oracleUnfit,
	OneByOne: true, Midnight: " 00:00:00",
	Call: "BEGIN %s(%s); END;", Execute: "%s", Hides: true,
	Time: "SELECT ROUND((CAST(SYS_EXTRACT_UTC(SYSTIMESTAMP) AS DATE) - DATE '1970-01-01') * 86400) FROM DUAL",
	Text: oracleText, Place: oraclePlace, Bare: oracleBare,
	Types: map[string]kind{
		"CHAR": {padded: true}, // what it calls NCHAR is VARCHAR2
		"DATE": {text: clock("2006-01-02 15:04:05", "2006-01-02")}, "RAW": {text: bytesAfter("")}, "LongRaw": {text: bytesAfter("")},
		"NUMBER": {text: number}, "TIMESTAMP": {text: clock(wall, wall)}, "TimeStampDTY": {text: clock(wall, wall)},
		"TimeStampTZ": {instant: true}, "TimeStampTZ_DTY": {instant: true}, "TimeStampeLTZ": {instant: true}, "TimeStampLTZ_DTY": {instant: true},
	},
	Session: []string{
		"ALTER SESSION SET NLS_DATE_FORMAT = 'YYYY-MM-DD HH24:MI:SS'", "ALTER SESSION SET NLS_TIMESTAMP_FORMAT = 'YYYY-MM-DD HH24:MI:SS'",
		`ALTER SESSION SET NLS_TIMESTAMP_TZ_FORMAT = 'YYYY-MM-DD"T"HH24:MI:SSTZH:TZM'`, "ALTER SESSION SET TIME_ZONE = '+00:00'",
	},
	Reading: []string{"SET TRANSACTION READ ONLY"}, // one view of the data; the driver refuses the option
	grants:  oracleGrants, executes: oracleExecutes, index: oracleIndex(false), unique: oracleIndex(true),
	names: catalogue{oracleTables, capitals, `""`},
	open:  openOracle,
}

const wall = "2006-01-02 15:04:05.999999"

// oracleText asks for a date or a time as text. A time of the session's zone is written without it, and would be taken for
// one of the mapping's.
func oracleText(column, kind string) string {
	if strings.Contains(kind, "LTZ") {
		column = "CAST(" + column + " AS TIMESTAMP WITH TIME ZONE)"
	}
	return "CAST(" + column + " AS VARCHAR2(100))"
}

// oraclePlace compares a value as the type of its column wants it, so that the column itself stays as it is and its index
// serves: a text that is bound is VARCHAR2, and never equal to a CHAR filled up with spaces.
func oraclePlace(kind string) string {
	switch {
	case kind == "CHAR":
		return "CAST(? AS CHAR(2000))"
	case kind == "RAW":
		return "HEXTORAW(?)"
	case strings.HasPrefix(kind, "TimeStampTZ"), strings.Contains(kind, "LTZ"):
		return "TO_TIMESTAMP_TZ(? || ' +00:00', 'YYYY-MM-DD HH24:MI:SS TZH:TZM')"
	}
	return "?"
}

// oracleBare takes the spaces off a CHAR, since the other column may be none. Whoever joins by a CHAR pays with its index.
func oracleBare(column, kind string) string {
	if kind == "CHAR" {
		return "RTRIM(" + column + ")"
	}
	return column
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

// oracleUnfit knows the errors of a text that is no number, date or bytes.
func oracleUnfit(err error) bool {
	var e *network.OracleError
	return errors.As(err, &e) && slices.Contains([]int{1426, 1438, 1465, 1722, 1830, 1839, 1840, 1841, 1843, 1847, 1858, 1861, 6502}, e.ErrCode)
}

func oracleCode(err error) string {
	var e *network.OracleError
	if !errors.As(err, &e) {
		return ""
	}
	return fmt.Sprintf("ORA-%05d", e.ErrCode)
}

// oracleUnknown gives the column of an error that says: ORA-00904: "Q"."RAISED_ON": invalid identifier.
func oracleUnknown(err error) string {
	var e *network.OracleError
	if !errors.As(err, &e) || e.ErrCode != 904 {
		return ""
	}
	return between(e.ErrMsg, "ORA-00904: ", ": ")
}

// oracleNumbers are the numbers of the server's errors, by what they mean.
var oracleNumbers = map[string][]int{
	refused: {1017, 28001, 28003},
	"this login may not log in: ask for CREATE SESSION":                                                                  {1045},
	"the login is locked: ask whoever runs the server":                                                                   {28000},
	"its listener knows no such service: is the name after the host right in the connection string?":                     {12514, 12504},
	"its listener knows no such SID: is it a service's name? Then it stands after the host, without SID=":                {12505},
	"its listener lets this machine not through":                                                                         {12506, 12547, 12537},
	"the database is starting, stopping or not open; it is tried again":                                                  {1033, 1034, 1089, 1109, 12528, 12526},
	"login and password cannot be checked in a way that both sides know: ask for a newer password version of this login": {28040, 28041},
	noTable:  {942, 4043},
	noColumn: {904},
	"the procedure is not there, takes other arguments than the mapping names, or this login may not execute it": {6550, 6564, 4068},
	noQuery:  {900, 903, 905, 906, 907, 909, 911, 917, 918, 920, 921, 923, 933, 936, 937, 979, 1747},
	unfit:    {932, 1426, 1438, 1465, 1722, 1830, 1839, 1840, 1841, 1843, 1847, 1858, 1861, 6502},
	noRight:  {1031, 41900, 1720},
	deadlock: {60},
	locked:   {54, 30006, 4021, 51},
	"the reading took longer than the server keeps what was there before; it is tried again": {1555, 8176, 22924},
	"the login may do no more at a time; it is tried again":                                  {2391, 18},
	noDisk:   {1653, 1654, 1536, 1650, 1652, 1691, 257, 19809},
	noRoom:   {20, 4030, 4031, 12516, 12518, 12519, 12520},
	ended:    {28, 1012, 1092, 3113, 3114, 3135},
	tooLong:  {12899, 1461},
	twice:    {1},
	ruled:    {1400, 2290, 2291, 2292},
	noInsert: {1732, 1733, 1779},
}

func oracleMeans(err error) string {
	var e *network.OracleError
	if !errors.As(err, &e) {
		return ""
	}
	if e.ErrCode >= 20000 && e.ErrCode <= 20999 { // raised by a trigger or a procedure of the system's
		return ruled
	}
	return meaning(oracleNumbers, e.ErrCode)
}

// oracleObject is a table, view or procedure as the catalogue knows it.
type oracleObject struct {
	Owner string `db:"OWNER"`
	Name  string `db:"NAME"`
	Far   int    `db:"FAR"` // 1: the schema's own; 2: by a synonym of it; 3: by a public one
}

// oracleFind finds an object by the name that the mapping has for it: its own, or a synonym's. One that cannot be seen has no
// owner.
func oracleFind(ctx context.Context, db *sqlx.DB, object string) (out oracleObject, err error) {
	owner, name, whole := strings.Cut(strings.ToUpper(object), ".")
	if !whole {
		owner, name = "", owner
	}
	var found []oracleObject
	err = db.SelectContext(ctx, &found, `SELECT o.OWNER, o.OBJECT_NAME AS NAME, 1 AS FAR FROM ALL_OBJECTS o
		WHERE o.OWNER = NVL(:arg1, SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA')) AND o.OBJECT_NAME = :arg2 AND o.OBJECT_TYPE <> 'SYNONYM' AND o.SUBOBJECT_NAME IS NULL
		UNION ALL SELECT s.TABLE_OWNER, s.TABLE_NAME, CASE s.OWNER WHEN 'PUBLIC' THEN 3 ELSE 2 END FROM ALL_SYNONYMS s
		WHERE s.SYNONYM_NAME = :arg3 AND s.OWNER IN (NVL(:arg4, SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA')), 'PUBLIC')`, owner, name, name, owner)
	if err != nil || len(found) == 0 {
		return oracleObject{}, err
	}
	return slices.MinFunc(found, func(a, b oracleObject) int { return a.Far - b.Far }), nil
}

// oraclePlain is a name that a GRANT takes without quotation marks.
var oraclePlain = regexp.MustCompile(`^[A-Z][A-Z0-9_$#]*$`)

// oracleGrants reads what was granted to the login, to everybody and to the roles that are on, and what it may do with any
// table. The owner may do everything.
func oracleGrants(ctx context.Context, db *sqlx.DB, table string) (grants, error) {
	o, err := oracleFind(ctx, db, table)
	if err != nil {
		return grants{}, err
	}
	return oracleMay(ctx, db, o, privileges...)
}

// oracleExecutes looks for a procedure, or for the package that it is in.
func oracleExecutes(ctx context.Context, db *sqlx.DB, procedure string) (grants, error) {
	o, err := oracleFind(ctx, db, procedure)
	on := ""
	if at := strings.LastIndexByte(procedure, '.'); err == nil && o.Owner == "" && at > 0 {
		on = procedure[:at]
		o, err = oracleFind(ctx, db, on)
	}
	if err != nil {
		return grants{}, err
	}
	g, err := oracleMay(ctx, db, o, "EXECUTE")
	if o.Owner != "" {
		g.on = on
	}
	return g, err
}

func oracleMay(ctx context.Context, db *sqlx.DB, o oracleObject, all ...string) (grants, error) {
	g := grants{may: make(map[string]bool)}
	if err := db.GetContext(ctx, &g.user, `SELECT USER FROM DUAL`); err != nil {
		return g, err
	}
	var have []string
	err := db.SelectContext(ctx, &have, `SELECT p.PRIVILEGE FROM ALL_TAB_PRIVS p WHERE p.TABLE_SCHEMA = :arg1 AND p.TABLE_NAME = :arg2
		AND (p.GRANTEE IN (USER, 'PUBLIC') OR p.GRANTEE IN (SELECT r.ROLE FROM SESSION_ROLES r))
		UNION SELECT p.PRIVILEGE FROM ROLE_TAB_PRIVS p WHERE p.OWNER = :arg3 AND p.TABLE_NAME = :arg4 AND p.COLUMN_NAME IS NULL
		AND p.ROLE IN (SELECT r.ROLE FROM SESSION_ROLES r)
		UNION SELECT p.PRIVILEGE FROM SESSION_PRIVS p WHERE p.PRIVILEGE LIKE '% ANY TABLE' OR p.PRIVILEGE = 'EXECUTE ANY PROCEDURE'`,
		o.Owner, o.Name, o.Owner, o.Name)
	if o.Owner == g.user {
		have = append(have, all...)
	}
	for _, p := range have {
		right, _, _ := strings.Cut(p, " ")
		if right == "READ" { // SELECT without its locks
			right = "SELECT"
		}
		g.may[right] = true
	}
	if !oraclePlain.MatchString(g.user) {
		g.user = `"` + g.user + `"`
	}
	return g, err
}

func oracleIndex(unique bool) finder {
	query := `SELECT CASE WHEN NOT EXISTS (SELECT 1 FROM ALL_TABLES t WHERE t.OWNER = :arg1 AND t.TABLE_NAME = :arg2)
		OR EXISTS (SELECT 1 FROM ALL_IND_COLUMNS c JOIN ALL_INDEXES i ON i.OWNER = c.INDEX_OWNER AND i.INDEX_NAME = c.INDEX_NAME
		WHERE c.TABLE_OWNER = :arg3 AND c.TABLE_NAME = :arg4 AND c.COLUMN_POSITION = 1 AND c.COLUMN_NAME = UPPER(:arg5) AND i.STATUS <> 'UNUSABLE'`
	if unique {
		query += ` AND i.UNIQUENESS = 'UNIQUE'
		AND NOT EXISTS (SELECT 1 FROM ALL_IND_COLUMNS m WHERE m.INDEX_OWNER = c.INDEX_OWNER AND m.INDEX_NAME = c.INDEX_NAME AND m.COLUMN_POSITION = 2)`
	}
	query += `) THEN 1 ELSE 0 END FROM DUAL`
	return func(ctx context.Context, db *sqlx.DB, table, column string) (ok bool, err error) {
		o, err := oracleFind(ctx, db, table)
		if err == nil {
			err = db.GetContext(ctx, &ok, query, o.Owner, o.Name, o.Owner, o.Name, column)
		}
		return ok, err
	}
}

// oracleTables asks for all tables, views and synonyms that the login sees, but for the server's own.
const oracleTables = `SELECT CASE WHEN o.OWNER = SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA') THEN '' ELSE o.OWNER END, o.OBJECT_NAME FROM ALL_OBJECTS o
	WHERE o.OBJECT_TYPE IN ('TABLE', 'VIEW', 'MATERIALIZED VIEW', 'SYNONYM')
	AND o.OWNER NOT IN ('PUBLIC', 'SYS', 'SYSTEM', 'XDB', 'MDSYS', 'CTXSYS', 'WMSYS')`
