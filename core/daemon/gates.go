package daemon

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/port"
	"drpd/core/workday"
)

// Gates are the settings of the gates.
type Gates struct {
	GoLive      workday.Date // effects of earlier days do not go
	Shadow      bool         // decide, and let nothing out
	Most        Most         // of email; more hold everything
	From, Until int          // the hours of working days in which email leaves; 0 and 24: always
}

// Most is how much email may go before a person looks: what a wrong clock, a wrong mapping or a lost state would send is more.
// Zero is without a limit.
type Most struct {
	Cycle, Day int
	Role       int // to the holders of one role, a day; not of those that every council gives to somebody
	Outside    int // to mail domains other than the mailbox's own, a day
	Dates      int // how many disputes' dates may move in one cycle after somebody was told of them
}

// gatekeeper asks the gates, in order, whether an effect may go.
type gatekeeper struct {
	Gates
	paused, guarded bool
	asked           map[string]string // dispute: why nobody knows whether its record is still its own
	dates           Dates
	mayHaveGone     func(port.Outgoing) bool
	now             time.Time
	cal             *workday.Calendar
}

// over says by what this cycle would send more than it may, or "". gone is what went today before, by role, and sent how much
// of it in this cycle.
func (d *Daemon) over(out []port.Outgoing, gone map[string]int, sent int, released bool) string {
	going := make(map[string]int)
	total := 0
	for _, o := range out {
		if o.Kind != drp.Email || o.Life == drp.Held || o.Urgent || o.Released {
			continue
		}
		roles := slices.DeleteFunc(slices.Concat(o.To, o.Cc), func(role string) bool { return !o.For(role) })
		if !o.Unmade { // only who has not got it yet: the others are among what has gone
			roles = roles[:0]
			for _, e := range o.Deliveries {
				roles = append(roles, e.Role)
			}
		}
		for _, role := range roles {
			going[role]++
		}
		total += len(roles)
	}
	most, before, outside := d.Gates.Most, 0, 0
	for _, role := range slices.Sorted(maps.Keys(gone)) {
		before += gone[role]
	}
	if most.Cycle > 0 && total+sent > most.Cycle {
		return fmt.Sprintf("%d emails were about to go in one cycle; the limit is %d", total+sent, most.Cycle)
	}
	if released || total == 0 {
		return ""
	}
	if most.Day > 0 && total+before > most.Day {
		return fmt.Sprintf("%d emails were about to go in one day; the limit is %d", total+before, most.Day)
	}
	for _, role := range slices.Sorted(maps.Keys(going)) {
		n := going[role] + gone[role]
		if d.outside(role) {
			outside += n
		}
		if most.Role > 0 && n > most.Role && role != operator && role != policy.PracticeLead {
			return fmt.Sprintf("%d emails were about to go to the role %s in one day; the limit is %d", n, role, most.Role)
		}
	}
	if most.Outside > 0 && outside > most.Outside {
		return fmt.Sprintf("%d emails were about to go to other domains in one day; the limit is %d", outside, most.Outside)
	}
	return ""
}

// outside says whether somebody of the roster who holds a role has an address elsewhere.
func (d *Daemon) outside(role string) bool {
	return slices.ContainsFunc(d.Roster, func(h drp.Holder) bool { return h.Role == role && !h.Address.Empty() && !h.Address.At(d.Home) })
}

// guard closes the gate where more would go than may, and tells the operator once. It says whether the gate is closed.
func (d *Daemon) guard(ctx context.Context, out []port.Outgoing, sent int) (closed bool, err error) {
	why, err := d.setting(ctx, port.Guard)
	if err != nil || why != "" {
		return why != "", err
	}
	released, err := d.setting(ctx, port.Released)
	if err != nil {
		return false, err
	}
	y, m, day := d.Now().In(d.Zone).Date()
	gone, err := d.Post.SentSince(ctx, time.Date(y, m, day, 0, 0, 0, 0, d.Zone))
	if err != nil {
		return false, err
	}
	if why = d.over(out, gone, sent, released == d.today().String()); why == "" {
		return false, nil
	}
	d.Log.Error("blast-radius guard: everything is held until a person says drpd hold release", "why", why)
	return true, d.keep(ctx, port.Guard, why, func() error {
		return d.tell(ctx, why+"; everything is held: look at it with drpd hold list, then say drpd hold release", "guard",
			d.today().String()+why, true)
	})
}

func (g *gatekeeper) refuse(e port.Outgoing) (gate, why string) {
	begun := e.Released || len(e.Reached) > 0 // some have it: the rest get it too, and nothing stays half sent
	switch {
	case e.On < g.GoLive:
		return "go-live", fmt.Sprintf("it fell due on %s, before drpd went live on %s", e.On, g.GoLive)
	case g.Shadow:
		return "shadow", "drpd runs in shadow mode"
	case g.paused && !e.Urgent:
		return "paused", "output is paused: drpd resume"
	case g.guarded && e.Kind != drp.MailMark && !e.Urgent && !begun:
		return port.GateGuard, "more was about to go than usual: drpd hold list, then drpd hold release"
	case g.dates.holds(e.Effect) && !e.Urgent && !begun:
		return port.GateGuard, "the dates of many disputes have moved at once: drpd hold list, then drpd hold release"
	case g.asked[e.Dispute] != "" && !e.Urgent && e.Reason != drp.ReasonAttention:
		return gateQuestion, g.asked[e.Dispute]
	case e.Reminds() && g.mayHaveGone(e): // perhaps with others in one message, which cannot be looked for
		return port.GateRestored, "the state is an older one, and nobody knows whether this reminder has gone: drpd hold release lets all of them go"
	case e.Screened != "":
		return "screen", e.Screened
	case e.Kind == drp.Email && !e.Urgent && e.Reason != drp.ReasonReport && !g.window(): // a report is there before the day begins
		return "window", "email leaves in the send window of working days"
	}
	return "", ""
}

func (g *gatekeeper) window() bool {
	if g.From == 0 && g.Until == 24 {
		return true
	}
	working, _, err := g.cal.Working(workday.DateOf(g.now))
	return err == nil && working && g.now.Hour() >= g.From && g.now.Hour() < g.Until
}
