// Package records reads DRP records from a council's record system and writes case notes back, through SQL.
//
// It promises: it reads in read-only transactions with one view of the data (on SQL Server where the database allows it),
// only the columns and relations that the mapping names, each value as text, as people write it; it never asks the server
// to sort, and what a poll costs follows what has changed. It writes only what the mapping names for notes, by inserting what is not there yet or by calling the
// procedure that the mapping names, and reads back what it wrote before it commits; it holds no statement that could
// change or remove a row, so that nothing here can authorise or reassign a record. The text of a driver's error may hold
// data, so it is kept out of the errors given on.
//
// SQLite, PostgreSQL and MariaDB are tested against real servers; SQL Server and Oracle are not: their statements, binds,
// types and errors are.
package records

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/jmoiron/sqlx"

	"drpd/core/drp"
	"drpd/core/port"
	"drpd/mapping"
)

// Dialect is what differs between engines.
type Dialect struct {
	Name     string
	Untested bool                   // against a live server
	Bind     int                    // how a place for a value is written, in sqlx's words
	Read     sql.TxOptions          // one view of the data, read-only where the driver can say so
	Writing  sql.TxOptions          // with what a writing begins
	Reading  []string               // said first of all in a transaction that only reads
	Session  []string               // said at the beginning of each transaction
	Types    map[string]kind        // those whose values are not read as they come
	Times    string                 // how the text was written of which the driver makes a time; "": the type of the column tells
	OneByOne bool                   // no insert of several rows
	AsText   string                 // a column's value as text, where a comparison with text is one of numbers; "": it is of texts
	Midnight string                 // what a date is written with, where the engine wants a time
	Any      bool                   // takes a list of texts as one value
	Keeps    bool                   // prepared statements are kept by the driver
	Call     string                 // how a procedure is called: %s its name, then the places of its arguments
	Execute  string                 // a procedure as a GRANT names it: %s its name
	Hides    bool                   // a table that the login may not read is none to it
	Code     func(err error) string // the server's own number of an error; "" where it is none of the server's
	Means    func(err error) string // what an error of the driver means for the person who must act; "" where it is not known
	Unknown  func(err error) string // the name of a column that the server does not find
	Unfit    func(err error) bool   // whether an error says that a value can be none of its column's; nil: the engine says none
	Snapshot string                 // asks whether a reading can have one view of the data, 1 if so; "": it has it by Read
	Bars     func(err error) bool   // whether an error says that it can not after all
	Time     string                 // asks for the server's time in seconds since 1970; "": it has this machine's

	// Text asks for a column of a type as text, where the driver would guess; nil: as it is.
	Text func(column, kind string) string
	// Place is where a value stands that is compared with a column of a type. Types are looked up for it; nil: "?".
	Place func(kind string) string
	// Bare is a column of a type as it is compared with another column; nil: as it is.
	Bare func(column, kind string) string
	// Bound gives a text that is compared as it is bound; nil: as it is.
	Bound func(text string) any

	names    catalogue
	grants   asks   // what the login may do with a table; nil: not looked at
	executes asks   // the same, with a procedure
	index    finder // whether a table has an index that begins with a column
	unique   finder // and one that is unique, of that column alone
	open     func(dsn string) (*sql.DB, error)
	replica  func(dsn string) bool             // whether a connection string asks for a server that only reads
	primary  func(dsn string) (*sql.DB, error) // opens the one that writes; nil: open does
}

// finder asks the catalogue about an index; a view is taken to have one, since that cannot be seen.
type finder func(ctx context.Context, db *sqlx.DB, table, column string) (bool, error)

// dialects are the engines by their names in the configuration.
var dialects = []Dialect{sqlite, postgres, mariadb, sqlserver, oracle}

// Engines names the engines.
func Engines() (out []string) {
	for _, d := range dialects {
		out = append(out, d.Name)
	}
	return out
}

