// Package ledger keeps drpd's own state in a database.
//
// It promises: each method is one transaction, or all those within Together are, with the audit entries that belong to it, so
// that after a crash either all of it is there or nothing; payloads are sealed with a key per dispute, and erasing that key
// erases them; times are integers; what was sent is never forgotten. It compares keys and revisions and knows no stage. One
// set of statements serves every engine.
package ledger

import (
	"cmp"
	"context"
	"crypto/cipher"
	"database/sql"
	"database/sql/driver"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jmoiron/sqlx"
	"github.com/ncruces/go-sqlite3"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"drpd/core/audit"
	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Ledger is drpd's state. It is safe for concurrent use; writers wait for each other.
type Ledger struct {
	db     *sqlx.DB
	engine engine
	seal   *sealer
	zone   *time.Location
	trace  atomic.Pointer[trace] // nil: nobody follows it
	erased string                // the file of what was erased; "": none is kept
	fence  atomic.Int64          // the number of the lease that was taken here; 0: none was
	again  *statements           // those that are said again and again
}

// engine is all that differs between SQLite and PostgreSQL.
type engine struct {
	dialect   goose.Dialect
	driver    string
	begin     string             // said first in each transaction; "": nothing
	clock     string             // gives the time in milliseconds by which leases last; "": the clock of the machine, whose file it is
	lock      lock.SessionLocker // of the schema, while it is made or changed; nil: the engine sees to that itself
	remembers bool               // its connections keep the statements that they were told
	together  batcher            // says several statements at once; nil: each costs nothing but itself
	shared    bool               // processes on other machines can open it: who only waits for the lease keeps no connection
	check     string             // asks the engine whether its own structures are whole; "": it sees to that itself
	schema    func(fs.FS) fs.FS  // the migrations in its own words; nil: as they are
	quiet     func(error) error  // an error without what it tells of the connection string; nil: it tells nothing
	copyTo    func(ctx context.Context, db *sqlx.DB, e engine, path string) error
	compact   func(ctx context.Context, db *sqlx.DB) error // gives up the room that was freed
}

// failed says what the database says, and never what stands in its connection string: that may hold a password, and one
// that is not written right is torn into a host, a port and a name in which parts of it stand.
func (e engine) failed(err error) error {
	if e.quiet != nil {
		err = e.quiet(err)
	}
	return fmt.Errorf("ledger: %w", err)
}

// Locked says whether an error is that another process, which was stopped while it wrote, has the ledger locked for longer than it is
// waited for; or that this one was stopped so.
func Locked(err error) bool {
	var said *pgconn.PgError
	return errors.Is(err, sqlite3.BUSY) || errors.As(err, &said) && (said.Code == "55P03" || said.Code == "25P03")
}

// Option says how a ledger is opened.
type Option func(*opening)

type opening struct {
	existing bool
	before   string
	erased   string
	wal      func(folder string) error // why a file of the folder cannot have the first journal; nil: it is tried
}

func openingBy(how []Option) (o opening) {
	for _, say := range how {
		say(&o)
	}
	return o
}

// Existing says that the ledger is there already. One that is not is refused, and none is made.
func Existing(o *opening) { o.existing = true }

// CopyBefore says where a copy of the ledger is left before a newer drpd changes its schema: what the name begins with; the version comes
// behind it.
func CopyBefore(prefix string) Option { return func(o *opening) { o.before = prefix } }

// ErrNotHere says that a ledger was to be there and is not.
var ErrNotHere = errors.New("ledger: this key belongs to a ledger that is not here")

// open migrates the schema and readies the keys.
func open(ctx context.Context, db *sqlx.DB, e engine, master []byte, zone *time.Location, how ...Option) (*Ledger, error) {
	o := openingBy(how)
	p, err := schemaOf(db, e)
	if err != nil {
		return nil, e.failed(fmt.Errorf("migrations: %w", err))
	}
	if err := keepBefore(ctx, db, e, p, o.before); err != nil {
		return nil, err
	}
	if _, err := p.Up(ctx); err != nil {
		return nil, e.failed(fmt.Errorf("migrate: %w", err))
	}
	s, err := newSealer(master)
	if err != nil {
		return nil, err
	}
	l := &Ledger{db: db, engine: e, seal: s, zone: zone, erased: o.erased, again: newStatements()}
	if err := l.checkKey(ctx, o.existing); err != nil {
		return nil, err
	}
	if err := l.rebind(ctx); err != nil {
		return nil, err
	}
	return l, l.sealThemes(ctx)
}

// schemaOf gives the migrations of an engine.
func schemaOf(db *sqlx.DB, e engine) (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if e.schema != nil {
		dir = e.schema(dir)
	}
	var how []goose.ProviderOption
	if e.lock != nil {
		how = append(how, goose.WithSessionLocker(e.lock))
	}
	return goose.NewProvider(e.dialect, db.DB, dir, how...)
}

// keepBefore leaves a copy of a ledger whose schema is about to be changed.
func keepBefore(ctx context.Context, db *sqlx.DB, e engine, p *goose.Provider, prefix string) error {
	if prefix == "" {
		return nil
	}
	now, then, err := p.GetVersions(ctx)
	if err != nil {
		return e.failed(fmt.Errorf("migrate: %w", err))
	}
	if now == 0 || now >= then {
		return nil
	}
	err = copyTo(ctx, db, e, fmt.Sprintf("%s%04d", prefix, now))
	if errors.Is(err, fs.ErrExist) { // of an earlier try
		return nil
	}
	return err
}

// checkKey finds out at once whether the key file belongs to this ledger. One that is empty was not made with it.
func (l *Ledger) checkKey(ctx context.Context, existing bool) error {
	return l.tx(ctx, func(t *tx) error {
		var wrapped []byte
		found, err := t.get(&wrapped, `SELECT wrapped FROM seal WHERE id = ?`, intake)
		switch {
		case err != nil:
			return err
		case !found && existing:
			return ErrNotHere
		case !found:
			_, err := t.dataKey(intake)
			return err
		}
		if _, _, err := l.seal.unwrap(intake, wrapped); err != nil {
			return errors.New("ledger: the key file does not belong to this ledger: restore the key file that was made with it")
		}
		return nil
	})
}

// Close closes the database.
func (l *Ledger) Close() error {
	l.again.close()
	if t := l.trace.Load(); t != nil {
		return errors.Join(l.db.Close(), t.file.Close())
	}
	return l.db.Close()
}

// tx is one transaction with what every method needs in it.
type tx struct {
	*sqlx.Tx
	conn *sqlx.Conn // on which it is
	ctx  context.Context
	l    *Ledger
	keys map[string]cipher.AEAD // opened in this transaction, maxKeys at most
	said map[string]*sqlx.Stmt  // as they are said in this transaction, which closes them
	late batch                  // what is to be said before anything is read
	last *audit.Entry           // the last entry that it made

	ahead *ahead // what it has read of some disputes at once

	changes int   // statements that may have changed something
	broken  error // why it is not committed, whatever its end: one of several methods failed in the middle, or what was said late
}

// txTime is the longest that a transaction takes: a server that gives no answer ends the cycle, and not the daemon.
const txTime = 15 * time.Minute

// ErrOlder says that the ledger does not hold any more what this process has stored in it: another server answers now, which had not all of
// it, or a copy was put back.
var ErrOlder = errors.New("ledger: what was stored in it last is not there any more: it is an older one")

// Together does all that do does with its context in one transaction, of several methods. It is not committed where do gives an error, or one
// of them failed though it had begun to change something.
func (l *Ledger) Together(ctx context.Context, do func(ctx context.Context) error) error {
	return l.tx(ctx, func(t *tx) error {
		return do(context.WithValue(t.ctx, joined{l}, t))
	})
}

// joined is the key under which a context holds the transaction of several methods of a ledger.
type joined struct{ *Ledger }

// joins does something in the transaction that a context holds.
func (t *tx) joins(do func(*tx) error) error {
	before := t.changes
	err := do(t)
	if err != nil && t.changes > before {
		t.broken = cmp.Or(t.broken, err)
	}
	return err
}

// tx does something in one transaction, where nobody else has taken the lease since it was taken here, and all is there that was stored since.
func (l *Ledger) tx(ctx context.Context, do func(*tx) error) error {
	if t, ok := ctx.Value(joined{l}).(*tx); ok {
		return t.joins(do)
	}
	return l.anyway(ctx, func(t *tx) error {
		if fence := l.fence.Load(); fence != 0 {
			var now struct {
				Fence int64
				Code  string
			}
			seq, code := l.trace.Load().last()
			if _, err := t.get(&now, `SELECT fence, coalesce((SELECT code FROM audit WHERE seq = ?), '') AS code FROM lease WHERE id = 1`,
				seq); err != nil {
				return err
			}
			if now.Fence != fence {
				return port.ErrLeaseLost
			}
			if now.Code != code {
				return ErrOlder
			}
		}
		return do(t)
	})
}

// anyway does something in one transaction, whoever has the lease.
func (l *Ledger) anyway(ctx context.Context, do func(*tx) error) error {
	return l.within(ctx, l.engine.begin, do)
}

// beside does something with the lease alone, in a transaction that waits for no other: a long one of its holder, or of somebody who was
// stopped in it, must not keep it from being renewed or taken.
func (l *Ledger) beside(ctx context.Context, do func(*tx) error) error { return l.within(ctx, "", do) }

// beginOn begins a transaction on a connection of its own. One that was lost while nobody used it is made anew.
func (l *Ledger) beginOn(ctx context.Context) (conn *sqlx.Conn, raw *sqlx.Tx, err error) {
	const tries = 3 // as database/sql does
	for range tries {
		if conn, err = l.db.Connx(ctx); err != nil {
			return nil, nil, err
		}
		if raw, err = conn.BeginTxx(ctx, nil); err == nil {
			return conn, raw, nil
		}
		_ = conn.Close()
		if !errors.Is(err, driver.ErrBadConn) {
			break
		}
	}
	return nil, nil, err
}

func (l *Ledger) within(ctx context.Context, begin string, do func(*tx) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, txTime)
	defer cancel()
	conn, raw, err := l.beginOn(ctx)
	if err != nil {
		return l.engine.failed(err)
	}
	end := func() error { return errors.Join(ignoreDone(raw.Rollback()), ignoreDone(conn.Close())) }
	ended := false
	defer func() {
		if !ended { // it ends in a panic, and may hold the transaction, as where the engine has no memory: to end that would wait for ever
			quickly(end)
		}
	}()
	err = l.through(ctx, begin, do, conn, raw)
	ended = true
	if back := end(); back != nil {
		err = errors.Join(err, l.engine.failed(back))
	}
	return err
}

