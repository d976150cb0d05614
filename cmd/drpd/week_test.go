//go:build linux

package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"drpd/core/audit"
	"drpd/core/drp"
)

var (
	weekLong = flag.Duration("week", 0, "how long the week of TestWeekInAnHour lasts, such as 1h; 0: it is left out")
	weekDays = flag.Float64("week-days", 7, "how many days of it are lived")
	weekSeed = flag.Uint64("week-seed", 1, "from which TestWeekInAnHour draws what people do and what goes wrong")
)

// weekFault is something that went wrong, from when to when.
type weekFault struct {
	kind       string
	begin, end time.Time
	must       bool // nothing can be proved while it lasts
}

// mustTell says whether nothing can be proved during a fault of a kind. Where the relay or the disk of documents is gone, all is proved for
// as long as nothing is due; a clock that is an hour wrong contradicts nobody; and while drpd itself is down nobody is there to tell.
func mustTell(kind string) bool {
	for _, what := range []string{"relay", "documents", "hour", "lost", "drpd"} {
		if strings.Contains(kind, what) {
			return false
		}
	}
	return true
}

// weekPlan draws what goes wrong in a week, one after the other, with time to recover in between: from when, and for how long, by the clock.
func weekPlan(rng *rand.Rand, kinds []string, all time.Duration) (out []dayFault) {
	between := func(least, most time.Duration) time.Duration {
		return least + time.Duration(rng.Int64N(int64(most-least)))
	}
	for at := 2 * time.Hour; ; {
		long := between(40*time.Minute, 150*time.Minute)
		if rng.IntN(3) == 0 {
			long = between(5*time.Minute, 12*time.Minute)
		}
		if at+long+2*time.Hour > all {
			return out
		}
		out = append(out, dayFault{kinds[rng.IntN(len(kinds))], at.Hours(), long.Hours()})
		at += long + between(110*time.Minute, 170*time.Minute)
	}
}

