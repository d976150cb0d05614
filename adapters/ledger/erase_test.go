package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3/driver"

	"drpd/adapters/ledger"
	"drpd/core/audit"
	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

// about begins a dispute about children, with who works with each of them.
func about(t *testing.T, l *ledger.Ledger, ref, theme string, children ...string) {
	t.Helper()
	row := drp.Evidence{ID: "w" + ref, Source: "records", Kind: drp.Row, Key: "form/" + ref, Version: "1", Learned: noon, Body: []byte(ref)}
	batch := []drp.Evidence{row}
	for _, c := range children {
		batch = append(batch, drp.Evidence{ID: "p" + c[len(c)-1:], Source: "records", Kind: drp.Row, Key: "people/" + c, Version: "1", Learned: noon, Body: []byte(c)})
	}
	if err := l.Ingest(t.Context(), "records", batch, nil, noon); err != nil {
		t.Fatal(err)
	}
	if err := l.Place(t.Context(), port.Placement{Evidence: row.ID, Where: port.PlaceDispute, Dispute: ref, Children: children, Theme: theme, Policy: "p",
		Now: noon, New: &drp.Dispute{Ref: ref, Form: "f", Forms: []string{"f"}, Record: "record" + ref}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range children {
		if err := l.Place(t.Context(), port.Placement{Evidence: "p" + c[len(c)-1:], Where: port.PlacePeople, Children: []string{c}, Now: noon}); err != nil {
			t.Fatal(err)
		}
	}
}

// A child in two disputes: to erase one of them keeps who works with the child, and the other. A row that comes again in another version is not
// stored, one of another key is; a sibling is not erased with it, a legal hold on a sibling forbids it, and none of it breaks the audit.
func TestEraseOneOfTwo(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		about(t, l, "W-AAAAAA", "theme-one", "child-1")
		about(t, l, "W-BBBBBB", "theme-two", "child-1", "child-2")
		erase(t, l, "W-AAAAAA")
		if _, err := l.Load(t.Context(), "W-AAAAAA"); err == nil {
			t.Error("it is there")
		}
		if people, err := l.People(t.Context(), []string{"child-1"}); err != nil || len(people) != 1 {
			t.Errorf("who works with the child is wanted for the other dispute: %v, %v", people, err)
		}
		newer := drp.Evidence{ID: "w2", Source: "records", Kind: drp.Row, Key: "form/W-AAAAAA", Version: "2", Learned: noon, Body: []byte("newer")}
		other := newer
		other.ID, other.Key = "w3", "form/another"
		if err := l.Ingest(t.Context(), "records", []drp.Evidence{newer, other}, nil, noon); err != nil {
			t.Fatal(err)
		}
		if waits, err := l.Waiting(t.Context()); err != nil || len(waits) != 1 || waits[0].ID != "w3" {
			t.Errorf("%v, %v", waits, err)
		}
		if known, err := l.Known(t.Context(), "records", []string{newer.Key, other.Key}); err != nil || len(known) != 1 || known[0] != other.Key {
			t.Errorf("%v, %v", known, err)
		}
		if err := l.End(t.Context(), "W-BBBBBB"); err != nil {
			t.Fatal(err)
		}
		refused := func(why string, e port.Erasure) {
			t.Helper()
			var r port.Refused
			if _, err := l.Erase(t.Context(), e, noon); !errors.As(err, &r) || !strings.Contains(err.Error(), why) {
				t.Errorf("it is not refused with %q: %v", why, err)
			}
		}
		refused("is about 1 other child too", port.Erasure{Children: []string{"child-1"}})
		if err := l.LegalHold(t.Context(), port.Hold{Child: "child-2", Because: "a claim", By: "somebody", Since: noon}); err != nil {
			t.Fatal(err)
		}
		refused("a claim", port.Erasure{Children: []string{"child-1", "child-2"}})
		refused("a claim", port.Erasure{Disputes: []string{"W-BBBBBB"}})
		if v, err := l.Verify(t.Context()); err != nil || len(v.Wrong) > 0 {
			t.Errorf("%v, %v", v.Wrong, err)
		}
		if found, err := l.EndLegalHold(t.Context(), "child-2", "somebody", noon); err != nil || !found {
			t.Fatal(found, err)
		}
		c, err := l.Erase(t.Context(), port.Erasure{Children: []string{"child-1", "child-2"}, By: "somebody"}, noon)
		if err != nil || c.Number != 2 || len(c.Children) != 2 {
			t.Errorf("%+v, %v", c, err)
		}
		if people, err := l.People(t.Context(), []string{"child-1", "child-2"}); err != nil || len(people) != 0 {
			t.Errorf("%v, %v", people, err)
		}
		var entries []audit.Entry
		err = l.Audit(t.Context(), func(e audit.Entry) { entries = append(entries, e) })
		if err != nil || entries[c.Entry-1].Subject != "certificate 2" {
			t.Errorf("the certificate names entry %d: %v", c.Entry, err)
		}
		for _, e := range entries {
			if strings.Contains(e.Subject+e.Detail, "child-") {
				t.Errorf("the audit names a child: %+v", e)
			}
		}
	})
}

