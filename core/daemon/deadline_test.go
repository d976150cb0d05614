package daemon_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

// hanging is a source that gives no answer while it hangs, and ignores its deadline where it is deaf.
type hanging struct {
	daemon.Source
	asked atomic.Int32
	deaf  chan struct{} // closed when it no longer hangs; nil: it stops at its deadline
	well  atomic.Bool
}

func (h *hanging) Poll(ctx context.Context, cursor []byte, now time.Time) ([]drp.Evidence, []byte, error) {
	h.asked.Add(1)
	switch {
	case h.well.Load():
		return h.Source.Poll(ctx, cursor, now)
	case h.deaf != nil:
		<-h.deaf
		return nil, nil, nil
	}
	<-ctx.Done()
	return nil, nil, errors.New("table CF_FORMS cannot be read")
}

// deaf is what leads out of a daemon, and gives no answer while it hangs, whatever it is told.
type deaf struct {
	daemon.NoteWriter
	daemon.FormKeeper
	until chan struct{}
	asked map[string]int
	mu    sync.Mutex
}

func (x *deaf) hangs(what string) {
	x.mu.Lock()
	x.asked[what]++
	x.mu.Unlock()
	<-x.until
}

func (x *deaf) times(what string) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.asked[what]
}

func (x *deaf) WriteNotes(ctx context.Context, notes []port.Note) []error {
	x.hangs("notes")
	return x.NoteWriter.WriteNotes(ctx, notes)
}

func (x *deaf) KeepForm(ctx context.Context, f port.FormFile) error {
	x.hangs("forms")
	return x.FormKeeper.KeepForm(ctx, f)
}

// What leads out of drpd and never answers, as a folder on a machine that is gone, is waited for no longer than it may take, and not called
// again before it has come back; emails and reports go meanwhile, and what it was to do is done once it answers.
func TestWayOutHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := calm(t)
		x := &deaf{NoteWriter: w.d.Notes, FormKeeper: w.d.Forms, until: make(chan struct{}), asked: map[string]int{}}
		keeps := w.d.KeepReport
		w.d.Notes, w.d.Forms = x, x
		w.d.KeepReport = func(name string, data []byte) error {
			x.hangs("reports")
			return keeps(name, data)
		}
		began := time.Now()
		for _, hour := range []int{9, 10, 11} {
			w.at(16, hour)
		}
		if long := time.Since(began); long < 10*time.Minute || long > 40*time.Minute {
			t.Errorf("three cycles took %s", long)
		}
		if w.count["sent: alert"] == 0 || w.count["sent: report"] == 0 || len(w.notes.Written) > 0 {
			t.Errorf("while it hangs: %v, %d notes", w.count, len(w.notes.Written))
		}
		if notes, reports := x.times("notes"), x.times("reports"); notes != 1 || reports != 1 {
			t.Errorf("what has not come back is asked again: notes %d times, reports %d times", notes, reports)
		}
		close(x.until)
		synctest.Wait()
		w.at(16, 16)
		w.at(17, 10)
		if len(w.notes.Written) == 0 {
			t.Error("once it answers, no note is written")
		}
		for _, n := range w.notes.Written {
			if len(n) != 1 {
				t.Errorf("written %d times: %v", len(n), n)
			}
		}
		if at, err := w.ledger.Setting(t.Context(), port.Restored); err != nil || at != "" {
			t.Errorf("its own note that came late is taken for that of a newer state: %q, %v", at, err)
		}
		for _, wrong := range w.wrong {
			t.Error(wrong)
		}
	})
}

// health says how a source is.
func (w *world) health(t *testing.T, name string) port.Health {
	t.Helper()
	all, err := w.ledger.Sources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range all {
		if h.Name == name {
			return h
		}
	}
	t.Fatalf("no source %s", name)
	return port.Health{}
}

