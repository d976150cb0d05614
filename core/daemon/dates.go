package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/port"
	"drpd/core/workday"
)

// A data fix, or a mapping that reads another column, moves the dates of many disputes at once. That is one question to a person, as
// where more would go than usual: until they have said drpd hold release, or the dates are as they were, no alert, correction or
// question goes about the limits of these disputes. All else goes.

// Dates are the disputes whose date has moved since somebody was told of it.
type Dates map[string]MovedDate

// MovedDate is the day from which the limit of a dispute is counted now.
type MovedDate struct {
	From workday.Date `json:"from"`
	Held bool         `json:"held"` // it moved together with many others, and a person has not let it go
}

// ReadDates reads what port.DatesMoved holds.
func ReadDates(value string) (Dates, error) {
	out := make(Dates)
	if value == "" {
		return out, nil
	}
	if err := json.Unmarshal([]byte(value), &out); err != nil {
		return nil, fmt.Errorf("the setting %s: %w", port.DatesMoved, err)
	}
	return out, nil
}

// Value is what port.DatesMoved is to hold.
func (m Dates) Value() string {
	if len(m) == 0 {
		return ""
	}
	out, err := json.Marshal(m)
	if err != nil { // dates and booleans can be written
		panic(err)
	}
	return string(out)
}

// Why says what is held since many dates have moved, "" where nothing is.
func (m Dates) Why() string {
	n := 0
	for _, ref := range slices.Sorted(maps.Keys(m)) {
		if m[ref].Held {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("the dates of %d disputes have moved at once since people were told of them", n)
}

// Release lets all of it go.
func (m Dates) Release() {
	for _, ref := range slices.Sorted(maps.Keys(m)) {
		m[ref] = MovedDate{From: m[ref].From}
	}
}

// holds says whether an effect must wait: it rests on a date that has moved.
func (m Dates) holds(e drp.Effect) bool {
	return m[e.Dispute].Held && slices.Contains([]drp.Reason{drp.ReasonAlert, drp.ReasonCorrection, drp.ReasonLastDay,
		drp.ReasonAsk}, e.Reason)
}

// put takes in which dates have moved, by what was decided now, and says how many did so together that had not before; they are held
// where these are more than may.
func (m Dates) put(decided map[string]workday.Date, most int) (together int) {
	var fresh []string
	for _, ref := range slices.Sorted(maps.Keys(decided)) {
		from := decided[ref]
		switch was, known := m[ref]; {
		case from.IsZero():
			delete(m, ref)
		case !known || was.From != from:
			m[ref] = MovedDate{From: from, Held: was.Held}
			fresh = append(fresh, ref)
		}
	}
	if most <= 0 || len(fresh) <= most {
		return 0
	}
	for _, ref := range fresh {
		m[ref] = MovedDate{From: m[ref].From, Held: true}
	}
	return len(fresh)
}

func (d *Daemon) dates(ctx context.Context) (Dates, error) {
	value, err := d.setting(ctx, port.DatesMoved)
	if err != nil {
		return nil, err
	}
	return ReadDates(value)
}

// datesMoved keeps which dates have moved, and asks the operator and the practice lead where many have at once.
func (d *Daemon) datesMoved(ctx context.Context, decided map[string]workday.Date) error {
	m, err := d.dates(ctx)
	if err != nil {
		return err
	}
	was := m.Value()
	together := m.put(decided, d.Gates.Most.Dates)
	now := m.Value()
	if now == was {
		return nil
	}
	return d.keep(ctx, port.DatesMoved, now, func() error {
		if together == 0 {
			return nil
		}
		return d.askOfDates(ctx, m.Why(), together)
	})
}

func (d *Daemon) askOfDates(ctx context.Context, why string, together int) error {
	d.Log.Error("many dates have moved at once: what rests on them is held until a person says drpd hold release", "disputes", together)
	for _, role := range []string{operator, policy.PracticeLead} {
		says := why + "; no alert, correction or question about their limits goes meanwhile: if it is a mistake, put the dates right where " +
			"they came from; else look at it with drpd hold list, then say drpd hold release"
		if err := d.tellTo(ctx, role, says, "guard", d.today().String()+why, true); err != nil {
			return err
		}
	}
	return nil
}
