package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

// ordered is a ledger that says in which order things are kept, and that has no room from some time on.
type ordered struct {
	Book
	Settings
	Deliveries
	did    []string
	room   int // how often decisions are kept before there is none; -1: always
	value  string
	errEnd error
}

func (o *ordered) Decide(_ context.Context, batch []port.Decided) error {
	if o.room == 0 {
		return o.errEnd
	}
	o.room--
	for _, x := range batch {
		o.did = append(o.did, x.Ref)
	}
	o.did = append(o.did, fmt.Sprint("kept ", len(batch)))
	return nil
}

func (o *ordered) Setting(_ context.Context, name port.Setting) (string, error) {
	if name == port.DatesMoved {
		return o.value, nil
	}
	return "", nil
}

func (o *ordered) SetSetting(_ context.Context, name port.Setting, value, _ string, _ time.Time) error {
	if name == port.DatesMoved {
		o.value = value
		o.did = append(o.did, "moved")
	}
	return nil
}

func (o *ordered) AddEffects(context.Context, []drp.Effect, time.Time) error { return nil }

// Decisions are kept some at a time. Those of disputes whose dates have moved come last, once it is known that many have: where there is no
// room in between, none of them is kept, and they are counted anew.
func TestKeptSomeAtATime(t *testing.T) {
	const all, moving = 600, 11
	day := workday.NewDate(2026, time.November, 23)
	run := func(room int) (*ordered, error) {
		o := &ordered{room: room, errEnd: errors.New("no room")}
		d := &Daemon{Book: o, Settings: o, Deliveries: o, Log: slog.New(slog.DiscardHandler), Now: time.Now, Zone: time.UTC}
		d.Gates.Most.Dates = moving - 1
		k := &keeping{round: d.begin().round(), dates: Dates{}, moved: make(map[string]workday.Date)}
		for i := range all {
			x, moved := port.Decided{Ref: fmt.Sprintf("C-%06d", i)}, workday.Date(0)
			if i%50 == 0 && i/50 < moving {
				x.Ref, moved = "M"+x.Ref, day
			}
			if err := k.add(t.Context(), x, moved, nil); err != nil {
				return o, err
			}
		}
		return o, k.end(t.Context())
	}
	o, err := run(-1)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.Index(o.did, "moved")
	for i, what := range o.did {
		if strings.HasPrefix(what, "M") != (i > at && strings.Contains(what, "C-")) {
			t.Errorf("%d: %s, and the dates that have moved are told of at %d", i, what, at)
		}
	}
	steps := slices.DeleteFunc(slices.Clone(o.did), func(what string) bool { return strings.Contains(what, "C-") })
	if want := []string{"kept 250", "kept 250", "kept 89", "moved", "kept 11"}; !slices.Equal(steps, want) {
		t.Errorf("%q, want %q", steps, want)
	}
	if m, err := ReadDates(o.value); err != nil || len(m) != moving || strings.Count(o.value, `"held":true`) != moving {
		t.Errorf("%s, %v", o.value, err)
	}
	for room := range 3 {
		if o, err := run(room); !errors.Is(err, o.errEnd) || o.value != "" || slices.ContainsFunc(o.did, func(what string) bool { return what[0] == 'M' }) {
			t.Errorf("no room after %d: %v, %q, %v", room, err, o.value, o.did)
		}
	}
}
