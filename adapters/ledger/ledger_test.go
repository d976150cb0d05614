package ledger_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx

	"drpd/adapters/ledger"
	"drpd/core/audit"
	"drpd/core/daemon"
	"drpd/core/daemon/porttest"
	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func key(b byte) []byte { return bytes.Repeat([]byte{b}, ledger.KeySize) }

func open(t *testing.T, path string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.OpenSQLite(t.Context(), path, key(1), time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func TestConformance(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		porttest.TestLedger(t, func(t *testing.T) daemon.Ledger { return open(t, filepath.Join(t.TempDir(), "state.db")) })
	})
	t.Run("postgres", func(t *testing.T) {
		porttest.TestLedger(t, func(t *testing.T) daemon.Ledger { return openPostgres(t, postgresDB(t)) })
	})
}

func TestFence(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "state.db")
		porttest.TestFence(t, open(t, path), open(t, path))
	})
	t.Run("postgres", func(t *testing.T) {
		dsn := postgresDB(t)
		porttest.TestFence(t, openPostgres(t, dsn), openPostgres(t, dsn))
	})
}

var databases atomic.Int64

// postgresDB makes an empty database, and drops it in the end.
func postgresDB(t *testing.T) string {
	t.Helper()
	dsn := os.Getenv("DRPD_TEST_POSTGRES")
	if dsn == "" {
		t.Skip("no postgres: DRPD_TEST_POSTGRES names no server")
	}
	admin, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("drpd_ledger_%d_%d", os.Getpid(), databases.Add(1))
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.ExecContext(context.WithoutCancel(t.Context()), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
		_ = admin.Close()
	})
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

func openPostgres(t *testing.T, dsn string) *ledger.Ledger {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.OpenPostgres(t.Context(), db, key(1), time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// Two connections cannot both take the lease, and the audit chain of two that write at once is whole.
func TestTwoWriters(t *testing.T) {
	dsn := postgresDB(t)
	one, two := openPostgres(t, dsn), openPostgres(t, dsn)
	var wg sync.WaitGroup
	var took atomic.Int64
	for i, l := range []*ledger.Ledger{one, two} {
		wg.Go(func() {
			if l.Lease(t.Context(), fmt.Sprint(i), noon, time.Minute) == nil {
				took.Add(1)
			}
			for n := range 50 {
				if err := l.SetSetting(t.Context(), port.Setting(fmt.Sprint("s", n%5)), fmt.Sprint(i, n), "somebody", noon); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if took.Load() != 1 {
		t.Errorf("%d took the lease", took.Load())
	}
	if entries, err := entriesOf(t, one); err != nil || len(entries) != 100 {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}

// The order of text does not hang on the language that the database was made for.
func TestOrder(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		var batch []drp.Evidence
		for _, id := range []string{"b", "A", "a-b", "aB", "B", "ab"} {
			batch = append(batch, drp.Evidence{ID: id, Source: "s", Kind: drp.Row, Key: id, Learned: noon, Body: []byte("x")})
		}
		if err := l.Ingest(t.Context(), "s", batch, nil, noon); err != nil {
			t.Fatal(err)
		}
		w, err := l.Waiting(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, ev := range w {
			got = append(got, ev.ID)
		}
		if strings.Join(got, " ") != "A B a-b aB ab b" {
			t.Errorf("%q", got)
		}
	})
}

func each(t *testing.T, test func(t *testing.T, l *ledger.Ledger)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, open(t, filepath.Join(t.TempDir(), "state.db"))) })
	t.Run("postgres", func(t *testing.T) { test(t, openPostgres(t, postgresDB(t))) })
}

// The newest evidence of each row is known, so that a poll after a restart gives only what has changed.
func TestMarks(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		row := func(id, key, version string) drp.Evidence {
			return drp.Evidence{ID: id, Source: "care-first", Kind: drp.Row, Key: key, Version: version, Learned: noon, Body: []byte("x")}
		}
		if err := l.Ingest(t.Context(), "care-first", []drp.Evidence{row("e1", "form/1", "1"), row("e3", "form/1", "3"), row("e2", "form/1", "2"),
			row("e4", "form/2", "1")}, nil, noon); err != nil {
			t.Fatal(err)
		}
		got, err := l.RowVersions(t.Context(), "care-first")
		if err != nil || len(got) != 2 || got["form/1"] != (port.RowVersion{Version: "3", ID: "e3"}) || got["form/2"].ID != "e4" {
			t.Errorf("%v, %v", got, err)
		}
		if got, err := l.RowVersions(t.Context(), "other"); err != nil || len(got) != 0 {
			t.Errorf("of a source that was never read: %v, %v", got, err)
		}
	})
}

const secret = "A canary's name in a payload"

func begin(t *testing.T, l *ledger.Ledger) {
	t.Helper()
	ev := drp.Evidence{ID: "e1", Source: "mailbox", Kind: drp.Message, Key: "k", Learned: noon, Body: []byte(secret)}
	if err := l.Ingest(t.Context(), "mailbox", []drp.Evidence{ev}, nil, noon); err != nil {
		t.Fatal(err)
	}
	if err := l.Place(t.Context(), port.Placement{Evidence: "e1", Where: port.PlaceDispute, Dispute: "C-AAAAAA", Policy: "p", Now: noon,
		New: &drp.Dispute{Ref: "C-AAAAAA", Form: "f", Forms: []string{"f"}}}); err != nil {
		t.Fatal(err)
	}
}

// No payload stands in clear in any file of the ledger, and each file is private.
func TestSealed(t *testing.T) {
	dir := t.TempDir()
	l := open(t, filepath.Join(dir, "state.db"))
	begin(t, l)
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("canary")) {
			t.Errorf("%s holds a payload in clear", f.Name())
		}
		if info, _ := f.Info(); info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o", f.Name(), info.Mode().Perm())
		}
	}
	s, err := l.Load(t.Context(), "C-AAAAAA")
	if err != nil {
		t.Fatal(err)
	}
	if body, err := l.Body(t.Context(), s.Evidence[0].ID); err != nil || string(body) != secret {
		t.Errorf("%v: %q, %v", s, body, err)
	}
}

