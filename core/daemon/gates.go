package daemon

import (
	"fmt"
	"time"

	"drpd/core/drp"
	"drpd/core/workday"
)

// Gates are the settings of the gates.
type Gates struct {
	GoLive      workday.Date // effects of earlier days do not go
	Shadow      bool         // decide, and let nothing out
	MaxEmails   int          // in one cycle; more hold everything
	From, Until int          // the hours of working days in which email leaves; 0 and 24: always
}

// The names of settings in the ledger.
const (
	settingPaused = "paused"
	settingGuard  = "guard"
	settingDay    = "last day"

	SettingRemark = "remark/" // and the source: what is to be looked at there
)

// gatekeeper asks the gates, in order, whether an effect may go.
type gatekeeper struct {
	Gates
	paused, guarded bool
	emails          int
	now             time.Time
	cal             *workday.Calendar
}

// over says whether this cycle would send more than it may.
func (g *gatekeeper) over(out []Outgoing, sent int) bool {
	for _, o := range out {
		if o.Kind == drp.Email && o.Life != drp.Held {
			g.emails++
		}
	}
	return !g.guarded && g.MaxEmails > 0 && g.emails+sent > g.MaxEmails
}

func (g *gatekeeper) refuse(e drp.Effect) (gate, why string) {
	switch {
	case e.On < g.GoLive:
		return "go-live", fmt.Sprintf("it fell due on %s, before drpd went live on %s", e.On, g.GoLive)
	case g.Shadow:
		return "shadow", "drpd runs in shadow mode"
	case g.paused && !e.Urgent:
		return "paused", "output is paused: drpd resume"
	case g.guarded && e.Kind == drp.Email && !e.Urgent:
		return "guard", "too many emails in one cycle: look at them with drpd outbox, then drpd resume"
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
