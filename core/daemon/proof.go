package daemon

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/reconcile"
)

// lacking says what a decision cannot prove of an open dispute: that it is somebody's turn, that a day is known on which somebody is told,
// and that each whose turn it is can be reached. Where the policy says that nobody is told meanwhile there is nothing to prove; where a
// gate holds what is to be said, a person has been told of that.
func (d *Daemon) lacking(c reconcile.Case, at reconcile.Standing, children []string) string {
	if !at.Ended.IsZero() || at.Silent != "" {
		return ""
	}
	vacant := func(role string) bool {
		holders := c.Roster.Holding(role, children, c.Today)
		return len(holders) == 0 || slices.ContainsFunc(holders, func(h drp.Holder) bool { return h.Address.Empty() })
	}
	switch {
	case len(at.Turn) == 0:
		return port.LackTurn
	case at.TellOn < c.Today && !slices.ContainsFunc(c.Past, held):
		return port.LackDay
	case at.Referred.IsZero() && slices.ContainsFunc(at.Turn, vacant): // with CAFCASS nobody of the roster is asked
		return port.LackReach
	}
	return ""
}

// held says whether a gate holds an effect.
func held(p drp.Past) bool { return p.HeldBy != "" && (p.Life == drp.Held || p.Life == drp.Attempted) }

// prove says what cannot be proved once all work of a cycle is done: that each source was read in it, that each open
// dispute is decided as it stands today and lacks nothing, and that what is to go has gone or is held by a named gate.
func (d *cycle) prove(ctx context.Context) ([]port.Lack, error) {
	lacks, err := d.unreadSources(ctx)
	if err != nil {
		return nil, err
	}
	unproved, err := d.Book.Unproved(ctx, d.today(), d.decidedBy, d.began)
	if err != nil {
		return nil, err
	}
	for _, x := range unproved {
		lacks = append(lacks, port.Lack{What: "dispute/" + x.What, Count: x.Count, Says: disputeLacks(x)})
	}
	stuck, err := d.Deliveries.Stuck(ctx, d.Now())
	if err != nil {
		return nil, err
	}
	for _, x := range stuck {
		says := fmt.Sprintf("not gone, though due, and held by no gate: %s: drpd outbox list --waiting", things(x, x.What))
		if kind, failed := strings.CutPrefix(x.What, "failed/"); failed {
			says = fmt.Sprintf("failed for good: %s: drpd outbox list --waiting", things(x, kind))
		}
		lacks = append(lacks, port.Lack{What: "outbox/" + x.What, Count: x.Count, Says: says})
	}
	return lacks, nil
}

// unreadSources gives the sources that were not read in a cycle, or not to the end.
func (d *cycle) unreadSources(ctx context.Context) (lacks []port.Lack, err error) {
	health, err := d.Intake.Sources(ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range d.Feeds {
		if f.Source == nil {
			continue
		}
		read := slices.ContainsFunc(health, func(h port.Health) bool {
			return h.Name == f.Name && h.ReadAt >= d.began.UnixMilli() && h.FailedSince == 0
		})
		switch {
		case !read || d.hung[f.Name]:
			lacks = append(lacks, port.Lack{What: "source/" + f.Name, Count: 1,
				Says: "the source " + f.Name + " cannot be read: drpd status"})
		case d.stuck[f.Name] != nil:
			lacks = append(lacks, port.Lack{What: "source/" + f.Name, Count: 1,
				Says: "what came from the source " + f.Name + " cannot be opened: drpd status"})
		}
	}
	return lacks, nil
}

// disputeLacks says what is lacking of disputes.
func disputeLacks(x port.Tally) string {
	what := map[string]string{
		port.LackUndecided: "not decided as things stand today: drpd status",
		port.LackTurn:      "nobody's turn: drpd explain " + x.One,
		port.LackDay:       "without a day on which somebody is told: drpd explain " + x.One,
		port.LackReach:     "the turn of somebody who cannot be reached: drpd check",
	}[x.What]
	if x.Count == 1 {
		return "1 open dispute is " + what
	}
	return fmt.Sprintf("%d open disputes are %s", x.Count, what)
}

// things says how many effects of a kind there are.
func things(x port.Tally, kind string) string {
	one := map[string]string{string(drp.Email): "email", string(drp.CaseNote): "case note", string(drp.FormCopy): "copy of a form",
		string(drp.MailMark): "message that is to be put away"}[kind]
	more := map[string]string{string(drp.Email): "emails", string(drp.CaseNote): "case notes", string(drp.FormCopy): "copies of forms",
		string(drp.MailMark): "messages that are to be put away"}[kind]
	if x.Count == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", x.Count, more)
}