// through does something in a transaction that has begun, and commits it.
func (l *Ledger) through(ctx context.Context, begin string, do func(*tx) error, conn *sqlx.Conn, raw *sqlx.Tx) error {
	if begin != "" {
		if _, err := raw.ExecContext(ctx, begin); err != nil {
			return l.engine.failed(err)
		}
	}
	t := &tx{Tx: raw, conn: conn, ctx: ctx, l: l, keys: map[string]cipher.AEAD{}, said: map[string]*sqlx.Stmt{}}
	if err := cmp.Or(do(t), t.broken); err != nil {
		return err
	}
	if err := t.say(); err != nil {
		return err
	}
	if err := raw.Commit(); err != nil {
		return l.engine.failed(err)
	}
	l.came(t.last)
	_ = conn.Close()
	l.again.keep(ctx, l.db, t.said)
	return nil
}

// endTime is how long the end of a transaction is waited for that was broken off.
const endTime = 5 * time.Second

// quickly does something, and waits for it for endTime at most.
func quickly(do func() error) {
	done := make(chan struct{})
	go func() { defer close(done); _ = do() }()
	select {
	case <-done:
	case <-time.After(endTime):
	}
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) || errors.Is(err, sql.ErrConnDone) {
		return nil
	}
	return err
}

// prepared gives a statement, prepared once where the engine does not remember those that it was told: the same few are said for each row
// of a batch, and in each transaction. It is nil where the engine does.
func (t *tx) prepared(query string) (*sqlx.Stmt, error) {
	stmt := t.said[query]
	if stmt != nil || t.l.engine.remembers {
		return stmt, nil
	}
	if kept := t.l.again.of(query); kept != nil {
		stmt = t.StmtxContext(t.ctx, kept)
		t.said[query] = stmt
		return stmt, nil
	}
	stmt, err := t.PreparexContext(t.ctx, t.Rebind(query))
	if err != nil {
		return nil, t.l.engine.failed(err)
	}
	t.said[query] = stmt
	return stmt, nil
}