// System is a record system.
type System struct {
	Name string // of the source, in the configuration
	// children whose people are wanted: of open disputes, or of every one
	Also     func(ctx context.Context, every bool) ([]string, error)
	Versions func(ctx context.Context) (map[string]port.RowVersion, error) // what the ledger holds of this source, by key
	// gives those of some keys of which nothing was erased; the others are not read again, nor who works with their children
	Known func(ctx context.Context, keys []string) ([]string, error)

	read, write *sqlx.DB
	dialect     Dialect
	m           *mapping.System
	base        state                  // at the cursor that was stored
	rows        map[string]*seen       // forms as the last poll saw them
	round       int                    // of polls
	remarked    []string               // by the last look at all forms
	typed       []string               // by the last look at their types
	next        *state                 // at the cursor that was given and may have been stored
	prepared    map[string]*sql.Stmt   // of whole groups of notes
	layouts     map[string]string      // a value of each change column, to write others like it
	aside       map[keyColumn][]string // keys that a relation cannot be asked for
	asideOn     string                 // the day on which they were found
	staffed     map[string]bool        // the children who had somebody at the last poll
	filled      map[string]string      // a form's key: the same filled up with spaces, as the ledger has it from an older drpd

	another bool                          // login writes
	kinds   columnKinds                   // where the dialect wants them
	options atomic.Pointer[sql.TxOptions] // with what a reading begins, once the server was asked
}

// Open opens a record system. A connection string may hold a password, so it comes from a file and is told nobody; of
// SQLite it is the path of the database. Nothing leaves this machine without TLS.
func Open(engine, name, dsn string, m *mapping.System) (*System, error) {
	d, err := dialect(engine)
	if err != nil {
		return nil, fmt.Errorf("records %s: %w", name, err)
	}
	s := &System{Name: name, m: m, dialect: d, layouts: map[string]string{}, prepared: map[string]*sql.Stmt{}}
	if s.read, err = s.connect(d.open, dsn); err != nil {
		return s, err
	}
	if s.write = s.read; d.replica != nil && d.replica(dsn) && s.writes() {
		if s.write, err = s.connect(d.primary, dsn); err != nil {
			return s, errors.Join(err, s.read.Close())
		}
	}
	return s, nil
}

// Around reads a database that is open already, with that one pool of connections. Whoever opened it closes it.
func Around(engine, name string, db *sql.DB, m *mapping.System) (*System, error) {
	d, err := dialect(engine)
	if err != nil {
		return nil, fmt.Errorf("records %s: %w", name, err)
	}
	s := &System{Name: name, m: m, dialect: d, layouts: map[string]string{}, prepared: map[string]*sql.Stmt{}}
	s.read = sqlx.NewDb(db, d.Name)
	s.write = s.read
	return s, nil
}

// Connect opens a database as a record system's is opened: private, in UTC, and its connection string told nobody.
func Connect(engine, dsn string) (*sql.DB, error) {
	d, err := dialect(engine)
	if err != nil {
		return nil, err
	}
	return d.open(dsn)
}

func dialect(engine string) (Dialect, error) {
	i := slices.IndexFunc(dialects, func(d Dialect) bool { return d.Name == engine })
	if i < 0 {
		return Dialect{}, fmt.Errorf("no such engine %q (%s)", engine, strings.Join(Engines(), ", "))
	}
	return dialects[i], nil
}

// WriteAs lets another login write, which need not be able to read what the first one reads.
func (s *System) WriteAs(dsn string) error {
	open := s.dialect.open
	if s.dialect.primary != nil {
		open = s.dialect.primary
	}
	write, err := s.connect(open, dsn)
	if err != nil {
		return err
	}
	if s.write != s.read {
		err = s.write.Close()
	}
	s.write, s.another = write, true
	return err
}

// writes says whether case notes are written to the system.
func (s *System) writes() bool { return s.m.HasForms() && s.m.Notes.Way != mapping.WayWorklist }

func (s *System) connect(open func(string) (*sql.DB, error), dsn string) (*sqlx.DB, error) {
	db, err := open(dsn)
	if err != nil {
		return nil, fmt.Errorf("records %s: %w", s.Name, err)
	}
	return sqlx.NewDb(db, s.dialect.Name), nil
}

// Close closes the connections.
func (s *System) Close() error {
	if s.write != s.read {
		return errors.Join(s.read.Close(), s.write.Close())
	}
	return s.read.Close()
}

// fail says what broke and, where the driver's error tells, what it means.
func (s *System) fail(err error, format string, args ...any) error {
	what := fmt.Sprintf("records %s: ", s.Name) + fmt.Sprintf(format, args...)
	if why := s.why(err); why != "" {
		what += ": " + why
	}
	if s.dialect.Bars != nil && s.dialect.Bars(err) {
		s.options.Store(&s.dialect.Read)
	}
	return drp.Quiet(what, err)
}

