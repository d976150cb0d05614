package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"drpd/adapters/ledger"
	"drpd/core/audit"
	"drpd/core/port"
)

// enter makes n entries.
func enter(t testing.TB, l *ledger.Ledger, n int) {
	t.Helper()
	for i := range n {
		if err := l.SetSetting(t.Context(), port.Guard, fmt.Sprint("why ", i), "somebody", noon.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
}

const of = "drpd.fairshire.example/audit"

// anchor anchors a ledger after the last anchor, and gives what is wrong.
func anchor(t testing.TB, l *ledger.Ledger, last audit.Anchor, at time.Time) (audit.Anchor, []string) {
	t.Helper()
	var kept audit.Anchor
	a, wrong, err := l.Anchor(t.Context(), of, last, at, func(a audit.Anchor) error { kept = a; return nil })
	if err != nil || kept != a {
		t.Fatalf("%+v, kept %+v, %v", a, kept, err)
	}
	return a, wrong
}

// held holds a ledger against anchors, and its chain.
func held(t testing.TB, l *ledger.Ledger, anchors ...audit.Anchor) audit.Result {
	t.Helper()
	c := audit.Check{Zone: time.UTC}
	c.Add(anchors...)
	err := l.Audit(t.Context(), c.Next)
	r := c.End()
	if errors.As(err, new(audit.BrokenError)) {
		r.Wrong = append(r.Wrong, err.Error())
	} else if err != nil {
		t.Fatal(err)
	}
	return r
}

// An anchor is the root of all entries, whether they were read at once or day by day; it can be verified with the public key alone, and holds
// after a dispute was erased. One that could not be kept is made again.
func TestAnchor(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		begin(t, l)
		first, wrong := anchor(t, l, audit.Anchor{}, noon)
		if len(wrong) > 0 || first.Size != 3 || first.Of != of {
			t.Errorf("%+v, %q", first, wrong)
		}
		enter(t, l, 1500) // more than are read at once
		full := errors.New("the disk is full")
		if _, _, err := l.Anchor(t.Context(), of, first, noon, func(audit.Anchor) error { return full }); !errors.Is(err, full) {
			t.Errorf("one that could not be kept: %v", err)
		}
		second, wrong := anchor(t, l, first, noon.Add(24*time.Hour))
		if len(wrong) > 0 || second.Size != 1503 {
			t.Errorf("%+v, %q", second, wrong)
		}
		if n, err := l.Anchored(t.Context()); err != nil || n != 1503 {
			t.Errorf("%d, %v", n, err)
		}
		erase(t, l, "C-AAAAAA")
		got := held(t, l, first, second)
		if got.Anchors != 2 || got.After == 0 || len(got.Wrong) > 0 {
			t.Errorf("%+v", got)
		}
		found, err := audit.ReadAnchors(strings.NewReader(second.Note), audit.Own(l.AnchorKey()))
		if err != nil || len(found.Anchors) != 1 || found.Anchors[0] != second {
			t.Errorf("%+v, %v", found, err)
		}
	})
}

