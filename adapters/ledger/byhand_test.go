package ledger_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3/driver"

	"drpd/adapters/ledger"
	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

// furnish gives a ledger one of everything that is sealed or signed: two disputes with evidence, an effect that is held and let go, its
// two messages, and settings.
func furnish(t *testing.T, l *ledger.Ledger) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	for i, ref := range []string{"C-AAAAAA", "C-BBBBBB"} {
		for n := range 2 {
			id := fmt.Sprintf("e%d%d", i, n)
			ev := drp.Evidence{ID: id, Source: "mailbox", Kind: drp.Message, Key: id, Version: "1", Learned: noon, Body: []byte("the words of " + id)}
			if n == 1 {
				ev.Body = bytes.Repeat([]byte(id), 400_000) // in parts
			}
			must(l.Ingest(ctx, "mailbox", []drp.Evidence{ev}, nil, noon))
			place := port.Placement{Evidence: id, Where: port.PlaceDispute, Dispute: ref, Policy: "p", Now: noon}
			if n == 0 {
				place.New = &drp.Dispute{Ref: ref, Form: "f", Forms: []string{"f"}}
			}
			must(l.Place(ctx, place))
		}
	}
	must(l.Ingest(ctx, "mailbox", []drp.Evidence{{ID: "new", Source: "mailbox", Kind: drp.Message, Learned: noon, Body: []byte("new")}}, nil, noon))
	must(l.Place(ctx, port.Placement{Evidence: "new", Where: port.PlaceQuarantine, Reason: "x", Now: noon}))
	var effects []drp.Effect
	for _, reason := range []drp.Reason{drp.ReasonAlert, drp.ReasonAnswer} {
		effects = append(effects, drp.Effect{Dispute: "C-AAAAAA", Kind: drp.Email, Reason: reason, On: workday.DateOf(noon),
			Says: string(reason)}.Keyed())
	}
	stored, err := l.Load(ctx, "C-AAAAAA")
	must(err)
	must(l.Decide(ctx, []port.Decided{{Ref: "C-AAAAAA", Basis: stored.Revision, Effects: effects, Now: noon}}))
	var made []port.Envelope
	for _, person := range []string{"one", "two"} {
		made = append(made, port.Envelope{Key: effects[0].Key, Dispute: "C-AAAAAA", Person: person, Role: "team-manager", At: noon, Route: "internal",
			Address: drp.NewPrivate(person + "@council.example"), Message: []byte("message to " + person)})
	}
	must(l.Make(ctx, made, noon))
	must(l.Hold(ctx, effects[1].Key, port.GateGuard, "more than usual", noon))
	_, err = l.LetGo(ctx, port.GateGuard, "a person", noon)
	must(err)
	must(l.SetSetting(ctx, port.Guard, "more than usual", "drpd", noon))
	found, err := l.Release(ctx, "new", true, "a person", noon)
	must(err)
	if !found {
		t.Fatal("it is not in quarantine")
	}
}