// A source that hangs past its deadline is one that cannot be read, and is told of as such; the other is read, and what is
// due goes. Once it answers again, it is read.
func TestSourceHangs(t *testing.T) {
	for _, deaf := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w, _ := calm(t)
			w.at(16, 9)
			h := &hanging{Source: w.d.Feeds[0].Source}
			want := "no answer within 10m0s: table CF_FORMS cannot be read"
			if deaf {
				h.deaf, want = make(chan struct{}), "no answer within 10m0s, and it cannot be stopped"
			}
			w.d.Feeds[0].Source = h
			p := w.policies[0]
			w.say(w.feeds[1], drp.Message, "m", said{Form: p.Forms[0], Child: "child-9", Trusted: true, From: p.Raisers[0],
				Facts: []saidFact{{Kind: drp.Raised, On: w.today(), By: p.Raisers[0]}}})
			before, began := len(w.mail.Sent), time.Now()
			w.at(16, 10)
			if long := time.Since(began); long < 10*time.Minute || long > 11*time.Minute {
				t.Errorf("the cycle took %s", long)
			}
			if got := w.health(t, "records"); got.FailedSince == 0 || got.Why != want {
				t.Errorf("%+v, want %q", got, want)
			}
			if got := w.health(t, "mailbox"); got.FailedSince != 0 || got.ReadAt != w.clock.UnixMilli() {
				t.Errorf("the other source: %+v", got)
			}
			if disputes, err := w.ledger.Disputes(t.Context()); err != nil || len(disputes) != 2 || len(w.mail.Sent) <= before {
				t.Errorf("%d disputes, want the one that came by mail too, and a word to the operator (%d, %v)", len(disputes),
					len(w.mail.Sent)-before, err)
			}
			if h.asked.Load() != 1 || !strings.Contains(w.log.String(), "source cannot be read") {
				t.Errorf("asked %d times in one cycle; log %s", h.asked.Load(), w.log.String())
			}
			w.at(16, 11)
			if deaf {
				if got := w.health(t, "records"); h.asked.Load() != 1 || got.FailedSince == 0 {
					t.Errorf("asked %d times while it has not come back: %+v", h.asked.Load(), got)
				}
				close(h.deaf)
				synctest.Wait()
			}
			h.well.Store(true)
			w.at(16, 12)
			if got := w.health(t, "records"); got.FailedSince != 0 {
				t.Errorf("it answers again: %+v", got)
			}
			for _, wrong := range w.wrong {
				t.Error(wrong)
			}
		})
	}
}

// Sources that hang are waited for together, and those that answer are stored before that. One that gave no answer gets a tenth of the
// time for an hour, and then all of it again.
func TestSourcesHangTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := calm(t)
		w.at(16, 9)
		one, two := &hanging{Source: w.d.Feeds[0].Source}, &hanging{Source: &post{}}
		w.d.Feeds[0].Source = one
		w.d.Feeds = append(w.d.Feeds, daemon.Feed{Name: "post", Source: two, Read: daemon.Purely(func(drp.Evidence, workday.Date) drp.Reading {
			return drp.Reading{Auto: true}
		})})
		p := w.policies[0]
		w.say(w.feeds[1], drp.Message, "m", said{Form: p.Forms[0], Child: "child-9", Trusted: true, From: p.Raisers[0],
			Facts: []saidFact{{Kind: drp.Raised, On: w.today(), By: p.Raisers[0]}}})
		for _, x := range []struct {
			hour int
			long time.Duration
		}{{10, 10 * time.Minute}, {10, time.Minute}, {11, 10 * time.Minute}} {
			began := time.Now()
			w.at(16, x.hour)
			if long := time.Since(began); long < x.long || long > x.long+30*time.Second {
				t.Errorf("%d o'clock: the cycle took %s, want %s", x.hour, long, x.long)
			}
			for _, name := range []string{"records", "post"} {
				if got := w.health(t, name); got.FailedSince == 0 {
					t.Errorf("%+v", got)
				}
			}
			if got := w.health(t, "mailbox"); got.FailedSince != 0 {
				t.Errorf("the other source: %+v", got)
			}
		}
		one.well.Store(true)
		two.well.Store(true)
		w.at(16, 12)
		if a, b := w.health(t, "records"), w.health(t, "post"); a.FailedSince != 0 || b.FailedSince != 0 {
			t.Errorf("they answer again: %+v, %+v", a, b)
		}
		for _, wrong := range w.wrong {
			t.Error(wrong)
		}
	})
}

// Told to stop while a source hangs, drpd stops within seconds, and the source counts for nothing worse than not asked.
func TestStopWhileSourceHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := calm(t)
		deaf := make(chan struct{})
		w.d.Feeds[0].Source = &hanging{deaf: deaf}
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, stop)
		began := time.Now()
		if _, err := w.d.Cycle(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		if long := time.Since(began); long > time.Minute+5*time.Second {
			t.Errorf("stopped %s after it was told to", long-time.Minute)
		}
		if gaps, err := w.ledger.Gaps(t.Context()); err != nil || len(gaps) != 0 {
			t.Errorf("%v, %v", gaps, err)
		}
		close(deaf)
		synctest.Wait()
	})
}