// What is done to the audit by hand is found: by the anchor that somebody keeps, when it is held against it, and by drpd itself when it makes
// the next anchor, which is of what is there then. With the secret the chain is whole again, and the anchor is not.
func TestHistoryByHand(t *testing.T) {
	const swap = `UPDATE audit SET seq = -1 - seq WHERE seq IN (20, 21)|UPDATE audit SET seq = 42 + seq WHERE seq < 0`
	const reseal = "the chain is made anew"
	const outside = "the history is not the one that was anchored on 3 March 2026, 12:00:00, when it had 30 entries: of the entries 11 to 30"
	const cut = "the history ends with entry 25, of 2 March 2026, 12:00:14, and 30 entries were anchored on 3 March 2026, 12:00:00: its end was cut off"
	for name, x := range map[string]struct {
		say, chain, anchors string
		at                  bool // drpd itself finds it at the next anchor
	}{
		"nothing":   {`UPDATE audit SET at = at`, "", "", false},
		"seq":       {`UPDATE audit SET seq = 40 WHERE seq = 30`, "audit entry 30 is missing", outside, true},
		"at":        {`UPDATE audit SET at = at + 1 WHERE seq = 20`, "audit entry 20 was changed", outside, false},
		"actor":     {`UPDATE audit SET actor = 'nobody' WHERE seq = 20`, "audit entry 20 was changed", outside, false},
		"action":    {`UPDATE audit SET action = 'accepted' WHERE seq = 20`, "audit entry 20 was changed", outside, false},
		"subject":   {`UPDATE audit SET subject = 'another' WHERE seq = 20`, "audit entry 20 was changed", outside, false},
		"detail":    {`UPDATE audit SET detail = 'why ' WHERE seq = 20`, "audit entry 20 was changed", outside, false},
		"code":      {`UPDATE audit SET code = '' WHERE seq = 20`, "audit entry 20 was changed", outside, false},
		"taken out": {`DELETE FROM audit WHERE seq = 20`, "audit entry 20 is missing", outside, false},
		"swapped":   {swap, "audit entry 20 was changed", outside, false},
		"cut":       {`DELETE FROM audit WHERE seq > 25`, "", cut, true},
		"cut, and what drpd knew of it": {`DELETE FROM audit WHERE seq > 25|DELETE FROM setting WHERE name = 'anchored'`, "", cut,
			true},
		"rewritten with the secret":  {`UPDATE audit SET detail = 'never' WHERE seq = 20|` + reseal, "", outside, true},
		"taken out, with the secret": {`DELETE FROM audit WHERE seq = 20|` + reseal, "", outside, true},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, l *ledger.Ledger) {
				enter(t, l, 10)
				first, _ := anchor(t, l, audit.Anchor{}, noon.Add(time.Minute))
				enter(t, l, 20)
				second, _ := anchor(t, l, first, noon.Add(24*time.Hour))
				enter(t, l, 5)
				for say := range strings.SplitSeq(x.say, "|") {
					do := l.Reseal
					if say != reseal {
						do = func(ctx context.Context) error { return l.ByHand(ctx, say) }
					}
					if err := do(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				got := held(t, l, first, second)
				said := strings.Join(got.Wrong, "\n")
				if clean := x.chain+x.anchors == ""; clean != (said == "") || !strings.Contains(said, x.chain) ||
					!strings.Contains(said, x.anchors) {
					t.Errorf("it says: %s", said)
				}
				next, wrong := anchor(t, l, second, noon.Add(48*time.Hour))
				if x.at != (len(wrong) > 0) {
					t.Errorf("drpd itself says: %q", wrong)
				}
				if again, wrong := anchor(t, l, next, noon.Add(72*time.Hour)); len(wrong) > 0 || again.Root != next.Root {
					t.Errorf("the next anchor is not of what is there: %q", wrong)
				}
			})
		})
	}
}

// A state that was put back says so in its history, by a command or found by the trace, and what was anchored meanwhile is told as gone since.
func TestAnchorsAfterPuttingBack(t *testing.T) {
	dir := t.TempDir()
	l := open(t, filepath.Join(dir, "state.db"))
	enter(t, l, 10)
	first, _ := anchor(t, l, audit.Anchor{}, noon)
	enter(t, l, 2)
	for i := range 2 {
		if err := l.CopyTo(t.Context(), filepath.Join(dir, fmt.Sprint("copy", i))); err != nil {
			t.Fatal(err)
		}
	}
	enter(t, l, 20)
	second, _ := anchor(t, l, first, noon.Add(24*time.Hour))
	back := noon.Add(25 * time.Hour)
	for i, how := range []func(l *ledger.Ledger) error{
		func(l *ledger.Ledger) error { return l.WasPutBack(t.Context(), "a disk broke", "somebody", back) },
		func(l *ledger.Ledger) error {
			return l.SetSetting(t.Context(), port.Restored, back.Format(time.RFC3339), "drpd", back)
		},
	} {
		l := open(t, filepath.Join(dir, fmt.Sprint("copy", i)))
		if err := how(l); err != nil {
			t.Fatal(err)
		}
		const says = "entry 13 says that a copy of the state was put back: what was entered after entry 12 until 3 March 2026, 12:00:00 at least is in"
		got := held(t, l, first, second)
		if got.Anchors != 1 || len(got.Wrong) != 1 || !strings.HasPrefix(got.Wrong[0], says) {
			t.Errorf("%+v", got)
		}
		third, wrong := anchor(t, l, second, back.Add(time.Hour))
		if len(wrong) != 1 || !strings.HasPrefix(wrong[0], says) {
			t.Errorf("drpd itself says: %q", wrong)
		}
		enter(t, l, 1)
		if _, wrong := anchor(t, l, third, back.Add(2*time.Hour)); len(wrong) > 0 {
			t.Errorf("it is said a second time: %q", wrong)
		}
	}
}

// What an entry costs, and what an anchor costs for each entry since the one before.
func BenchmarkHistory(b *testing.B) {
	l, err := ledger.OpenSQLite(b.Context(), filepath.Join(b.TempDir(), "state.db"), key(1), time.UTC)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	b.Run("enter", func(b *testing.B) { enter(b, l, b.N) })
	b.Run("anchor", func(b *testing.B) {
		b.StopTimer()
		last, _ := anchor(b, l, audit.Anchor{}, noon)
		enter(b, l, b.N)
		b.StartTimer()
		if _, wrong := anchor(b, l, last, noon); len(wrong) > 0 {
			b.Fatal(wrong)
		}
	})
}
