//go:build linux

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"drpd/adapters/ledger"
	"drpd/adapters/mailbox/mailtest"
	"drpd/core/drp"
	"drpd/core/workday"
)

// dayDispute is one dispute of the day: what people do about it, and when, in parts of the day.
type dayDispute struct {
	child  string // or the form, where the record system holds it: both have the same number
	mailed bool   // it is raised by email
	east   bool   // who works with the child
	ends   bool   // it is resolved before the evening
	harm   bool   // somebody writes of imminent harm
}

// dayEvent is what somebody does.
type dayEvent struct {
	at   float64 // in parts of the day
	what string
	do   func(context.Context) error
}

// dayPeople are the people of the council: they work in the record system, and write emails.
type dayPeople struct {
	t       *testing.T
	stage   *playground
	records *sql.DB
	state   *ledger.Ledger // as the addressee knows a dispute's reference from its letters
	clock   dayClock
	box     *mailtest.Dovecot
	all     []*dayDispute
	mu      sync.Mutex
	done    map[string]int // what people have done, by its name
}

// team gives who works with a dispute's child, by the letter of the role.
func (d *dayDispute) team() map[string]string {
	if d.east {
		return map[string]string{"IRO": "w-101", "CP Chair": "w-111", "SW": "w-121", "TM": "w-131"}
	}
	return map[string]string{"IRO": "w-102", "CP Chair": "w-112", "SW": "w-122", "TM": "w-132"}
}

// disputesOf makes the disputes of a day.
func disputesOf(rng *rand.Rand, n int) (out []*dayDispute) {
	for i := range n {
		d := &dayDispute{child: fmt.Sprint(70000 + i), mailed: rng.IntN(2) == 0, east: rng.IntN(2) == 0, ends: rng.IntN(2) == 0}
		d.harm = d.mailed && rng.IntN(4) == 0
		out = append(out, d)
	}
	return out
}

// events draws what happens about a dispute, and when.
func (p *dayPeople) events(rng *rand.Rand, d *dayDispute, from float64) (out []dayEvent) {
	at := from
	next := func(what string, do func(context.Context) error) {
		out = append(out, dayEvent{at, what, do})
		at += (1 - at) * (0.1 + 0.5*rng.Float64())
	}
	today := p.clock.day()
	on := fmt.Sprintf("%02d/%02d/%d", today.Midnight().Day(), today.Midnight().Month(), today.Midnight().Year())
	team, thread := d.team(), "c"+d.child
	if !d.mailed {
		next("raised in the records", func(ctx context.Context) error {
			return p.record(ctx, storyRecord{Form: d.child, Child: d.child,
				Set: map[string]string{"RAISED_ON": today.String(), "RAISED_BY": team["IRO"], "RAISED_BY_NAME": p.stage.Workers[team["IRO"]].Name,
					"HELD_BY": team["TM"], "STATE": "Reassigned"},
				Answers: map[string]string{"DRP_GROUND": "delay", "DRP_THEME": "theme of " + d.child, "DRP_DESIRED": "What the review decided",
					"DRP_STEPS": "As the minutes say", "DRP_DETAILS": "The decision was not carried out", "DRP_ACTION": "Asked twice",
					"DRP_VIEWS": "They differ", "DRP_S1_DISCUSSED": today.String()}})
		})
		next("answered in the records", func(ctx context.Context) error {
			return p.record(ctx, storyRecord{Form: d.child, Set: map[string]string{"HELD_BY": team["IRO"], "STATE": "Finished and saved"},
				Move: &storyMove{By: team["TM"], To: team["IRO"]}, Answers: map[string]string{"DRP_S1_RESPONSE_ON": today.String(),
					"DRP_S1_RESPONSE_BY": team["TM"], "DRP_S1_SAVED_ON": today.String()}})
		})
		if d.ends {
			next("resolved in the records", func(ctx context.Context) error {
				return p.record(ctx, storyRecord{Form: d.child, Answers: map[string]string{"DRP_RESOLVED": "Yes",
					"DRP_RESOLVED_ON": today.String(), "DRP_RESOLVED_BY": team["IRO"]}})
			})
		}
		return out
	}
	write := func(m storyMail) func(context.Context) error {
		return func(ctx context.Context) error { return p.mail(ctx, m) }
	}
	next("form by email", write(storyMail{Thread: thread, From: team["CP Chair"], To: []string{team["TM"]}, Cc: []string{team["SW"]},
		Subject: "Dispute Resolution Form", Form: map[string]map[string]string{"": {"PI number": d.child, "Theme": "theme of " + d.child,
			"Date raised": on, "Concern": "Core groups missed", "Action required": "A core group this week"},
			"Stage 1": {"Date of telephone call": on}}}))
	if d.harm {
		next("words of imminent harm", write(storyMail{Thread: thread, From: team["TM"], Reply: true,
			Text: "We have seen her today. She is at imminent risk of serious harm."}))
	}
	next("answer by email", write(storyMail{Thread: thread, From: team["TM"], To: []string{team["CP Chair"]},
		Subject: "Re: Dispute Resolution Form", Form: map[string]map[string]string{"Stage 1": {"Response": "A core group on Friday",
			"Date of response": on, "Response by": "Team manager"}}}))
	if d.ends {
		next("resolved by email", write(storyMail{Thread: thread, From: team["CP Chair"], Reply: true, Text: "Resolved: yes"}))
	}
	return out
}