// What a source says of a row or a number stands in the audit as a digest.
func TestAuditNamesNoChild(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		for name, value := range map[port.Setting]string{port.RowAcceptedBy("records", "people/child-1"): "somebody",
			port.RemarkOn("records"): "1 keys (child-1) can be none"} {
			if err := l.SetSetting(t.Context(), name, value, "drpd", noon); err != nil {
				t.Fatal(err)
			}
			if got, err := l.Setting(t.Context(), name); err != nil || got != value {
				t.Errorf("%q, %v", got, err)
			}
		}
		err := l.Audit(t.Context(), func(e audit.Entry) {
			if strings.Contains(e.Subject+e.Detail, "child-1") {
				t.Errorf("the audit names a child: %+v", e)
			}
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// A theme that an earlier drpd kept in plain text is sealed when the ledger is opened; and what was freed in a file before anything was
// written over it is in no byte of it any more once room has been given up.
func TestPlainThemeIsSealed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	l := open(t, path)
	about(t, l, "W-AAAAAA", "canary-theme", "child-1")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := driver.Open("file:" + path) // as an earlier drpd worked on it
	if err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{`UPDATE dispute SET about = NULL, theme = 'canary-theme'`, `CREATE TABLE freed (text TEXT)`,
		`INSERT INTO freed SELECT 'canary-freed' || ref || hex(randomblob(20000)) FROM dispute`, `DELETE FROM freed`, `DROP TABLE freed`,
		`PRAGMA wal_checkpoint(TRUNCATE)`} {
		if _, err := raw.ExecContext(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
	holds := func(word string) bool {
		t.Helper()
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Contains(b, []byte(word))
	}
	if !holds("canary-theme") || !holds("canary-freed") {
		t.Fatal("it is not as an earlier drpd left it")
	}
	l = open(t, path)
	all, err := l.List(t.Context())
	if err != nil || len(all) != 1 || all[0].Theme != "canary-theme" {
		t.Errorf("%+v, %v", all, err)
	}
	if err := l.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if holds("canary-theme") || holds("canary-freed") {
		t.Error("it is still in the file")
	}
}

// What was erased is erased again in a copy of before, by the file beside the ledger, also where the process ended before the ledger knew of it.
// A line that somebody wrote by hand counts for nothing.
func TestEraseAgain(t *testing.T) {
	dir := t.TempDir()
	beside := ledger.Beside(filepath.Join(dir, "erased"))
	openBeside := func(name string) *ledger.Ledger {
		t.Helper()
		l, err := ledger.OpenSQLite(t.Context(), filepath.Join(dir, name), key(1), time.UTC, beside)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return l
	}
	l := openBeside("state.db")
	about(t, l, "W-AAAAAA", "theme", "child-1")
	about(t, l, "W-BBBBBB", "theme", "child-2")
	if err := l.CopyTo(t.Context(), filepath.Join(dir, "copy.db")); err != nil {
		t.Fatal(err)
	}
	erase(t, l, "W-AAAAAA")
	line, err := os.ReadFile(filepath.Join(dir, "erased"))
	if err != nil || bytes.Contains(line, []byte("child-1")) {
		t.Fatalf("%v: %s", err, line)
	}
	forged := append(bytes.ReplaceAll(line, []byte("W-AAAAAA"), []byte("W-BBBBBB")), []byte("torn by a power cut")...)
	if err := os.WriteFile(filepath.Join(dir, "erased"), append(forged, line...), 0o600); err != nil {
		t.Fatal(err)
	}
	back := openBeside("copy.db")
	for _, want := range []int{1, 0} {
		if n, _, err := back.EraseAgain(context.WithoutCancel(t.Context()), noon); err != nil || n != want {
			t.Errorf("%d, %v", n, err)
		}
	}
	all, err := back.List(t.Context())
	if err != nil || len(all) != 1 || all[0].Ref != "W-BBBBBB" {
		t.Errorf("%+v, %v", all, err)
	}
	if people, err := back.People(t.Context(), []string{"child-1"}); err != nil || len(people) > 0 {
		t.Errorf("%v, %v", people, err)
	}
	if c, err := back.Certificates(t.Context(), true); err != nil || len(c) != 1 || !c[0].Restored {
		t.Errorf("%+v, %v", c, err)
	}
	if v, err := back.Verify(t.Context()); err != nil || len(v.Wrong) > 0 {
		t.Errorf("%v, %v", v.Wrong, err)
	}
}

// A legal hold that is younger than an erasure forbids to do that again; one that somebody took out of the database by hand forbids every
// erasure, and is told; so is a dispute that was taken out so.
func TestHoldsStand(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		about(t, l, "W-AAAAAA", "theme", "child-1")
		about(t, l, "W-BBBBBB", "theme", "child-2")
		if err := l.LegalHold(t.Context(), port.Hold{Child: "child-1", Because: "a court asks", By: "somebody", Since: noon}); err != nil {
			t.Fatal(err)
		}
		says := func(want string) {
			t.Helper()
			v, err := l.Verify(t.Context())
			if err != nil || want == "" && len(v.Wrong) > 0 || !strings.Contains(strings.Join(v.Wrong, "\n"), want) {
				t.Errorf("%q, %v; want %q", v.Wrong, err, want)
			}
		}
		says("")
		if err := errors.Join(l.ByHand(t.Context(), `DELETE FROM legal_hold`), l.End(t.Context(), "W-BBBBBB")); err != nil {
			t.Fatal(err)
		}
		says("a legal hold that was taken out by hand")
		_, err := l.Erase(t.Context(), port.Erasure{Disputes: []string{"W-BBBBBB"}, Because: "a test", By: "somebody"}, noon)
		if !errors.As(err, new(port.Damaged)) {
			t.Errorf("erased, though a hold was taken out by hand: %v", err)
		}
		if err := l.LegalHold(t.Context(), port.Hold{Child: "child-1", Because: "a court asks", By: "somebody", Since: noon}); err != nil {
			t.Fatal(err)
		}
		says("")
		if found, err := l.EndLegalHold(t.Context(), "child-1", "somebody", noon); err != nil || !found {
			t.Error(found, err)
		}
		erase(t, l, "W-BBBBBB")
		says("")
		if err := l.ByHand(t.Context(), `DELETE FROM dispute WHERE ref = 'W-AAAAAA'`); err != nil {
			t.Fatal(err)
		}
		says("dispute W-AAAAAA began and is not there")
	})
}

// Two machines have erased, and neither knew of the other: both give the same number. Each erasure is done again where its own is missing, and
// where a younger hold forbids it, it is not.
func TestEraseAgainOfTwo(t *testing.T) {
	dir := t.TempDir()
	open := func(name, beside string) *ledger.Ledger {
		t.Helper()
		l, err := ledger.OpenSQLite(t.Context(), filepath.Join(dir, name), key(1), time.UTC, ledger.Beside(filepath.Join(dir, beside)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return l
	}
	l := open("state.db", "one")
	about(t, l, "W-AAAAAA", "theme", "child-1")
	about(t, l, "W-BBBBBB", "theme", "child-2")
	for _, name := range []string{"second.db", "third.db"} {
		if err := l.CopyTo(t.Context(), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	erase(t, l, "W-AAAAAA")
	erase(t, open("second.db", "two"), "W-BBBBBB") // the database was put back, and another machine goes on
	again := open("second.db", "one")
	for _, want := range []int{1, 0} {
		if n, _, err := again.EraseAgain(t.Context(), noon); err != nil || n != want {
			t.Errorf("%d, %v; want %d", n, err, want)
		}
	}
	if all, err := again.List(t.Context()); err != nil || len(all) > 0 {
		t.Errorf("%+v, %v", all, err)
	}
	if c, err := again.Certificates(t.Context(), false); err != nil || len(c) != 2 || c[0].Number == c[1].Number {
		t.Errorf("%+v, %v", c, err)
	}
	held := open("third.db", "one")
	if err := held.LegalHold(t.Context(), port.Hold{Child: "child-1", Because: "a court asks", By: "somebody", Since: noon}); err != nil {
		t.Fatal(err)
	}
	if n, forbidden, err := held.EraseAgain(t.Context(), noon); err != nil || n != 0 || forbidden != 1 {
		t.Errorf("%d, %d forbidden, %v", n, forbidden, err)
	}
	if all, err := held.List(t.Context()); err != nil || len(all) != 2 {
		t.Errorf("%+v, %v", all, err)
	}
}

// TestCounted: what status counts is counted by each engine.
func TestCounted(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		about(t, l, "W-AAAAAA", "theme", "child-1")
		var tell []drp.Effect
		for _, reason := range []drp.Reason{drp.ReasonAttention, drp.ReasonDigest} {
			tell = append(tell, drp.Effect{Kind: drp.Email, Reason: reason, To: []string{"operator"}, On: workday.DateOf(noon)}.Keyed(string(reason)))
		}
		if err := errors.Join(l.AddEffects(t.Context(), tell, noon), l.Hold(t.Context(), tell[0].Key, "paused", "output is paused", noon)); err != nil {
			t.Fatal(err)
		}
		lives, err := l.Lives(t.Context())
		total := 0
		for _, x := range lives {
			total += x.Count
		}
		effects, failed := l.Effects(t.Context(), "")
		if err != nil || failed != nil || total != len(effects) || len(lives) != 2 || !lives[0].Digest || lives[1].HeldBy != "paused" {
			t.Errorf("%+v, %d effects, %v, %v", lives, len(effects), err, failed)
		}
		if n, err := l.OpenDisputes(t.Context()); err != nil || n != 1 {
			t.Errorf("%d, %v", n, err)
		}
		if again, err := l.Trying(t.Context()); err != nil || len(again) > 0 {
			t.Errorf("%+v, %v", again, err)
		}
		if err := l.Writable(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
