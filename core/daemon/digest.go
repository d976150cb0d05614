package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"drpd/core/drp"
	"drpd/core/letter"
	"drpd/core/port"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// gateDaily holds a reminder for somebody who has had one today.
const gateDaily = "daily"

// digests puts the reminders that are to go to one person now into one message, and gives the rest. One for somebody who has
// had a reminder today waits until tomorrow, unless today is its date or it asks what is to be decided at once. Whoever gets a
// single one gets it by itself, in the conversation about its dispute.
func (d *round) digests(ctx context.Context, out []port.Outgoing, g *gatekeeper, taken map[string]bool) (batch []attempt,
	rest []port.Outgoing, err error) {
	y, m, day := d.Now().In(d.Zone).Date()
	had, err := d.Post.Reminded(ctx, time.Date(y, m, day, 0, 0, 0, 0, d.Zone))
	if err != nil {
		return nil, nil, err
	}
	if d.memory.waits == nil {
		d.memory.waits = make(map[string]workday.Date)
	}
	maps.DeleteFunc(d.memory.waits, func(_ string, on workday.Date) bool { return on != d.today() })
	var found []reminding
	for _, o := range out {
		if gate, _ := g.refuse(o); gate != "" || !o.Reminds() {
			rest = append(rest, o)
			continue
		}
		if d.memory.waits[o.Key] == d.today() { // it was looked at: nobody is asked anew before tomorrow
			d.once(&d.stats.Held, "held", o.Key)
			continue
		}
		some, known, err := d.reminding(ctx, o)
		var damaged port.Damaged
		if errors.As(err, &damaged) {
			known, err = false, nil
		}
		switch {
		case err != nil:
			return nil, nil, err
		case !known: // what keeps it is found where it is made
			rest = append(rest, o)
		case len(o.Reached) == 0 && o.Due != d.today() && !o.AtOnce && slices.Contains(drp.Reminders(), o.Reason) &&
			slices.ContainsFunc(some, func(x reminding) bool { return x.to.IsTo && had[x.to.Person] }):
			d.once(&d.stats.Held, "held", o.Key)
			d.memory.waits[o.Key] = d.today()
			if err := d.hold(ctx, o, gateDaily, "one reminder a day: it goes with those of tomorrow"); err != nil {
				return nil, nil, err
			}
		default:
			found = append(found, some...)
			rest = append(rest, o)
		}
	}
	slices.SortStableFunc(found, func(a, b reminding) int { return cmp.Compare(a.to.Person, b.to.Person) })
	inside, under, later := make(map[string]bool), make(map[string]bool), make(map[string]bool)
	var members []port.Envelope
	for some := range chunkBy(found, func(a, b reminding) bool {
		return a.to.Person == b.to.Person && a.to.Address.Same(b.to.Address)
	}) {
		if len(some) < 2 {
			continue
		}
		if slices.ContainsFunc(some, func(x reminding) bool { return x.Dispute != "" && under[x.Dispute] }) {
			for _, x := range some { // what another digest says of a dispute is known first: they never race each other
				later[x.to.Key] = true
			}
			continue
		}
		a, err := d.digest(ctx, some)
		var held port.Held
		if errors.As(err, &held) {
			continue // each by itself says what keeps it
		}
		if err != nil {
			return nil, nil, err
		}
		batch = append(batch, a)
		for _, x := range some {
			inside[x.to.Key] = true
			if x.Dispute != "" {
				taken[x.Dispute], under[x.Dispute] = true, true
			}
		}
	}
	for _, x := range found {
		if inside[x.to.Key] && x.Unmade {
			members = append(members, x.to)
		}
	}
	if len(members) > 0 {
		if err := d.Deliveries.Make(ctx, members, d.Now()); err != nil {
			return nil, nil, err
		}
	}
	return batch, slices.DeleteFunc(rest, func(o port.Outgoing) bool { return inside[o.Key] || later[o.Key] }), nil
}

