package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func newFleet(holder string, turns int) *fleet {
	return &fleet{log: slog.New(slog.DiscardHandler), holder: holder, turns: make(chan struct{}, turns), has: make(map[string]string),
		asked: make(map[string]time.Time), marks: make(map[string]string)}
}

// However the authorities lie, and in whatever order the processes look at the leases, they come to have equally many; from then on nobody
// asks for any.
func TestShares(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n, processes := rapid.IntRange(1, 40).Draw(t, "authorities"), rapid.IntRange(1, 5).Draw(t, "processes")
		var all []*fleet
		for p := range processes {
			all = append(all, newFleet(fmt.Sprint("process ", p), 1))
		}
		has := make([]int, n) // who has which
		for i := range n {
			has[i] = rapid.IntRange(0, processes-1).Draw(t, "has")
			all[has[i]].took(fmt.Sprint(i), true)
		}
		count := func() (most, least int) {
			shares := make([]int, processes)
			for _, p := range has {
				shares[p]++
			}
			most, least = shares[0], shares[0]
			for _, s := range shares {
				most, least = max(most, s), min(least, s)
			}
			return most, least
		}
		rounds := 0
		for moved := true; moved; rounds++ {
			if rounds > 100 {
				t.Fatalf("no end: %v", has)
			}
			moved = false
			order := rapid.Permutation(all).Draw(t, "order")
			for _, f := range order {
				for i := range n {
					name := fmt.Sprint(i)
					if all[has[i]] == f || !f.seen(name, all[has[i]].holder+", "+name) {
						continue
					}
					all[has[i]].took(name, false)
					f.took(name, true)
					for p, other := range all {
						if other == f {
							has[i] = p
						}
					}
					moved = true
				}
			}
		}
		if most, least := count(); most-least > 1 {
			t.Errorf("one has %d and another %d: %v", most, least, has)
		}
	})
}

// Who waits longest has the next turn; one that hangs keeps it for a while only; and whoever is told that it is over waits no longer.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet("one", 1)
		hangs, err := f.turn(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		var came []int
		for i := range 3 {
			go func() {
				end, err := f.turn(t.Context(), nil)
				if err != nil {
					t.Error(err)
				}
				came = append(came, i)
				end()
			}()
			synctest.Wait()
		}
		over := make(chan struct{})
		close(over)
		if _, err := f.turn(t.Context(), over); !errors.Is(err, errNoTurn) {
			t.Errorf("told that it is over: %v", err)
		}
		stopped, stop := context.WithCancel(t.Context())
		stop()
		if _, err := f.turn(stopped, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("told to stop: %v", err)
		}
		time.Sleep(fleetTurn)
		synctest.Wait()
		if fmt.Sprint(came) != "[0 1 2]" || time.Since(began) != fleetTurn {
			t.Errorf("after %s came %v", time.Since(began), came)
		}
		hangs()
		if len(f.turns) != 0 {
			t.Error("a turn was given back twice, or never")
		}
		var alone *fleet
		if end, err := alone.turn(stopped, nil); err != nil || end == nil {
			t.Errorf("the only authority waits for a turn: %v", err)
		}
	})
}