// children puts the children of all disputes, and who works with them, into the record system.
func (p *dayPeople) children(ctx context.Context) error {
	for _, d := range p.all {
		if _, err := p.records.ExecContext(ctx, `INSERT INTO CF_PERSONS VALUES ($1, 'AB', 'Looked after East', 'N')`, d.child); err != nil {
			return err
		}
		for title, worker := range d.team() {
			if _, err := p.records.ExecContext(ctx, `INSERT INTO CF_INVOLVEMENTS VALUES ($1, $2, $3, '2025-01-06', NULL)`, d.child, title,
				worker); err != nil {
				return err
			}
		}
	}
	return nil
}

// patiently does something until the servers let it: people try again until a system that is down is there again.
func (p *dayPeople) patiently(ctx context.Context, do func(context.Context) error) error {
	for {
		bound, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := do(bound)
		cancel()
		if err == nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// record does one thing on a form, all or nothing; a second time it changes nothing.
func (p *dayPeople) record(ctx context.Context, r storyRecord) error {
	return p.patiently(ctx, func(ctx context.Context) error {
		tx, err := p.records.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		run := func(query string, args ...any) {
			if err == nil {
				_, err = tx.ExecContext(ctx, query, args...)
			}
		}
		if r.Child != "" {
			run(`INSERT INTO CF_FORMS (FORM_ID, FORM_TYPE, PI_NUMBER, STATE, UPDATED_AT) VALUES ($1, 'DRP', $2, 'Draft', '')`, r.Form, r.Child)
		}
		for _, column := range sortedKeys(r.Set) {
			run(`UPDATE CF_FORMS SET `+column+` = $1 WHERE FORM_ID = $2`, r.Set[column], r.Form)
		}
		for _, q := range sortedKeys(r.Answers) {
			run(`INSERT INTO CF_FORM_ANSWERS VALUES ($1, $2, $3)`, r.Form, q, r.Answers[q])
		}
		if r.Move != nil {
			run(`INSERT INTO CF_REASSIGNMENTS VALUES ($1, $2, $3, $4)`, r.Form, p.clock.day().String(), r.Move.By, r.Move.To)
		}
		run(`UPDATE CF_FORMS SET UPDATED_AT = $1 WHERE FORM_ID = $2`, p.clock.now().Format(time.DateTime), r.Form)
		var said *pgconn.PgError
		if errors.As(err, &said) && said.Code == "23505" { // the try before has gone through, and nobody was told
			return nil
		}
		if err != nil {
			return err
		}
		return tx.Commit()
	})
}

// mail writes a message, which the council's mail server puts into the mailbox. An answer waits for what it answers.
func (p *dayPeople) mail(ctx context.Context, m storyMail) error {
	var disputes []drp.Dispute
	if m.Reply {
		err := p.patiently(ctx, func(ctx context.Context) (err error) {
			if disputes, err = p.state.Disputes(ctx); err == nil && p.stage.ref(m.Thread, disputes) == "" {
				err = errors.New("drpd has not written about it yet")
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	if err := p.stage.mail(m, p.clock.day(), p.clock.now(), disputes); err != nil {
		return err
	}
	name, err := filepath.Glob(filepath.Join(p.stage.dir, "mail", "in", "*.eml"))
	if err != nil || len(name) != 1 {
		return fmt.Errorf("%d messages were written: %w", len(name), err)
	}
	b, err := os.ReadFile(name[0])
	if err != nil {
		return err
	}
	p.box.Post(p.t, string(b))
	return os.Remove(name[0])
}

// live lets things happen at their time, one after the other.
func (p *dayPeople) live(ctx context.Context, events []dayEvent) error {
	slices.SortStableFunc(events, func(a, b dayEvent) int { return int(1e6*a.at) - int(1e6*b.at) })
	for _, e := range events {
		if !p.clock.until(ctx, e.at) {
			return ctx.Err()
		}
		if err := e.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", e.what, err)
		}
		p.mu.Lock()
		p.done[e.what]++
		p.mu.Unlock()
	}
	return nil
}

// dayClock is a clock that is right and runs faster than the machine's: a day of work in some minutes.
type dayClock struct {
	began time.Time // by the machine's clock
	first time.Time // the same moment, by this one
	pace  float64
}

const dayHours = 12 * time.Hour // from eight in the morning

// The people work from eight; drpd runs from seven on.
const dayEarly = time.Hour

func (c dayClock) now() time.Time {
	return c.first.Add(time.Duration(c.pace * float64(time.Since(c.began)))).In(london())
}

func (c dayClock) day() workday.Date { return workday.DateOf(c.first) }

// part says how much of the day has passed.
func (c dayClock) part() float64 {
	return float64(c.now().Sub(c.first)-dayEarly) / float64(dayHours)
}

// lasts is how long a part of the day lasts by the machine's clock.
func (c dayClock) lasts(part float64) time.Duration {
	return time.Duration(part * float64(dayHours) / c.pace)
}

// until waits for a moment of the day; false: it was told to stop.
func (c dayClock) until(ctx context.Context, part float64) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(c.lasts(part - c.part())):
		return true
	}
}

// String gives the clock to another process.
func (c dayClock) String() string {
	return fmt.Sprintf("%d %d %g", c.began.UnixNano(), c.first.UnixNano(), c.pace)
}

func readDayClock(text string) (c dayClock, err error) {
	var began, first int64
	_, err = fmt.Sscan(strings.TrimSpace(text), &began, &first, &c.pace)
	c.began, c.first = time.Unix(0, began), time.Unix(0, first).In(london())
	return c, err
}