// change says a statement that may change something.
func (t *tx) change(query string, args ...any) (r sql.Result, err error) {
	t.changes++
	if err := t.say(); err != nil {
		return nil, err
	}
	stmt, err := t.prepared(query) //nolint:sqlclosecheck // the transaction closes it
	if err != nil {
		return nil, err
	}
	if stmt != nil {
		r, err = stmt.ExecContext(t.ctx, args...)
	} else {
		r, err = t.ExecContext(t.ctx, t.Rebind(query), args...)
	}
	if err != nil {
		return nil, t.l.engine.failed(err)
	}
	return r, nil
}

// exec says a statement that may change something, and of which nobody asks what it has. Where statements are said together, why it
// cannot be done is learned with the next one, or at the end: nothing of the transaction is kept then.
func (t *tx) exec(query string, args ...any) error {
	if t.l.engine.together != nil {
		t.changes++
		if t.late.add(t.Rebind(query), args); t.late.full() {
			return t.say()
		}
		return nil
	}
	_, err := t.change(query, args...)
	return err
}

func (t *tx) changed(query string, args ...any) (bool, error) {
	r, err := t.change(query, args...)
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n > 0, err
}

// get reads one row; found is false where there is none.
func (t *tx) get(into any, query string, args ...any) (found bool, err error) {
	if err := t.say(); err != nil {
		return false, err
	}
	stmt, err := t.prepared(query) //nolint:sqlclosecheck // the transaction closes it
	if err != nil {
		return false, err
	}
	if stmt != nil {
		err = stmt.GetContext(t.ctx, into, args...)
	} else {
		err = t.GetContext(t.ctx, into, t.Rebind(query), args...)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, t.l.engine.failed(err)
	}
	return true, nil
}