// erase ends a dispute and erases it.
func erase(t *testing.T, l *ledger.Ledger, ref string) {
	t.Helper()
	if err := l.End(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Erase(t.Context(), port.Erasure{Disputes: []string{ref}, Because: "a test", By: "somebody"}, noon); err != nil {
		t.Fatal(err)
	}
}

func TestErase(t *testing.T) { each(t, testErase) }

func testErase(t *testing.T, l *ledger.Ledger) {
	t.Helper()
	begin(t, l)
	s, err := l.Load(t.Context(), "C-AAAAAA")
	if err != nil {
		t.Fatal(err)
	}
	who := port.Decided{Ref: "C-AAAAAA", Basis: s.Revision, Today: workday.DateOf(noon), Holders: "who held its roles", Now: noon}
	if err := l.Decide(t.Context(), []port.Decided{who}); err != nil {
		t.Fatal(err)
	}
	if s, err := l.Load(t.Context(), "C-AAAAAA"); err != nil || s.Holders != who.Holders {
		t.Errorf("who held its roles is not kept with the decision: %q, %v", s.Holders, err)
	}
	erase(t, l, "C-AAAAAA")
	if s, err := l.Load(t.Context(), "C-AAAAAA"); err == nil {
		t.Errorf("an erased dispute can still be read: %+v", s)
	}
	if due, err := l.Due(t.Context(), 1, "", time.Now()); err != nil || len(due) > 0 {
		t.Errorf("an erased dispute is still decided: %v, %v", due, err)
	}
	if _, err := entriesOf(t, l); err != nil {
		t.Errorf("erasing broke the audit chain: %v", err)
	}
}

// After a clock that was ahead, today is a new day: another clock is asked before it is acted on. A clock that was right is not put back.
func TestResetClock(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		today := workday.DateOf(noon)
		for last, want := range map[workday.Date]workday.Date{today + 365: today - 1, today: today, today - 3: today - 3} {
			if err := l.SetSetting(t.Context(), port.LastDay, last.String(), "drpd", noon); err != nil {
				t.Fatal(err)
			}
			was, err := l.ResetClock(t.Context(), today, "it was ahead", "somebody", noon)
			if err != nil || was != last.String() {
				t.Errorf("it was %s, %v", was, err)
			}
			if got, err := l.Setting(t.Context(), port.LastDay); err != nil || got != want.String() {
				t.Errorf("it last worked on %s, and now on %s, want %s, %v", last, got, want, err)
			}
		}
	})
}

func TestAnotherKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	_, err := ledger.OpenSQLite(t.Context(), path, key(2), time.UTC)
	if err == nil || err.Error() != "ledger: the key file does not belong to this ledger: restore the key file that was made with it" {
		t.Errorf("another key: %v", err)
	}
}

// entriesOf gives the whole audit, and says where its chain breaks.
func entriesOf(t *testing.T, l *ledger.Ledger) (out []audit.Entry, err error) {
	t.Helper()
	err = l.Audit(t.Context(), func(e audit.Entry) { out = append(out, e) })
	return out, err
}

func TestAudit(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "state.db"))
	begin(t, l)
	entries, err := entriesOf(t, l)
	if err != nil || len(entries) != 3 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	if entries[1].Action != "dispute begins" || entries[2].Action != "placed in dispute" {
		t.Errorf("%+v", entries)
	}
}

// A copy holds everything, row for row, whatever engine it was made from.
func TestCopy(t *testing.T) { each(t, testCopy) }

func testCopy(t *testing.T, l *ledger.Ledger) {
	t.Helper()
	begin(t, l)
	if err := l.SetSetting(t.Context(), port.Paused, "yes", "somebody", noon); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "copy.db")
	if err := l.CopyTo(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	c := open(t, to)
	s, err := c.Load(t.Context(), "C-AAAAAA")
	if err != nil || len(s.Evidence) != 1 {
		t.Fatalf("the copy: %v, %v", s, err)
	}
	if body, err := c.Body(t.Context(), s.Evidence[0].ID); err != nil || string(body) != secret {
		t.Errorf("the copy: %q, %v", body, err)
	}
	if entries, err := entriesOf(t, c); err != nil || len(entries) != 4 {
		t.Errorf("the copy's audit: %d entries, %v", len(entries), err)
	}
	if v, err := c.Setting(t.Context(), port.Paused); err != nil || v != "yes" {
		t.Errorf("the copy's settings: %q, %v", v, err)
	}
	if v, err := c.Verify(t.Context()); err != nil || len(v.Wrong) > 0 || v.Evidence != 1 || v.Entries != 4 || v.Disputes != 1 {
		t.Errorf("the copy: %+v, %v", v, err)
	}
	if err := l.CopyTo(t.Context(), to); err == nil {
		t.Error("a copy was written over another")
	}
}