// TestWeekInAnHour runs drpd through a week on real servers, while people work and one thing after the other goes wrong. Each fault that
// keeps its work from being proved must be told within half an hour by the clock, nothing may be told where nothing is wrong, and the
// heartbeat is given exactly while all is well.
func TestWeekInAnHour(t *testing.T) {
	if *weekLong == 0 {
		t.Skip("a week is long: say -week 1h, and -week-days 1 for the first day of it")
	}
	rng := rand.New(rand.NewPCG(*weekSeed, 23))
	const parts = 14 // of twelve hours
	d := openDay(t, *weekLong/parts)
	d.poll = weekPoll
	h := hear(t, d.clock.now)
	conf := filepath.Join(d.dir, "drpd.yaml")
	text, err := os.ReadFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	d.write("drpd.yaml", string(text)+h.watchedBy(t, d.dir))
	log, err := os.Create(filepath.Join(t.ArtifactDir(), "week.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	t.Logf("the log: %s", log.Name())
	d.keeper = &dayKeeper{day: d, log: log, ends: make(map[string]int)}
	events := d.weekEvents(rng)
	d.openState()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	t.Cleanup(func() { // where the test has broken off
		_, letGo := d.keeper.stop(syscall.SIGKILL)
		letGo()
	})
	var kept, acts sync.WaitGroup
	kept.Go(func() {
		if err := d.keeper.keep(ctx); err != nil {
			d.wrong("drpd cannot be started: %v", err)
		}
	})
	kept.Go(func() { d.keeper.measure(ctx) })
	living, over := context.WithCancel(ctx)
	acts.Go(func() {
		if err := d.people.live(living, events); err != nil && living.Err() == nil {
			d.wrong("the people: %v", err)
		}
	})
	faults := d.weekGoesWrong(ctx, weekPlan(rng, sortedKeys(d.kinds()), time.Duration(*weekDays*24)*time.Hour))
	d.weekUntil(ctx, time.Duration(*weekDays*24)*time.Hour)
	over()
	acts.Wait()
	_, letGo := d.keeper.stop(syscall.SIGTERM)
	stop()
	letGo()
	kept.Wait()
	d.judgeWeek(h, faults)
}

// weekEvents draws what people do on each working day: some disputes a day, in the record system and by email.
func (d *aDay) weekEvents(rng *rand.Rand) (events []dayEvent) {
	d.t.Helper()
	const aDayMany, partsADay = 6, 2
	d.people.all = disputesOf(rng, int(*weekDays*aDayMany)+1)
	if err := d.people.children(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
	for i, x := range d.people.all {
		for _, e := range d.people.events(rng, x, 0.8*rng.Float64()) {
			e.at += float64(i / aDayMany * partsADay)
			events = append(events, e)
		}
	}
	return events
}

// weekUntil waits for a time since the week began.
func (d *aDay) weekUntil(ctx context.Context, since time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(time.Duration(float64(since-d.clock.now().Sub(d.clock.first)) / d.clock.pace)):
	}
}

func hours(n float64) time.Duration { return time.Duration(n * float64(time.Hour)) }

// weekGoesWrong lets the faults happen, one after the other.
func (d *aDay) weekGoesWrong(ctx context.Context, plan []dayFault) (out []weekFault) {
	kinds := d.kinds()
	for _, f := range plan {
		d.weekUntil(ctx, hours(f.at))
		x := weekFault{kind: f.kind, begin: d.clock.now(), must: mustTell(f.kind)}
		d.note("%s for %s", f.kind, hours(f.long).Round(time.Minute))
		end, err := kinds[f.kind].begin()
		if err != nil {
			d.wrong("%s: %v", f.kind, err)
		}
		d.weekUntil(ctx, hours(f.at+f.long))
		if err := end(); err != nil {
			d.wrong("%s: its end: %v", f.kind, err)
		}
		d.note("%s: over", f.kind)
		x.end = d.clock.now()
		out = append(out, x)
	}
	return out
}

// What a week allows, by its clock: a fault is told within tellBy; a cycle that had read everything before it began still gives a heartbeat
// within inFlight; and all is as before within recovery, in which servers start, what was tried in vain is tried again, and a cycle ends.
const (
	tellBy   = 30 * time.Minute
	inFlight = 12 * time.Minute
	recovery = 45 * time.Minute
	beatGap  = 25 * time.Minute // between two heartbeats while all is well
)

// weekPoll is how long a source may take, by the machine's clock: a quarter of an hour of a week in an hour. The least that can be
// configured, a minute, would be hours of that week.
const weekPoll = 5 * time.Second

// judgeWeek holds what was heard of drpd against what went wrong.
func (d *aDay) judgeWeek(h *hearing, faults []weekFault) {
	d.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, what := range d.told {
		d.t.Error(what)
	}
	stamp := func(t time.Time) string { return t.Format("Mon 15:04") }
	told, longest := 0, time.Duration(0)
	for _, f := range faults {
		beats := 0
		for _, b := range h.beats {
			if f.must && b.After(f.begin.Add(inFlight)) && b.Before(f.end) {
				beats++
			}
		}
		if beats > 0 {
			d.t.Errorf("%s from %s to %s: %d heartbeats were given", f.kind, stamp(f.begin), stamp(f.end), beats)
		}
		if !f.must || f.end.Sub(f.begin) < tellBy {
			continue
		}
		i := slices.IndexFunc(h.at, func(at time.Time) bool { return at.After(f.begin) && at.Before(f.end.Add(recovery)) })
		if i < 0 || h.said[i].State != "alarm" || h.at[i].Sub(f.begin) > tellBy {
			d.t.Errorf("%s from %s to %s: nobody is told within %s", f.kind, stamp(f.begin), stamp(f.end), tellBy)
			continue
		}
		told, longest = told+1, max(longest, h.at[i].Sub(f.begin))
	}
	for i, s := range h.said {
		near := slices.ContainsFunc(faults, func(f weekFault) bool { return h.at[i].After(f.begin) && h.at[i].Before(f.end.Add(recovery)) })
		if s.State == "alarm" && !near {
			d.t.Errorf("%s: somebody is told, and nothing is wrong: %s", stamp(h.at[i]), s.Text)
		}
	}
	quiet := d.clock.first.Add(recovery)
	for i := range len(faults) + 1 {
		until := d.clock.first.Add(hours(*weekDays * 24))
		if i < len(faults) {
			until = faults[i].begin
		}
		last := quiet
		for _, b := range append(slices.Clone(h.beats), until) {
			if b.Before(quiet) || b.After(until) {
				continue
			}
			if b.Sub(last) > beatGap {
				d.t.Errorf("no heartbeat from %s to %s, and nothing is wrong", stamp(last), stamp(b))
			}
			last = b
		}
		if i < len(faults) {
			quiet = faults[i].end.Add(recovery)
		}
	}
	d.t.Logf("seed %d: %d faults, of which %d had to be told and were, after %s at most; %d heartbeats; drpd was started %d times, it ended by itself: %v",
		*weekSeed, len(faults), told, longest.Round(time.Second), len(h.beats), d.keeper.lives.Load(), d.keeper.ends)
	d.weekSizes()
	if err := d.ledger.Audit(d.t.Context(), func(audit.Entry) {}); err != nil {
		d.t.Errorf("the audit chain: %v", err)
	}
	effects, err := d.ledger.Effects(d.t.Context(), "")
	if err != nil {
		d.t.Fatal(err)
	}
	lives := make(map[drp.Life]int)
	for _, e := range effects {
		lives[e.Life]++
	}
	d.t.Log("effects: ", fmt.Sprint(lives))
}

// weekSizes compares how much memory drpd had in the first hour of the run with the last.
func (d *aDay) weekSizes() {
	d.t.Helper()
	middle := func(of []daySize) int {
		var all []int
		for _, s := range of {
			all = append(all, s.rss)
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	n := len(d.keeper.size) / 10
	if n == 0 {
		d.t.Error("drpd's memory was not measured")
		return
	}
	first, last := middle(d.keeper.size[:n]), middle(d.keeper.size[len(d.keeper.size)-n:])
	d.t.Logf("memory: %d KB in the first tenth of the time, %d KB in the last", first, last)
	if *weekLong >= 30*time.Minute && *weekDays > 6 && last*10 > first*11 {
		d.t.Errorf("memory has grown from %d KB to %d KB", first, last)
	}
}