// all reads all rows.
func (t *tx) all(into any, query string, args ...any) error {
	if err := t.say(); err != nil {
		return err
	}
	stmt, err := t.prepared(query) //nolint:sqlclosecheck // the transaction closes it
	if err != nil {
		return err
	}
	if stmt != nil {
		err = stmt.SelectContext(t.ctx, into, args...)
	} else {
		err = t.SelectContext(t.ctx, into, t.Rebind(query), args...)
	}
	if err != nil {
		return t.l.engine.failed(err)
	}
	return nil
}

// Entries says how many entries the audit has.
func (l *Ledger) Entries(ctx context.Context) (n int, err error) {
	err = l.tx(ctx, func(t *tx) error {
		_, err := t.get(&n, `SELECT count(*) FROM audit`)
		return err
	})
	return n, err
}

// leaseTime is the time by which a lease lasts: the server's, which is the same for all machines, or else the machine's.
func (t *tx) leaseTime(machine time.Time) (ms int64, err error) {
	if t.l.engine.clock == "" {
		return machine.UnixMilli(), nil
	}
	_, err = t.get(&ms, t.l.engine.clock)
	return ms, err
}

// Lease implements daemon.Leases. Each taking has a number, which rises.
//
// A transaction that had begun when the lease was taken may still end after that: whoever took it sees what it did, since each transaction
// but those of the lease waits for the one before.
func (l *Ledger) Lease(ctx context.Context, holder string, now time.Time, length time.Duration) error {
	var fence int64
	err := l.beside(ctx, func(t *tx) error {
		at, err := t.leaseTime(now)
		for err == nil {
			var have struct {
				Holder string
				Until  int64
			}
			found, failed := t.get(&have, `SELECT holder, until FROM lease WHERE id = 1`)
			if failed != nil {
				return failed
			}
			if found && have.Holder != holder && have.Until > at {
				return &port.HeldError{Holder: have.Holder, Until: time.UnixMilli(have.Until), Left: time.Duration(have.Until-at) * time.Millisecond}
			}
			if found, err = t.get(&fence, `INSERT INTO lease (id, holder, until, fence) VALUES (1, ?, ?, 1) ON CONFLICT (id) DO UPDATE
				SET holder = excluded.holder, until = excluded.until, fence = lease.fence + 1, asked = 0
				WHERE lease.holder = excluded.holder OR lease.until <= ? RETURNING fence`, holder, at+length.Milliseconds(), at); found {
				return nil // else another has taken it at this moment, and is seen now
			}
		}
		return err
	})
	if err == nil {
		l.fence.Store(fence)
	}
	if l.engine.shared {
		idle := 0
		if err == nil { // one for the work, and one by which the lease is renewed meanwhile
			idle = 2
		}
		l.db.SetMaxIdleConns(idle)
	}
	return err
}