// errPlain says that a connection would not be private.
var errPlain = errors.New("the connection string allows a connection without TLS to another machine, or to one that is not verified: say " +
	"sslmode=verify-full (PostgreSQL), tls=true (MariaDB), encrypt=true (SQL Server), SSL=true (Oracle)")

// errSecondHost says that a connection string names more than one server.
var errSecondHost = errors.New("the connection string names a second server, which would be dialled without a look at whether that is " +
	"private: name one, without connStr, server and failover partner")

// errDSN says that a connection string cannot be read, and how one is written.
func errDSN(like string) error {
	return fmt.Errorf("the connection string cannot be read: write it as %s", like)
}

// local says whether a host is this machine, or a socket on it.
func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback() || len(host) > 0 && host[0] == '/'
}

// view is one read-only look at the data.
type view struct {
	*System
	ctx    context.Context
	tx     *sqlx.Tx
	counts map[string]int  // how many rows of each relation have been read by their keys
	looked map[string]bool // the relations that were looked up by some keys
}

// look opens a view; it is closed by its Rollback.
func (s *System) look(ctx context.Context) (*view, error) {
	if err := s.read.PingContext(ctx); err != nil {
		return nil, s.unanswered(err)
	}
	for _, n := range s.m.Relations() {
		s.learn(ctx, s.read, n.Relation, n.Columns...)
	}
	tx, err := s.read.BeginTxx(ctx, s.reading(ctx))
	if err != nil {
		return nil, s.unanswered(err)
	}
	for _, say := range slices.Concat(s.dialect.Reading, s.dialect.Session) {
		if _, err := tx.ExecContext(ctx, say); err != nil {
			return nil, errors.Join(s.fail(err, "a reading cannot begin"), tx.Rollback())
		}
	}
	return &view{System: s, ctx: ctx, tx: tx, counts: make(map[string]int), looked: make(map[string]bool)}, nil
}

// reading gives what a reading is begun with. Whether the database lets it have one view of the data is asked for once.
func (s *System) reading(ctx context.Context) *sql.TxOptions {
	if s.dialect.Snapshot == "" {
		return &s.dialect.Read
	}
	if known := s.options.Load(); known != nil {
		return known
	}
	var state int
	if err := s.read.GetContext(ctx, &state, s.dialect.Snapshot); err != nil {
		return &s.dialect.Read // the next one asks again
	}
	out := s.dialect.Read
	if state == 1 {
		out.Isolation = sql.LevelSnapshot
	}
	s.options.Store(&out)
	return &out
}

// part is a piece of a statement with its values.
type part struct {
	sql  string
	args []any
}

func (p part) and(q part) part {
	if q.sql == "" {
		return p
	}
	return part{p.sql + " AND " + q.sql, append(slices.Clone(p.args), q.args...)}
}

// among compares a column with values of the mapping. Where the engine takes a text for the number that it begins with, which is 0 for a
// word, the column's own text is compared as well.
func (s *System) among(r mapping.Relation, as, column string, values []string) part {
	out := s.in(r, as, column, values)
	word := func(v string) bool { _, err := strconv.ParseFloat(v, 64); return err != nil }
	if s.dialect.AsText == "" || !slices.ContainsFunc(values, word) {
		return out
	}
	text := strings.Replace(out.sql, as+"."+column, fmt.Sprintf(s.dialect.AsText, as+"."+column), 1)
	return out.and(part{text, out.args})
}

// in compares a column of a relation with values.
func (s *System) in(r mapping.Relation, as, column string, values []string) part {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	places := strings.Repeat(s.place(r, column)+",", len(values))
	return part{as + "." + column + " IN (" + strings.TrimSuffix(places, ",") + ")", args}
}

func from(r mapping.Relation, as string) string {
	if r.Query != "" {
		return "(" + strings.TrimSpace(r.Query) + ") " + as
	}
	return r.Table + " " + as
}

// columns lists columns to read, as text where the engine must be asked for it and it is to be understood.
func (s *System) columns(r mapping.Relation, names []string, understood bool) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = "q." + n
		if understood && s.dialect.Text != nil && s.m.Dated(n) {
			out[i] = s.dialect.Text(out[i], s.kinds.kind(r, n))
		}
	}
	return strings.Join(out, ", ")
}

// selects reads columns of a relation.
func (s *System) selects(n mapping.Named, columns []string, where part, understood bool) part {
	return part{"SELECT " + s.columns(n.Relation, columns, understood) + " FROM " + from(n.Relation, "q") + " WHERE " + where.sql, where.args}
}

