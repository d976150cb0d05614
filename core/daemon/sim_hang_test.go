package daemon_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"drpd/core/port"
)

// hangs runs a world in which time is simulated, too: there a source may hang until its deadline. On the real ledger none does.
func (w *world) hangs(may bool, run func(*world)) {
	if w.hang = may; !may {
		run(w)
		return
	}
	outer := w.t
	synctest.Test(outer, func(t *testing.T) {
		w.t = t
		run(w)
		time.Sleep(2 * longestCycle) // until whatever hangs has come back
	})
	w.t = outer
}

// falters lets a source fail, or hang until whoever asks gives up. It crashes nothing: the ledger does, before and after.
func (f *feed) falters(ctx context.Context) error {
	w := f.w
	hangs, err := f.trouble()
	if !hangs {
		return err
	}
	began := time.Now()
	<-ctx.Done()
	if long := time.Since(began); long > time.Hour {
		w.fail("%s hung for %s, and was waited for", f.name, long)
	}
	return ctx.Err()
}

// trouble says whether a source hangs now, or fails. While one hangs the daemon goes on with the next: what the world knows of it is under
// its lock, which whoever polls next takes as well.
func (f *feed) trouble() (hangs bool, err error) {
	w := f.w
	w.polls.Lock()
	defer w.polls.Unlock()
	also := w.hanging && w.apart.IntN(2) == 0 // trouble comes in company
	if !also {
		if !w.chaos || w.broken || w.rng.IntN(60) > 0 {
			return false, nil
		}
		w.broken = true
		if !w.hang || w.rng.IntN(2) == 0 {
			w.count["fault: poll"]++
			return false, errors.New("simulated fault of poll")
		}
	}
	if w.hanging = true; also {
		w.count["two sources hang"]++
	}
	w.count["a source hangs"]++
	return true, nil
}

// unreadable is what a source says of a file that lies in it for weeks, and that it cannot read.
const unreadable = "simulated: a file in the folder cannot be read"

// remarks says in some worlds that something in the mailbox cannot be read, beside all that can.
func (f *feed) remarks() error {
	if f.name != "mailbox" || f.w.seed%6 != 2 {
		return nil
	}
	return port.Remark{Err: errors.New(unreadable)}
}

// remarked holds that the operator is told of it.
func (w *world) remarked() {
	if w.seed%6 == 2 && !slices.Contains(w.told, unreadable) {
		w.fail("a file in the mailbox cannot be read, and nobody is told")
	}
}

// Cursor is asked for before a source is polled.
func (c chaosLedger) Cursor(ctx context.Context, source string) ([]byte, error) {
	c.w.polls.Lock()
	defer c.w.polls.Unlock()
	return c.Ledger.Cursor(ctx, source)
}

// wayOut lets what leads out of drpd hang at times: until it is told to stop, or, where it is deaf or cannot be told, for longer than a
// cycle may take. What comes back so late has done nothing.
func (w *world) wayOut(told <-chan struct{}, what string) error {
	hangs, deaf := w.closesWay(what)
	if !hangs {
		return nil
	}
	if told == nil || deaf {
		time.Sleep(longestCycle)
	} else {
		<-told
	}
	return errors.New("simulated: " + what + " gave no answer")
}

// closesWay says whether what leads out of drpd hangs now. The daemon goes on while it does: what the world knows of it is under the lock
// that each of its calls takes.
func (w *world) closesWay(what string) (hangs, deaf bool) {
	w.edge.mu.Lock()
	defer w.edge.mu.Unlock()
	if !w.hang || !w.chaos || w.ways.IntN(50) > 0 {
		return false, false
	}
	w.count["no way out for "+what]++
	w.shut = true
	return true, w.ways.IntN(2) == 0
}

// The longest that a cycle may take: sources are waited for together, a relay once, and whatever else hangs then for a tenth of the time.
const longestCycle = 18 * time.Minute

// silent lets the relay give no answer for a whole cycle.
func (w *world) silent() error {
	if !w.hang || !w.chaos {
		return nil
	}
	if !w.relayed {
		w.relayed, w.mute = true, w.apart.IntN(40) == 0
	}
	if !w.mute {
		return nil
	}
	w.count["the relay gives no answer"]++
	if w.waited++; w.waited > 1 {
		w.fail("the relay gives no answer, and is waited for again in the same cycle")
	}
	time.Sleep(2 * time.Minute)
	return port.Down{Err: errors.New("simulated: the relay does not answer")}
}

// begins is when a cycle begins.
func (w *world) begins() time.Time {
	w.hanging, w.relayed, w.mute, w.shut, w.waited = false, false, false, false, 0
	return time.Now()
}

// ends sees that nobody was waited for too long in a cycle.
func (w *world) ends(began time.Time) {
	if long := time.Since(began); w.hang && long > longestCycle {
		w.fail("a cycle took %s", long)
	}
}
