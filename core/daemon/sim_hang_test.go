package daemon_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
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
	})
	w.t = outer
}

// falters lets a source fail, or hang until whoever asks gives up. It crashes nothing: the ledger does, before and after.
func (f *feed) falters(ctx context.Context) error {
	w := f.w
	if !w.chaos || w.broken || w.rng.IntN(60) > 0 {
		return nil
	}
	w.broken = true
	if !w.hang || w.rng.IntN(2) == 0 {
		w.count["fault: poll"]++
		return errors.New("simulated fault of poll")
	}
	w.count["a source hangs"]++
	began := time.Now()
	<-ctx.Done()
	if long := time.Since(began); long > time.Hour {
		w.fail("%s hung for %s, and was waited for", f.name, long)
	}
	return ctx.Err()
}
