package alarm_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"drpd/core/alarm"
	"drpd/core/port"
)

var began = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// asked is a board that somebody asks each minute, and tells of what is due.
type asked struct {
	alarm.Board
	now  time.Time
	told []alarm.Message
	at   []time.Time
}

func start() *asked {
	a := &asked{now: began}
	a.Begin(began)
	return a
}

// pass lets minutes pass.
func (a *asked) pass(minutes int) {
	for range minutes {
		a.now = a.now.Add(time.Minute)
		if m, ok := a.Due(a.now); ok {
			a.Tell(a.now, m)
			a.told, a.at = append(a.told, m), append(a.at, a.now)
		}
	}
}

func lack(what string) port.Lack { return port.Lack{What: what, Count: 1, Says: what + " is wrong"} }

func (a *asked) states() string {
	var out []string
	for _, m := range a.told {
		out = append(out, string(m.State))
	}
	return strings.Join(out, " ")
}

func TestBoard(t *testing.T) {
	source := lack("source/records")
	for name, tt := range map[string]struct {
		live func(a *asked)
		want string
	}{
		"all goes well": {func(a *asked) {
			for range 500 {
				a.End(a.now, nil)
				a.pass(5)
			}
		}, ""},
		"what passes soon": {func(a *asked) {
			for range 100 {
				a.End(a.now, nil)
				a.pass(5)
				a.End(a.now, []port.Lack{source})
				a.pass(5)
				a.BreakOff(a.now, "the server is restarted")
				a.pass(5)
			}
		}, ""},
		"a source is gone for an hour": {func(a *asked) {
			a.End(a.now, nil)
			for range 12 {
				a.pass(5)
				a.End(a.now, []port.Lack{source})
			}
			a.pass(5)
			a.End(a.now, nil)
			a.pass(60)
		}, "alarm over alarm"}, // and then no cycle ends
		"two days": {func(a *asked) {
			for range 2 * 24 * 12 {
				a.End(a.now, []port.Lack{source})
				a.pass(5)
			}
		}, "alarm lasts"},
		"another fault comes": {func(a *asked) {
			for i := range 24 {
				faults := []port.Lack{source}
				if i > 12 {
					faults = append(faults, lack("outbox/email"))
				}
				a.End(a.now, faults)
				a.pass(5)
			}
		}, "alarm alarm"},
		"each cycle breaks off": {func(a *asked) {
			for range 12 {
				a.BreakOff(a.now, "the disk is full")
				a.pass(5)
			}
		}, "alarm"},
		"no cycle ends": {func(a *asked) { a.End(a.now, nil); a.pass(60) }, "alarm"},
		"told to stop for two days": {func(a *asked) {
			a.End(a.now, nil)
			a.Stop()
			a.now = a.now.AddDate(0, 0, 2)
			a.Begin(a.now)
			a.pass(5)
			a.End(a.now, nil)
			a.pass(5)
		}, ""},
		"the machine was off for two days": {func(a *asked) {
			a.End(a.now, nil)
			a.now = a.now.AddDate(0, 0, 2)
			a.Begin(a.now)
			a.pass(5)
			a.End(a.now, nil)
			a.pass(5)
		}, ""},
		"it dies within each first cycle": {func(a *asked) {
			a.End(a.now, nil)
			for range 30 {
				a.Begin(a.now)
				a.pass(1)
			}
		}, "alarm"},
		"the clock is put back by a day": {func(a *asked) {
			a.End(a.now, []port.Lack{source})
			a.now = a.now.AddDate(0, 0, -1)
			for range 12 {
				a.BreakOff(a.now, "the clock is wrong")
				a.pass(5)
			}
		}, "alarm"},
	} {
		a := start()
		tt.live(a)
		if got := a.states(); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// TestTold: whatever cycles do, what lasts for half an hour is told within it, and nobody is told of anything where nothing has lasted for
// long, and each alarm is followed by one word that it is over, once it is.
func TestTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := start()
		since := make(map[string]time.Time) // of what is amiss now: when it began
		ended, bad := began, false
		for range rapid.IntRange(1, 200).Draw(t, "cycles") {
			var lacks []port.Lack
			for _, what := range []string{"source/records", "source/mailbox", "outbox/email"} {
				if rapid.IntRange(0, 3).Draw(t, what) > 0 == since[what].IsZero() {
					delete(since, what)
					continue
				}
				if since[what].IsZero() {
					since[what] = a.now
				}
				lacks = append(lacks, lack(what))
			}
			switch rapid.IntRange(0, 5).Draw(t, "how") {
			case 0:
				a.BreakOff(a.now, "something is wrong")
				bad = true
			case 1: // it does not end
				bad = true
			case 2:
				a.Begin(a.now)
				bad = true
			default:
				a.End(a.now, lacks)
				ended, bad = a.now, false
			}
			before := len(a.told)
			a.pass(rapid.IntRange(1, 8).Draw(t, "minutes"))
			if bad && a.now.Sub(ended) >= 30*time.Minute && !a.Raised {
				t.Fatalf("no cycle has ended for %s, and nobody is told", a.now.Sub(ended))
			}
			for _, m := range a.told[before:] {
				old := m.State == alarm.Over
				for _, f := range m.Faults {
					old = old || a.now.Sub(f.Since) >= alarm.Grace
				}
				if !old {
					t.Fatalf("told of what has just begun: %+v", m)
				}
			}
		}
		for range 7 {
			a.End(a.now, nil)
			a.pass(5)
		}
		for i, m := range a.told {
			if m.State == alarm.Over && (i == 0 || a.told[i-1].State == alarm.Over) {
				t.Fatalf("told that it is over, and nothing was: %s", a.states())
			}
		}
		if a.Raised || !a.Well() {
			t.Fatal("all is well, and whoever was told of a fault does not hear of it")
		}
	})
}

func TestText(t *testing.T) {
	a := start()
	a.End(a.now, []port.Lack{lack("source/records")})
	a.pass(25)
	want := "drpd of Fairshire Council: its work cannot be proved. A deadline may pass unseen. On its machine, drpd status says more.\n\n" +
		"- since 23 November 08:00: source/records is wrong\n- since 23 November 08:00: no cycle has ended: drpd hangs, or ends before it is " +
		"through: look at its log\n"
	if len(a.told) != 1 {
		t.Fatalf("%+v", a.told)
	}
	if got := a.told[0].Text("Fairshire Council", time.UTC); got != want {
		t.Errorf("%q", got)
	}
}