// Evidence that a person rejects is in question no more, and the dispute that waited for it is decided anew; accepted, it is in
// question until it is placed.
func TestReleaseOfAQuestion(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "state.db"))
	one := func(id string) drp.Evidence {
		return drp.Evidence{ID: id, Source: "records", Kind: drp.Row, Key: "form/1", Version: id, Learned: noon, Body: []byte("x")}
	}
	if err := l.Ingest(t.Context(), "records", []drp.Evidence{one("e1"), one("e2"), one("e3")}, nil, noon); err != nil {
		t.Fatal(err)
	}
	k := &drp.Dispute{Ref: "W-AAAAAA", Form: "f", Forms: []string{"f"}, Record: "1", Children: []string{"child-1"}}
	for _, p := range []port.Placement{
		{Evidence: "e1", Where: port.PlaceDispute, Dispute: k.Ref, New: k, Children: k.Children, Record: "1"},
		{Evidence: "e2", Where: port.PlaceWaiting, Dispute: k.Ref, Reason: "whose?"},
		{Evidence: "e3", Where: port.PlaceWaiting, Dispute: k.Ref, Reason: "whose?"},
	} {
		if err := l.Place(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	for _, x := range []struct {
		id     string
		accept bool
		left   int
	}{{"e2", false, 1}, {"e3", true, 1}} {
		before, err := l.Load(t.Context(), k.Ref)
		if err != nil {
			t.Fatal(err)
		}
		if found, err := l.Release(t.Context(), x.id, x.accept, "somebody", noon); err != nil || !found {
			t.Fatal(found, err)
		}
		after, err := l.Load(t.Context(), k.Ref)
		if err != nil || after.Revision <= before.Revision {
			t.Errorf("%s: the dispute is not decided anew (%v)", x.id, err)
		}
		if asked, err := l.Questions(t.Context()); err != nil || len(asked) != x.left {
			t.Errorf("%s: %+v, %v", x.id, asked, err)
		}
	}
}

// A message in quarantine that names a dispute puts nothing of it in question, also not once a person has accepted it.
func TestNoQuestionOfAMessage(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "state.db"))
	row := drp.Evidence{ID: "e1", Source: "records", Kind: drp.Row, Key: "form/1", Version: "1", Learned: noon, Body: []byte("x")}
	mail := drp.Evidence{ID: "m1", Source: "mailbox", Kind: drp.Message, Key: "1", Version: "1", Learned: noon, Body: []byte("x")}
	if err := l.Ingest(t.Context(), "records", []drp.Evidence{row, mail}, nil, noon); err != nil {
		t.Fatal(err)
	}
	k := &drp.Dispute{Ref: "W-AAAAAA", Form: "f", Forms: []string{"f"}, Record: "1", Children: []string{"child-1"}}
	for _, p := range []port.Placement{
		{Evidence: "e1", Where: port.PlaceDispute, Dispute: k.Ref, New: k, Children: k.Children, Record: "1"},
		{Evidence: "m1", Where: port.PlaceQuarantine, Dispute: k.Ref, Reason: "a photograph",
			Unread: &port.Unread{Sent: workday.DateOf(noon)}},
	} {
		if err := l.Place(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	if found, err := l.Release(t.Context(), "m1", true, "somebody", noon); err != nil || !found {
		t.Fatal(found, err)
	}
	if asked, err := l.Questions(t.Context()); err != nil || len(asked) > 0 {
		t.Errorf("%+v, %v", asked, err)
	}
}

// What has waited since before drpd kept whose a message is becomes known as soon as it is looked at again.
func TestUnreadSinceBefore(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "state.db"))
	mail := drp.Evidence{ID: "m1", Source: "mailbox", Kind: drp.Message, Key: "1", Version: "1", Learned: noon, Body: []byte("x")}
	if err := l.Ingest(t.Context(), "mailbox", []drp.Evidence{mail}, nil, noon); err != nil {
		t.Fatal(err)
	}
	p := port.Placement{Evidence: "m1", Where: port.PlaceWaiting, Reason: "nobody's yet"}
	for _, u := range []*port.Unread{nil, {Sender: "digest", Proved: true, Sent: workday.DateOf(noon)}} {
		p.Unread = u
		if err := l.Place(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := l.Unread(t.Context()); err != nil || len(got) != 1 || got[0].Sender != "digest" || !got[0].Proved {
		t.Errorf("%+v, %v", got, err)
	}
}

// What open disputes rest on is counted a source, by what kind of evidence; what is closed, waits or is drpd's own is not.
func TestRests(t *testing.T) {
	for name, open := range engines() {
		t.Run(name, func(t *testing.T) {
			l := open(t)
			var batch []drp.Evidence
			for id, kind := range map[string]drp.Kind{"a": drp.Row, "b": drp.Row, "m": drp.Message, "n": drp.Attestation, "w": drp.Row} {
				batch = append(batch, drp.Evidence{ID: id, Source: "of " + string(kind), Kind: kind, Key: id, Learned: noon})
			}
			if err := l.Ingest(t.Context(), "all", batch, nil, noon); err != nil {
				t.Fatal(err)
			}
			for id, ref := range map[string]string{"a": "W-A", "b": "W-B", "m": "W-C", "n": "W-D"} {
				if err := l.Place(t.Context(), port.Placement{Evidence: id, Where: port.PlaceDispute, Dispute: ref,
					New: &drp.Dispute{Ref: ref, Form: "f"}}); err != nil {
					t.Fatal(err)
				}
			}
			s, err := l.Load(t.Context(), "W-B")
			if err == nil {
				err = l.Decide(t.Context(), []port.Decided{{Ref: "W-B", Basis: s.Revision, Closed: true, Now: noon}})
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := l.Rests(t.Context())
			if err != nil || fmt.Sprint(got) != "[{of message message 1} {of row row 1}]" {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}