// RenewLease implements daemon.Leases.
func (l *Ledger) RenewLease(ctx context.Context, now time.Time, length time.Duration) (asked bool, err error) {
	err = l.beside(ctx, func(t *tx) error {
		at, err := t.leaseTime(now)
		if err != nil {
			return err
		}
		var until int64
		found, err := t.get(&until, `UPDATE lease SET until = ? WHERE id = 1 AND fence = ? AND until > ? RETURNING asked`, at+length.Milliseconds(),
			l.fence.Load(), at)
		if err == nil && !found {
			return port.ErrLeaseLost
		}
		asked = until > at
		return err
	})
	return asked, err
}

// AskLease implements daemon.Leases.
func (l *Ledger) AskLease(ctx context.Context, now time.Time, length time.Duration) error {
	return l.beside(ctx, func(t *tx) error {
		at, err := t.leaseTime(now)
		if err != nil {
			return err
		}
		return t.exec(`UPDATE lease SET asked = ? WHERE id = 1`, at+length.Milliseconds())
	})
}

// EndLease implements daemon.Leases.
func (l *Ledger) EndLease(ctx context.Context, holder string) error {
	return l.beside(ctx, func(t *tx) error { return t.exec(`UPDATE lease SET until = 0 WHERE holder = ?`, holder) })
}

// ResetClock puts drpd back to before today, where it last worked on a later day by a wrong clock, and gives up a lease of that time. Today
// is a new day then: another clock is asked before it is acted on.
func (l *Ledger) ResetClock(ctx context.Context, today workday.Date, because, actor string, now time.Time) (was string, err error) {
	err = l.tx(ctx, func(t *tx) error {
		if was, err = t.setting(port.LastDay); err != nil || was <= today.String() {
			return err
		}
		if err := t.set(port.LastDay, (today - 1).String()); err != nil {
			return err
		}
		if err := t.exec(`UPDATE lease SET until = 0 WHERE until > ?`, now.AddDate(0, 0, 1).UnixMilli()); err != nil {
			return err
		}
		return t.audit(now, actor, "clock reset", was+" to "+today.String(), because)
	})
	return was, err
}

// Setting reads a setting, "" where there is none. One that drpd did not write is port.Damaged.
func (l *Ledger) Setting(ctx context.Context, name port.Setting) (value string, err error) {
	err = l.tx(ctx, func(t *tx) error {
		value, err = t.setting(name)
		return err
	})
	return value, err
}

func (t *tx) setting(name port.Setting) (string, error) {
	var row struct{ Value, Code string }
	found, err := t.get(&row, `SELECT value, code FROM setting WHERE name = ?`, string(name))
	if err != nil || !found {
		return "", err
	}
	if row.Code != t.signed(settingRowOf(name, row.Value)) {
		return "", port.Damaged{What: "the setting " + string(name), Err: errByHand}
	}
	return row.Value, nil
}

// set stores a setting, signed; "" removes it.
func (t *tx) set(name port.Setting, value string) error {
	if value == "" {
		return t.exec(`DELETE FROM setting WHERE name = ?`, string(name))
	}
	return t.exec(`INSERT INTO setting (name, value, code) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value, code = excluded.code`,
		string(name), value, t.signed(settingRowOf(name, value)))
}

func settingRowOf(name port.Setting, value string) row { return rowOf("setting", string(name), value) }

// SetSetting stores a setting; "" removes it.
func (l *Ledger) SetSetting(ctx context.Context, name port.Setting, value, actor string, now time.Time) error {
	return l.tx(ctx, func(t *tx) error {
		if err := t.set(name, value); err != nil {
			return err
		}
		action := "setting"
		if name == port.Restored && value != "" { // who holds the history against anchors looks for it
			action = audit.PutBack
			if err := t.letGoNoMore(); err != nil {
				return err
			}
		}
		said, value := t.audited(name, value)
		return t.audit(now, actor, action, said, value)
	})
}

// audited gives a setting as the audit tells of it: what a source says, and the key of a row, may hold the number of a child.
func (t *tx) audited(name port.Setting, value string) (string, string) {
	switch kind, rest, _ := strings.Cut(string(name), "/"); {
	case kind == "accept" && strings.Contains(rest, "/"):
		return kind + "/" + t.signed(rowOf("audited", rest))[:32], value
	case kind == "remark" && value != "":
		return string(name), t.signed(rowOf("audited", value))[:32]
	}
	return string(name), value
}

// Mark stores a setting that changes at each cycle and decides nothing: the audit does not grow by it.
func (l *Ledger) Mark(ctx context.Context, name port.Setting, value string) error {
	return l.tx(ctx, func(t *tx) error { return t.set(name, value) })
}