// ours are the forms that drpd reads: of the types that the mapping names, begun and not void, about nobody who is to be left out.
func (s *System) ours() part {
	out := s.among(s.m.Forms.Relation, "q", s.m.Forms.Type, s.types())
	if aside := s.m.State.Aside(); len(aside) > 0 {
		states := s.among(s.m.Forms.Relation, "q", s.m.State.Column, aside)
		out = out.and(part{"(q." + s.m.State.Column + " IS NULL OR NOT (" + states.sql + "))", states.args})
	}
	if len(s.m.LeaveOut) == 0 {
		return out
	}
	q, child := s.m.Forms.Relation, s.m.Forms.Child
	if child == "" {
		return out.and(s.oneOf())
	}
	out = out.and(s.leaveOut(s.bare(q, "q", child)))
	if s.m.Children == nil {
		return out
	}
	named := part{"q." + child + " IS NOT NULL", nil}.and(s.somebody("q", child))
	others := s.oneOf() // where the form itself names nobody
	return out.and(part{"(" + named.sql + " OR " + others.sql + ")", append(named.args, others.args...)})
}

// oneOf keeps the forms of which one of the children is not left out, and those that have none: nobody is none of them.
func (s *System) oneOf() part {
	c := s.m.Children
	mine := part{"FROM " + from(c.Relation, "c") + " WHERE " + s.bare(c.Relation, "c", c.Form) + " = " + s.bare(s.m.Forms.Relation, "q", s.m.Forms.Key), nil}
	mine = mine.and(s.somebody("c", c.Child))
	some := mine.and(s.leaveOut(s.bare(c.Relation, "c", c.Child)))
	return part{"(NOT EXISTS (SELECT 1 " + mine.sql + ") OR EXISTS (SELECT 1 " + some.sql + "))", append(mine.args, some.args...)}
}

// somebody leaves out the ids that stand for nobody. They are of children and of workers, so that a column of numbers may hold none of them:
// texts are compared.
func (s *System) somebody(as, column string) (out part) {
	if len(s.m.Unknown) == 0 {
		return part{}
	}
	text := cmp.Or(s.dialect.AsText, "CAST(%s AS VARCHAR(60))")
	for _, id := range s.m.Unknown {
		out.args = append(out.args, id)
	}
	out.sql = fmt.Sprintf(text, as+"."+column) + " NOT IN (" + strings.TrimSuffix(strings.Repeat("?,", len(out.args)), ",") + ")"
	return out
}

// leaveOut leaves out the people whom the mapping leaves out.
func (s *System) leaveOut(child string) (out part) {
	for i, l := range s.m.LeaveOut {
		as := fmt.Sprintf("l%d", i)
		whom := part{s.bare(l.Relation, as, l.Person) + " = " + child, nil}
		if l.Column != "" {
			whom = whom.and(s.among(l.Relation, as, l.Column, l.Values))
		}
		one := part{"NOT EXISTS (SELECT 1 FROM " + from(l.Relation, as) + " WHERE " + whom.sql + ")", whom.args}
		if out.sql == "" {
			out = one
			continue
		}
		out = out.and(one)
	}
	return out
}

func (s *System) types() []string {
	out := make([]string, 0, len(s.m.Forms.Types))
	for t := range s.m.Forms.Types {
		out = append(out, t)
	}
	slices.Sort(out)
	return out
}

// belongs keeps the rows of a detail that belong to our forms.
func (s *System) belongs(n mapping.Named) part {
	f := s.m.FormRelation()
	types := s.among(f.Relation, "f", s.m.Forms.Type, s.types())
	forms := " IN (SELECT " + s.bare(f.Relation, "f", f.Key) + " FROM " + from(f.Relation, "f") + " WHERE " + types.sql + ")"
	out := part{s.bare(n.Relation, "q", n.Key) + forms, types.args}
	return out.and(s.kept(n))
}

// filter is by what the rows of a relation are chosen.
func (s *System) filter(n mapping.Named) part {
	if n.Path[0] == "forms" {
		return s.ours()
	}
	return s.kept(n)
}

// kept leaves out the rows of a detail that are about somebody whom the mapping leaves out.
func (s *System) kept(n mapping.Named) part {
	if n.Child == "" {
		return part{}
	}
	return s.leaveOut(s.bare(n.Relation, "q", n.Child))
}
