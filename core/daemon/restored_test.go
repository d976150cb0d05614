package daemon_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"drpd/core/daemon"
	"drpd/core/daemon/porttest"
	"drpd/core/drp"
	"drpd/core/port"
)

// muteArchive is a route whose archive gives no answer until it is told to stop.
type muteArchive struct {
	daemon.Mailer
	asked int
}

func (m *muteArchive) Find(ctx context.Context, _ port.Envelope) (bool, error) {
	m.asked++
	<-ctx.Done()
	return false, ctx.Err()
}

// An archive that gives no answer is asked once in a cycle, however many messages are to be looked for in it.
func TestArchiveHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := calm(t)
		w.d.Subscriptions = nil
		w.raise(c, 1, 40)
		if err := w.d.PutBack(t.Context(), w.clock.Add(-24*time.Hour), w.clock); err != nil {
			t.Fatal(err)
		}
		m := &muteArchive{Mailer: w.d.Mail}
		w.d.Mail = m
		for cycles, hour := range []int{9, 10, 11} {
			began := time.Now()
			w.at(16, hour)
			if long := time.Since(began); long > 2*time.Minute || m.asked != cycles+1 {
				t.Errorf("a cycle takes %s, and the archive was asked %d times in %d", long, m.asked, cycles+1)
			}
		}
	})
}

// An older state that was put back and left no trace is noticed by what is in the archive, also where all is held first since it is more
// than usual, and a person lets it go.
func TestOlderStateBehindTheGuard(t *testing.T) {
	w, c := calm(t)
	w.d.Subscriptions = nil
	w.raise(c, 1, 75)
	older := w.ledger.(*porttest.Ledger).Copy()
	w.at(16, 9)
	w.at(16, 10)
	o := w.twin(older)
	o.only = func(*world) {}
	o.d.Subscriptions = nil
	o.d.Gates.Most = daemon.Most{Cycle: 150}
	o.at(16, 11)
	if n := o.release(t); n < 70 {
		t.Fatalf("the guard holds %d", n)
	}
	o.at(16, 12)
	o.at(16, 13)
	for key, sent := range o.mail.Sent {
		if len(sent) > 1 && sent[0].Reason == drp.ReasonAlert {
			t.Fatalf("%s went %d times", key, len(sent))
		}
	}
	if !slices.ContainsFunc(o.told, func(says string) bool { return strings.Contains(says, "an older one") }) {
		t.Error("nobody is told")
	}
}

// awayPost knows who is away.
type awayPost struct {
	daemon.Post
	away []drp.Absence
}

func (p awayPost) Absences(context.Context) ([]drp.Absence, error) { return p.away, nil }

// Where nothing is decided since the clock is not believed, a word to the operator goes to the deputy of one whose address is wrong.
func TestClockWhileTheOperatorIsAway(t *testing.T) {
	w, _ := calm(t)
	w.roster = append(w.roster, drp.Holder{Role: "operator", Person: "w-deputy", Deputy: true, Name: drp.NewPrivate("Deputy"),
		Address: address("deputy")})
	w.restart()
	w.d.Subscriptions = nil
	w.d.Post = awayPost{w.d.Post, []drp.Absence{{Person: "w-operator", From: w.today(), Returned: true}}}
	if _, err := w.d.Cycle(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := len(w.mail.Sent)
	w.d.Feeds[0].Source = timed{w.d.Feeds[0].Source, -365 * 24 * time.Hour, nil}
	w.clock = w.clock.AddDate(1, 0, 1)
	if _, err := w.d.Cycle(t.Context()); err == nil || len(w.mail.Sent) == before {
		t.Fatalf("%v, %d messages", err, len(w.mail.Sent)-before)
	}
	for _, sent := range w.mail.Sent {
		if sent[0].Role == "operator" && sent[0].Person != "w-deputy" {
			t.Errorf("%s goes to %s", sent[0].Reason, sent[0].Person)
		}
	}
}