// Cursor reads how far a source has been read.
func (l *Ledger) Cursor(ctx context.Context, source string) (cursor []byte, err error) {
	err = l.tx(ctx, func(t *tx) error {
		_, err := t.get(&cursor, `SELECT cursor FROM source WHERE name = ?`, source)
		return err
	})
	return cursor, err
}

// Ingest stores evidence with the cursor, and ends a gap of the source.
func (l *Ledger) Ingest(ctx context.Context, source string, batch []drp.Evidence, cursor []byte, now time.Time) error {
	return l.tx(ctx, func(t *tx) error {
		if err := t.exec(`INSERT INTO source (name) VALUES (?) ON CONFLICT (name) DO NOTHING`, source); err != nil {
			return err
		}
		var was struct {
			Since int64 `db:"failed_since"`
			Read  int64 `db:"read_at"`
		}
		if _, err := t.get(&was, `SELECT failed_since, read_at FROM source WHERE name = ?`, source); err != nil {
			return err
		}
		read := port.ReadAfter(time.UnixMilli(was.Read), now, l.zone)
		for _, ev := range batch {
			ev.Learned = port.ReadAfter(time.UnixMilli(was.Read), ev.Learned, l.zone)
			if err := t.add(ev, "new", "", now); err != nil {
				return err
			}
		}
		if was.Since > 0 {
			if err := t.exec(`INSERT INTO gap (source, since, until) VALUES (?, ?, ?) ON CONFLICT (source, since) DO NOTHING`, source, was.Since,
				now.UnixMilli()); err != nil {
				return err
			}
			if err := t.audit(now, "drpd", "source read again", source, ""); err != nil {
				return err
			}
		}
		return t.exec(`UPDATE source SET cursor = ?, read_at = ?, failed_since = 0, why = '' WHERE name = ?`, cursor, read.UnixMilli(), source)
	})
}

// add stores evidence, sealed; what is there already is left as it is, and what was erased is not stored again.
func (t *tx) add(ev drp.Evidence, state, dispute string, now time.Time) error {
	if again, err := t.cameAgain(ev); err != nil || again {
		return err
	}
	keyID := intake
	if dispute != "" {
		keyID = "d/" + dispute
	}
	body, parts := []byte{}, partsOf(ev.Body)
	if parts == 0 {
		var err error
		if body, err = t.sealed(keyID, evidenceRowOf(ev), ev.Body); err != nil {
			return err
		}
	}
	fresh, err := t.changed(`INSERT INTO evidence (id, source, kind, place_key, version, learned, state, dispute, sealed_by, body, parts) VALUES (?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO NOTHING`,
		ev.ID, ev.Source, string(ev.Kind), ev.Key, ev.Version, ev.Learned.UnixMilli(), state, dispute, keyID, body, parts)
	if err != nil || !fresh {
		return err
	}
	if err := t.addParts(keyID, ev); err != nil {
		return err
	}
	return t.audit(now, "drpd", "evidence", ev.ID, ev.Source)
}

// SourceFailed remembers since when a source could not be read.
func (l *Ledger) SourceFailed(ctx context.Context, source, why string, now time.Time) error {
	return l.tx(ctx, func(t *tx) error {
		if err := t.exec(`INSERT INTO source (name) VALUES (?) ON CONFLICT (name) DO NOTHING`, source); err != nil {
			return err
		}
		first, err := t.changed(`UPDATE source SET failed_since = CASE WHEN read_at BETWEEN 1 AND ? THEN read_at + ? ELSE ? END WHERE name = ? AND failed_since = 0`,
			now.Add(-port.CountsAsRead).UnixMilli(), port.CountsAsRead.Milliseconds(), now.UnixMilli(), source)
		if err != nil {
			return err
		}
		if first {
			if err := t.audit(now, "drpd", "source failed", source, ""); err != nil {
				return err
			}
		}
		return t.exec(`UPDATE source SET why = ? WHERE name = ?`, why, source)
	})
}