// givesAll is what a ledger gives of all that furnish put in; a thing that cannot be opened gives its error.
func givesAll(t *testing.T, l *ledger.Ledger) map[string]string {
	t.Helper()
	out := make(map[string]string)
	say := func(what, value string, err error) {
		var damaged port.Damaged
		if err != nil && !errors.As(err, &damaged) {
			t.Fatal(err)
		}
		if err != nil {
			value = "damaged"
		}
		out[what] = value
	}
	for _, id := range []string{"e00", "e01", "e10", "e11", "new", "put in"} {
		b, err := l.Body(t.Context(), id)
		say(id, string(b[:min(len(b), 16)])+fmt.Sprint(len(b)), err)
	}
	all, err := l.Disputes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range []string{"C-AAAAAA", "C-BBBBBB"} {
		if !slices.ContainsFunc(all, func(k drp.Dispute) bool { return k.Ref == ref }) {
			out[ref] = "gone"
			continue
		}
		s, err := l.Load(t.Context(), ref)
		var ids []string
		for _, ev := range s.Evidence {
			ids = append(ids, ev.ID)
		}
		say(ref, fmt.Sprint(ids), err)
	}
	due, err := l.Outbox(t.Context(), noon, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range due {
		value := fmt.Sprint(o.Says, " let go: ", o.Released)
		for _, e := range o.Deliveries {
			value += fmt.Sprintf(" %s %s %q", e.Person, e.Address.Reveal(), e.Message)
		}
		if o.Damaged != "" {
			value = "damaged"
		}
		if out[string(o.Reason)] != "damaged" {
			out[string(o.Reason)] = value
		}
	}
	for _, name := range []port.Setting{port.Guard, port.Paused, port.AcceptedBy("new"), port.AcceptedBy("e00")} {
		value, err := l.Setting(t.Context(), name)
		say(string(name), value, err)
	}
	return out
}

// What is changed, moved, copied or put in by hand, by somebody who can write to the database and has not got the key, counts for nothing,
// and everything else stays as it was.
func TestByHand(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "state.db")
	l := open(t, whole)
	furnish(t, l)
	want := givesAll(t, l)
	if v, err := l.Verify(t.Context()); err != nil || len(v.Wrong) > 0 || v.Disputes != 2 || v.Evidence != 5 || v.Effects != 2 || v.Messages != 2 {
		t.Errorf("%+v, %v", v, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if want["answer"] == "" || want["alert"] == "" || want["C-AAAAAA"] != "[e00 e01]" || want["accept/new"] != "a person" {
		t.Fatalf("%v", want)
	}
	const copied = `INSERT INTO evidence (id, source, kind, place_key, version, learned, state, dispute, sealed_by, body)
		SELECT 'put in', source, kind, place_key, version, learned, state, dispute, sealed_by, body FROM evidence WHERE id = 'e00'`
	for name, tt := range map[string]struct {
		say     string
		damaged []string
		unlike  []string // what stands elsewhere, or in another order, and is damaged where it is opened
	}{
		"a later day":                {`UPDATE evidence SET learned = learned + 86400000 WHERE id = 'e00'`, []string{"e00"}, []string{"C-AAAAAA"}},
		"a later day, in parts":      {`UPDATE evidence SET learned = learned + 86400000 WHERE id = 'e01'`, []string{"e01"}, []string{"C-AAAAAA"}},
		"another source":             {`UPDATE evidence SET source = 'records' WHERE id = 'e00'`, []string{"e00"}, nil},
		"another kind":               {`UPDATE evidence SET kind = 'row' WHERE id = 'e00'`, []string{"e00"}, nil},
		"another version":            {`UPDATE evidence SET version = '2' WHERE id = 'e00'`, []string{"e00"}, nil},
		"another row of the source":  {`UPDATE evidence SET place_key = 'e10' WHERE id = 'e00'`, []string{"e00"}, nil},
		"a copy under another name":  {copied, []string{"put in"}, []string{"C-AAAAAA", "put in"}},
		"the body of another":        {`UPDATE evidence SET body = (SELECT body FROM evidence WHERE id = 'e10') WHERE id = 'e00'`, []string{"e00"}, nil},
		"moved to another dispute":   {`UPDATE evidence SET dispute = 'C-BBBBBB' WHERE id = 'e00'`, []string{"C-BBBBBB"}, []string{"C-AAAAAA", "C-BBBBBB"}},
		"and its key with it":        {`UPDATE evidence SET dispute = 'C-BBBBBB', sealed_by = 'd/C-BBBBBB' WHERE id = 'e00'`, []string{"e00"}, []string{"C-AAAAAA", "C-BBBBBB"}},
		"the parts of another":       {`UPDATE evidence_part SET body = (SELECT body FROM evidence_part p WHERE p.evidence = 'e11' AND p.n = evidence_part.n) WHERE evidence = 'e01'`, []string{"e01"}, nil},
		"another effect's words":     {`UPDATE effect SET body = (SELECT body FROM effect e WHERE e.reason = 'answer') WHERE reason = 'alert'`, []string{"alert"}, nil},
		"another kind of effect":     {`UPDATE effect SET reason = 'answer' WHERE reason = 'alert'`, []string{"answer"}, []string{"alert", "answer"}},
		"a message of somebody else": {`UPDATE delivery SET body = (SELECT body FROM delivery d WHERE d.person = 'one') WHERE person = 'two'`, []string{"alert"}, nil},
		"by another route":           {`UPDATE delivery SET route = 'open' WHERE person = 'two'`, []string{"alert"}, nil},
		"let go":                     {`UPDATE effect SET let_go = 'yes', released = TRUE WHERE reason = 'alert'`, nil, nil},
		"let go as another was":      {`UPDATE effect SET let_go = (SELECT let_go FROM effect e WHERE e.reason = 'answer') WHERE reason = 'alert'`, nil, nil},
		"a setting changed":          {`UPDATE setting SET value = 'less' WHERE name = 'guard'`, []string{"guard"}, nil},
		"a setting put in":           {`INSERT INTO setting (name, value, code) VALUES ('paused', 'yes', '')`, []string{"paused"}, nil},
		"a person's word put in":     {`INSERT INTO setting (name, value, code) VALUES ('accept/e00', 'a person', '')`, []string{"accept/e00"}, nil},
		"evidence taken out":         {`DELETE FROM evidence WHERE id = 'e10'`, nil, []string{"e10", "C-BBBBBB"}},
		"an effect taken out":        {`DELETE FROM effect WHERE reason = 'answer'`, nil, []string{"answer"}},
		"an entry of the audit":      {`UPDATE audit SET actor = 'nobody' WHERE seq = 3`, nil, nil},
		"a setting put in, and a mark taken out": {
			`DELETE FROM setting WHERE name = 'ledger/bound'; INSERT INTO setting (name, value) VALUES ('paused', 'yes')`,
			[]string{"paused"}, nil,
		},
		"a setting put in, and no audit": {`DELETE FROM audit; INSERT INTO setting (name, value) VALUES ('paused', 'yes')`, []string{"paused"}, nil},
		"a person's word copied":         {`INSERT INTO setting (name, value, code) SELECT 'accept/e00', value, code FROM setting WHERE name = 'accept/new'`, []string{"accept/e00"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			copyFile(t, whole, path)
			raw, err := driver.Open("file:" + path)
			if err != nil {
				t.Fatal(err)
			}
			if r, err := raw.ExecContext(t.Context(), tt.say); err != nil {
				t.Fatal(err)
			} else if n, err := r.RowsAffected(); err != nil || n == 0 {
				t.Fatalf("nothing was changed: %v", err)
			}
			if err := raw.Close(); err != nil {
				t.Fatal(err)
			}
			l := open(t, path)
			got := givesAll(t, l)
			if v, err := l.Verify(t.Context()); err != nil || len(v.Wrong) == 0 {
				t.Errorf("it is not found: %+v, %v", v, err)
			}
			for _, what := range tt.damaged {
				if got[what] != "damaged" {
					t.Errorf("%s: %q", what, got[what])
				}
			}
			for what, value := range want {
				if got[what] != value && got[what] != "damaged" && !slices.Contains(tt.unlike, what) {
					t.Errorf("%s: got %q, want %q", what, got[what], value)
				}
			}
		})
	}
}

// A copy that was broken off in the middle has not got its name, and is made anew.
func TestCopyBrokenOff(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		t.Helper()
		furnish(t, l)
		path := filepath.Join(t.TempDir(), "copy.db")
		for _, left := range []string{".part", ".part-wal"} {
			if err := os.WriteFile(path+left, bytes.Repeat([]byte("half of it "), 10_000), 0o644); err != nil { //nolint:gosec // as somebody else left it
				t.Fatal(err)
			}
		}
		if err := l.CopyTo(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		if left, err := filepath.Glob(path + "*"); err != nil || len(left) != 1 {
			t.Errorf("%v, %v", left, err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("others can read it: %v, %v", info.Mode(), err)
		}
		if v, err := open(t, path).Verify(t.Context()); err != nil || len(v.Wrong) > 0 || v.Evidence != 5 {
			t.Errorf("%+v, %v", v, err)
		}
	})
}

// A ledger of an earlier drpd is sealed row by row when it is opened, on each engine, and gives the same as before; what was damaged stays
// damaged, and what was erased stays erased.
func TestEarlierSeals(t *testing.T) {
	for name, again := range map[string]func(t *testing.T) func() *ledger.Ledger{
		"sqlite": func(t *testing.T) func() *ledger.Ledger {
			path := filepath.Join(t.TempDir(), "state.db")
			return func() *ledger.Ledger { return open(t, path) }
		},
		"postgres": func(t *testing.T) func() *ledger.Ledger {
			dsn := postgresDB(t)
			return func() *ledger.Ledger { return openPostgres(t, dsn) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			reopen := again(t)
			l := reopen()
			furnish(t, l)
			want := givesAll(t, l)
			if err := l.Unbind(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := givesAll(t, l); got["e00"] != "damaged" || got["e01"] != "damaged" || got["alert"] != "damaged" || got["guard"] != "damaged" {
				t.Fatalf("it is not as an earlier drpd left it: %v", got)
			}
			erase(t, l, "C-BBBBBB")
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			for _, id := range []string{"e10", "e11"} {
				want[id] = "0"
			}
			want["C-BBBBBB"] = "gone"
			for range 2 {
				l = reopen()
				got := givesAll(t, l)
				for what, value := range want {
					if got[what] != value {
						t.Errorf("%s: got %q, want %q", what, got[what], value)
					}
				}
			}
		})
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	raw, err := driver.Open("file:" + from)
	if err != nil {
		t.Fatal(err)
	}
	vacuum(t, raw, to)
}

func vacuum(t *testing.T, raw *sql.DB, to string) {
	t.Helper()
	if _, err := raw.ExecContext(context.WithoutCancel(t.Context()), `VACUUM INTO ?`, to); err != nil {
		t.Fatal(err)
	}
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
}

// A copy that is put back is the ledger as it was, on each engine; and the ledger knows that it was put back, and gives no process of the time
// before the right to run.
func TestPutBack(t *testing.T) { each(t, testPutBack) }

func testPutBack(t *testing.T, l *ledger.Ledger) {
	t.Helper()
	furnish(t, l)
	want := givesAll(t, l)
	path := filepath.Join(t.TempDir(), "copy.db")
	if err := errors.Join(l.CopyTo(t.Context(), path), l.Lease(t.Context(), "one", noon, time.Hour),
		l.SetSetting(t.Context(), port.Guard, "", "a person", noon),
		l.Ingest(t.Context(), "mailbox", []drp.Evidence{{ID: "later", Source: "mailbox", Kind: drp.Message, Learned: noon}}, nil, noon)); err != nil {
		t.Fatal(err)
	}
	from := open(t, path)
	if err := l.PutBack(t.Context(), from, "a disk was lost", "a person", noon); err != nil {
		t.Fatal(err)
	}
	if err := l.SetSetting(t.Context(), port.Guard, "", "drpd", noon); !errors.Is(err, port.ErrLeaseLost) {
		t.Errorf("whoever had the lease before goes on: %v", err)
	}
	if err := l.Lease(t.Context(), "two", noon, time.Hour); err != nil {
		t.Fatal(err)
	}
	got := givesAll(t, l)
	for what, value := range want {
		if got[what] != value {
			t.Errorf("%s: got %q, want %q", what, got[what], value)
		}
	}
	if body, err := l.Body(t.Context(), "later"); err != nil || body != nil {
		t.Errorf("what came after the copy is there: %q, %v", body, err)
	}
	if v, err := l.Verify(t.Context()); err != nil || len(v.Wrong) > 0 {
		t.Errorf("%+v, %v", v, err)
	}
	if at, err := l.Setting(t.Context(), port.Restored); err != nil || at != noon.Format(time.RFC3339) {
		t.Errorf("put back: %q, %v", at, err)
	}
}

// Before a newer drpd changes the schema, a copy of the ledger as it was is left, on each engine.
func TestCopyBefore(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		t.Helper()
		furnish(t, l)
		if err := l.Unbind(t.Context()); err != nil {
			t.Fatal(err)
		}
		prefix := filepath.Join(t.TempDir(), "state.before-")
		if err := l.DownTo(t.Context(), 14, ledger.CopyBefore(prefix)); err != nil {
			t.Fatal(err)
		}
		want := givesAll(t, l)
		files, err := filepath.Glob(prefix + "*")
		if err != nil || len(files) != 1 || files[0] != prefix+"0014" {
			t.Fatalf("%v, %v", files, err)
		}
		got := givesAll(t, open(t, files[0]))
		for what, value := range want {
			if got[what] != value {
				t.Errorf("%s: got %q, want %q", what, got[what], value)
			}
		}
	})
}