// chunkBy gives the runs of neighbours that are alike.
func chunkBy[T any](in []T, alike func(a, b T) bool) func(yield func([]T) bool) {
	return func(yield func([]T) bool) {
		for i := 0; i < len(in); {
			j := i + 1
			for j < len(in) && alike(in[i], in[j]) {
				j++
			}
			if !yield(in[i:j]) {
				return
			}
			i = j
		}
	}
}

// reminding is a reminder to one person that is still to be attempted.
type reminding struct {
	port.Outgoing
	of     reconcile.Case
	to     port.Envelope
	person port.Person
}

// reminding gives those who are still to get a reminder; known is false where that cannot be said yet.
func (d *round) reminding(ctx context.Context, o port.Outgoing) (out []reminding, known bool, err error) {
	c, stored, err := d.caseOf(ctx, o)
	if err != nil || c.Policy == nil {
		return nil, false, err
	}
	x, why := d.recipients(o, c, stored)
	if why != "" {
		return nil, false, nil
	}
	for i, p := range slices.Concat(x.to, x.cc) {
		e := d.envelope(o, x, p, i < len(x.to))
		if !o.Unmade {
			at := slices.IndexFunc(o.Deliveries, func(e port.Envelope) bool { return e.Person == p.ID })
			if at < 0 || o.Deliveries[at].AlreadyTrying {
				continue
			}
			e = o.Deliveries[at]
		}
		out = append(out, reminding{o, c, e, p})
	}
	return out, true, nil
}

// digest makes one message of several reminders to one person.
func (d *Daemon) digest(ctx context.Context, some []reminding) (attempt, error) {
	first := some[0]
	words := []string{first.to.Person, fmt.Sprint(d.Now().UnixMilli())}
	env := port.Envelope{Reason: drp.ReasonDigest, Person: first.to.Person, Role: first.to.Role, Address: first.to.Address,
		To: []port.Person{first.person}, At: d.Now(), IsTo: true}
	var parts []letter.Reminder
	for _, x := range some {
		part, err := d.reminder(ctx, x.Outgoing, x.of)
		if err != nil {
			return attempt{}, err
		}
		part.Copy = !x.to.IsTo
		words, parts = append(words, x.to.Key), append(parts, part)
		env.Carries = append(env.Carries, x.to)
	}
	e := drp.Effect{Kind: drp.Email, Reason: drp.ReasonDigest, To: []string{first.to.Role}, On: d.today(), Rule: "one reminder a day",
		Says: fmt.Sprintf("%d reminders", len(some))}.Keyed(words...)
	env.Key, env.Digest = e.Key, &e
	l, err := d.Writer.Digest(parts)
	if err != nil {
		return attempt{}, err
	}
	made, err := d.Mail.Make(env, l)
	env.Message, env.Route = made.Message, made.Route
	return attempt{Outgoing: port.Outgoing{Past: drp.Past{Effect: e}}, to: env}, err
}

// carried says what became of what a digest carries. What was not accepted goes into a new digest.
func (d *round) carried(a attempt, s port.Settled, err error) ([]port.Settled, error) {
	if len(a.to.Carries) == 0 {
		return []port.Settled{s}, nil
	}
	if s.Life == drp.Made {
		s.Life, s.Gate, s.Again, s.Why = drp.Failed, "", time.Time{}, s.Why+"; what it carries goes into a new digest"
	}
	s.Absent = nil
	out := []port.Settled{s}
	for i, m := range a.to.Carries {
		x, err := d.settled(attempt{Outgoing: port.Outgoing{Past: drp.Past{Effect: drp.Effect{Key: m.Key, Dispute: m.Dispute, Kind: drp.Email,
			Reason: m.Reason, Stage: m.Stage}}}, to: m}, err)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			x.Absent = nil
		}
		out = append(out, x)
	}
	return out, nil
}