// NotRead ends what is not known of sources that nothing is read from any more: what they hold from now on, nobody asks. read are those
// that are read.
func (l *Ledger) NotRead(ctx context.Context, read []string, now time.Time) error {
	return l.tx(ctx, func(t *tx) error {
		var rows []port.Health
		if err := t.all(&rows, `SELECT name, read_at, failed_since, why FROM source WHERE failed_since > 0 ORDER BY name`); err != nil {
			return err
		}
		for _, r := range rows {
			if slices.Contains(read, r.Name) {
				continue
			}
			err := errors.Join(t.exec(`INSERT INTO gap (source, since, until) VALUES (?, ?, ?) ON CONFLICT (source, since) DO NOTHING`, r.Name,
				r.FailedSince, now.UnixMilli()), t.exec(`UPDATE source SET failed_since = 0, why = '' WHERE name = ?`, r.Name),
				t.audit(now, "drpd", "source not read any more", r.Name, ""))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Sources says how each source is.
func (l *Ledger) Sources(ctx context.Context) (out []port.Health, err error) {
	err = l.tx(ctx, func(t *tx) error {
		return t.all(&out, `SELECT name, read_at, failed_since, why FROM source ORDER BY name`)
	})
	return out, err
}

func (l *Ledger) day(ms int64) workday.Date {
	if ms == 0 {
		return 0
	}
	return workday.DateOf(time.UnixMilli(ms).In(l.zone))
}

// Gaps gives the times in which a source could not be read, past and present.
func (l *Ledger) Gaps(ctx context.Context) (out []reconcile.Gap, err error) {
	err = l.tx(ctx, func(t *tx) error {
		var rows []struct {
			Source       string
			Since, Until int64
		}
		if err := t.all(&rows, `SELECT source, since, until FROM gap UNION ALL SELECT name, failed_since, 0 FROM source WHERE failed_since > 0 ORDER BY 1, 2`); err != nil {
			return err
		}
		for _, r := range rows {
			out = append(out, reconcile.Gap{Source: r.Source, From: l.day(r.Since), Until: l.day(r.Until)})
		}
		return nil
	})
	return out, err
}

// AddEffects adds effects that belong to no dispute.
func (l *Ledger) AddEffects(ctx context.Context, effects []drp.Effect, now time.Time) error {
	return l.tx(ctx, func(t *tx) error {
		for _, e := range effects {
			if err := t.insertEffect(e, 0, now); err != nil {
				return err
			}
		}
		return nil
	})
}

// Kept counts what waits for a person besides disputes.
func (l *Ledger) Kept(ctx context.Context) (out port.Kept, err error) {
	err = l.tx(ctx, func(t *tx) error {
		var row struct{ Quarantined, Waiting, Messages, Oldest int64 }
		_, err := t.get(&row, `SELECT coalesce(sum(CASE WHEN state = ? THEN 1 ELSE 0 END), 0) AS quarantined, coalesce(sum(CASE WHEN state = ? THEN 1 ELSE 0 END), 0) AS waiting,
			coalesce(sum(CASE WHEN kind = ? THEN 1 ELSE 0 END), 0) AS messages, coalesce(min(CASE WHEN kind = ? THEN learned END), 0) AS oldest FROM evidence WHERE state IN (?, ?)`,
			port.PlaceQuarantine, port.PlaceWaiting, string(drp.Message), string(drp.Message), port.PlaceQuarantine, port.PlaceWaiting)
		out = port.Kept{Quarantined: int(row.Quarantined), Waiting: int(row.Waiting), Messages: int(row.Messages)}
		if row.Oldest > 0 {
			out.Oldest = time.UnixMilli(row.Oldest).UTC()
		}
		return err
	})
	return out, err
}

func placeholders(n int) string { return strings.TrimSuffix(strings.Repeat("?,", n), ",") }

func decode(b []byte, into any) error {
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%w: %w", errPayload, err)
	}
	return nil
}

// Weight says how many pieces of evidence a dispute holds, and how many bytes they are.
func (l *Ledger) Weight(ctx context.Context, dispute string) (pieces int, bytes int64, err error) {
	var row struct{ Pieces, Bytes int64 }
	err = l.tx(ctx, func(t *tx) error {
		_, err := t.get(&row, `SELECT count(*) AS pieces, coalesce(sum(length(body)), 0) AS bytes FROM evidence WHERE dispute = ? AND state = ?`,
			dispute, port.PlaceDispute)
		if err != nil {
			return err
		}
		var parts int64
		_, err = t.get(&parts, `SELECT coalesce(sum(length(p.body)), 0) FROM evidence e
			JOIN evidence_part p ON p.evidence = e.id WHERE e.dispute = ? AND e.state = ?`, dispute, port.PlaceDispute)
		row.Bytes += parts
		return err
	})
	return int(row.Pieces), row.Bytes, err
}
