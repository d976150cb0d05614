package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// Dispute is one dispute as a report looks at it: all that Decide looked at, and what it said.
type Dispute struct {
	reconcile.Case
	reconcile.Result
	Children []drp.Child
}

// Source is a source of evidence and how it is.
type Source struct {
	Name        string
	Read        time.Time // when it was last read; zero: never
	FailedSince time.Time // zero: it can be read
}

// Reader is for whom a report is.
type Reader struct {
	Title    string   // their role, in words
	Policies []string // empty: all
	Teams    []string // empty: all
	Cleared  bool     // may see restricted records
}

// Input is what a report of many disputes looks at. Times are in the authority's zone.
type Input struct {
	Authority   string
	At          time.Time
	Today       workday.Date
	Since       workday.Date // the day of the report before; zero: there was none
	Disputes    []Dispute
	Before      []Dispute // as they stood when the report before was made
	Damaged     []string  // disputes that cannot be read, by their references: they stand in no list
	Sources     []Source
	Policies    policy.Set
	Calendar    *workday.Calendar
	Inputs      string // digest of configuration, roster, mapping and calendar
	Mapping     string
	Quarantined int
	Waiting     int // pieces of evidence that are tied to no dispute
	Ending      []Ending
	Reader      Reader
}

// Ending is something without which drpd cannot go on, and its last day.
type Ending struct {
	What string
	On   workday.Date
}

// endsSoon is how many days before its end a report says so at its head.
const endsSoon = 60

// ending says what drpd itself will soon lack, or lacks already.
func (in *Input) ending() (out []string) {
	for _, e := range in.Ending {
		switch left := int(e.On - in.Today); {
		case left < 0:
			out = append(out, fmt.Sprintf("For the operator: %s has ended on %s; nothing is read there until there is a new one.", e.What,
				e.On.Long()))
		case left <= endsSoon:
			out = append(out, fmt.Sprintf("For the operator: %s ends on %s; without a new one nothing is read there afterwards.", e.What,
				e.On.Long()))
		}
	}
	return out
}

const staleAfter = 24 * time.Hour // after so long without a poll, what a source holds counts as unknown

// unknown says since when what a source holds is not known, or "".
func (in *Input) unknown() string {
	var out []string
	for _, s := range in.Sources {
		since := s.FailedSince
		if since.IsZero() && in.At.Sub(s.Read) > staleAfter {
			since = s.Read
		}
		switch {
		case !since.IsZero():
			out = append(out, s.Name+" has not been read since "+clock(since))
		case s.Read.IsZero():
			out = append(out, s.Name+" has never been read")
		}
	}
	if len(in.Damaged) > 0 {
		out = append(out, "drpd cannot read what it has stored of "+strings.Join(in.Damaged, " and "))
	}
	if len(out) == 0 {
		return ""
	}
	return "Unknown: " + strings.Join(out, ", and ") + ". What happened there since is not in this report; no figure below may be read as " +
		"\"nothing\"."
}

func clock(t time.Time) string { return t.Format("2 January 2006, 15:04") }

// seen gives what the reader may see, and how many were left out because they are restricted, or are not theirs.
func (in *Input) seen(all []Dispute) (out []Dispute, restricted, others int) {
	for _, d := range all {
		switch {
		case !in.Reader.theirs(&d):
			others++
		case !in.Reader.Cleared && d.restricted():
			restricted++
		default:
			out = append(out, d)
		}
	}
	return out, restricted, others
}

func (d *Dispute) restricted() bool {
	return slices.ContainsFunc(d.Children, func(c drp.Child) bool { return c.Restricted })
}

func (d *Dispute) team() string {
	for _, c := range d.Children {
		if c.Team != "" {
			return c.Team
		}
	}
	return noTeam
}

func (d *Dispute) open() bool { return d.Standing.Ended.IsZero() }

// overdue says whether a limit has passed without what it asks for: of the step, of the whole, or of both.
func (d *Dispute) overdue() bool { return len(d.Standing.Passed) > 0 }

// child names the children by record number and initials; a theme is about none.
func (d *Dispute) child() string {
	var out []string
	for _, c := range d.Children {
		out = append(out, strings.TrimSpace(c.Ref+" "+c.Initials.Reveal()))
	}
	if len(out) == 0 {
		return "no child"
	}
	return strings.Join(out, ", ")
}

func (d *Dispute) theme() string { return cmp.Or(d.File.Subject.Theme, d.File.Subject.Ground) }

// turn says who holds the dispute: role and names.
func (d *Dispute) turn() (role, names string) {
	var n []string
	for _, r := range d.Standing.Turn {
		held := d.Roster.Holding(r, d.File.Subject.Children, d.Today)
		for _, h := range held {
			n = append(n, cmp.Or(h.Name.Reveal(), h.Person))
		}
		if len(held) == 0 && !d.withCafcass() {
			n = append(n, "nobody holds the role")
		}
	}
	return d.Policy.RoleTitles(d.Standing.Turn), strings.Join(n, ", ")
}

// breach says whether being late is a breach of the procedure.
func breach(r reconcile.Running) bool { return r.Clock.Force == policy.Maximum }

// since counts the working days from the day on which it was raised to its end, or to today; ok is false where the
// calendar does not reach so far.
func (d *Dispute) since() (n int, ok bool) {
	until := d.Today
	if !d.open() {
		until = d.Standing.Ended
	}
	n, err := d.Calendar.Between(d.Standing.Raised, until)
	return n, err == nil
}

// lasted is since as a value, blank where it is not known.
func (d *Dispute) lasted() Value {
	n, ok := d.since()
	if !ok {
		return Value{}
	}
	return Number(n)
}

// long says how long it has lasted.
func (d *Dispute) long() string {
	n, ok := d.since()
	if !ok {
		return "a time that the calendar does not hold"
	}
	return plural(n, "working day", "working days")
}

// left is what is left of the limit of the whole, in working days, while it runs.
func (d *Dispute) left() Value {
	r := d.Standing.Whole
	if !r.Dated() || r.Passed || !r.Met.IsZero() {
		return Value{}
	}
	n, err := d.Calendar.Between(d.Today, r.Proof.Due)
	if err != nil {
		return Value{}
	}
	return Number(n)
}

// dueOn is the last day of a limit, or why there is none.
func dueOn(l reconcile.Limit) Value {
	if l.Dated() {
		return Day(l.Proof.Due)
	}
	return Text(cmp.Or(l.NoDate(), "no limit"))
}

// overdueBy is by how many working days a limit is overdue, and what that means; blank where it is not.
func overdueBy(l reconcile.Limit) (days, kind Value) {
	if !l.Passed {
		return Value{}, Value{}
	}
	days, kind = Number(l.Overdue()), Text(string(l.Clock.Late()))
	days.Strong, kind.Strong = breach(l.Running), breach(l.Running)
	return days, kind
}

// last is the last thing that somebody did, and where it was seen.
func (d *Dispute) last() (what, where string) {
	for _, s := range slices.Backward(d.File.Statements()) {
		if s.Source == "drpd" || s.On > d.Today {
			continue
		}
		return s.Phrase() + " " + s.On.String(), s.Source
	}
	return "", ""
}

// reminders counts what the people of the present stage were asked or reminded of.
func (d *Dispute) reminders() int {
	n, visit := 0, ""
	if v := d.Standing.Visits; len(v) > 0 {
		visit = v[len(v)-1].ID
	}
	for _, p := range d.Past {
		if p.Visit == visit && p.Sent() &&
			slices.Contains([]drp.Reason{drp.ReasonLastDay, drp.ReasonAsk, drp.ReasonFollowUp, drp.ReasonReferral, drp.ReasonReferred}, p.Reason) {
			n++
		}
	}
	return n
}

// timeOuts says when the clocks stood still, who allowed it, and until when.
func (d *Dispute) timeOuts() string {
	var out []string
	for _, f := range d.File.Facts {
		if f.Kind != drp.TimeOutStarted {
			continue
		}
		s := "from " + f.On.String()
		if !f.Until.IsZero() {
			s += " until " + f.Until.String()
		}
		if len(f.ByRoles) > 0 {
			s += ", allowed by " + d.Policy.RoleTitle(f.ByRoles[0])
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

// cafcass says how far a referral has come.
func (d *Dispute) cafcass() string {
	out := "no"
	if d.Policy.Referral == nil {
		out = "not in this procedure"
	}
	if i := slices.IndexFunc(d.Past, func(p drp.Past) bool { return p.Reason == drp.ReasonReferral && p.Sent() }); i >= 0 {
		out = "asked " + d.Past[i].On.String()
	}
	for _, f := range d.File.Facts {
		switch {
		case f.Kind == drp.ReferralAgreed:
			out = "agreed " + f.On.String()
		case d.Policy.Refers(f):
			out = strings.TrimPrefix(string(f.Kind), "referral-") + " " + f.On.String()
		}
	}
	if sent, ok := d.Referred(); ok {
		out = "referred " + sent.Format(time.DateOnly)
	}
	if d.withCafcass() {
		out = "with CAFCASS since " + d.Standing.Referred.String()
	}
	return out
}

// withCafcass says whether the case is with CAFCASS: nobody is chased, and no limit is running.
func (d *Dispute) withCafcass() bool { return !d.Standing.Referred.IsZero() }

// Referred says when the case was sent to CAFCASS, for the last time where more than once.
func (d *Dispute) Referred() (on time.Time, ok bool) {
	for _, p := range d.Past {
		if p.Reason == drp.ReasonPack && p.Life == drp.Accepted && p.At.After(on) {
			on, ok = p.At, true
		}
	}
	return on, ok
}

// Confirmed says whether the owner has confirmed a referral.
func (d *Dispute) Confirmed() bool {
	return slices.ContainsFunc(d.File.Facts, func(f drp.Fact) bool { return f.Kind == drp.ReferralConfirmed && d.Policy.Refers(f) })
}

// notReached lists the roles that the alerts of the present stage were to reach and did not, also no later one.
func (d *Dispute) notReached() []string {
	c := reconcile.Case{Roster: d.Roster, File: d.File}
	alerts := slices.DeleteFunc(slices.Clone(d.Past), func(p drp.Past) bool {
		return p.Kind != drp.Email || p.Reason != drp.ReasonAlert || p.Life == drp.Cancelled || p.Stage != d.Standing.Stage || p.Open
	})
	var out []string
	for _, p := range alerts {
		roles := slices.Concat(p.To, p.Cc)
		if p.Life != drp.Failed {
			roles = c.Missed(p)
		}
		for _, r := range roles {
			later := slices.ContainsFunc(alerts, func(o drp.Past) bool { return len(o.Only) > 0 && slices.Contains(o.Reached, r) })
			if (p.Life == drp.Failed || len(p.Reached) > 0) && !later {
				out = append(out, d.Policy.RoleTitle(r))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// flags are what a manager should know of a dispute besides its dates.
func (d *Dispute) flags() string {
	var out []string
	if n := len(d.Conflicts); n > 0 {
		out = append(out, fmt.Sprintf("%d for a person to settle", n))
	}
	if roles := d.notReached(); len(roles) > 0 {
		out = append(out, "not reached: "+strings.Join(roles, ", "))
	}
	for _, e := range d.Past {
		if e.HeldBy != "" && e.HeldBy != "window" {
			out = append(out, "held by "+e.HeldBy+": "+string(e.Reason))
		}
	}
	if n := len(d.Standing.Passed); n > 1 {
		out = append(out, fmt.Sprintf("%d limits passed", n))
	}
	if r := d.File.Record; r.Gone {
		out = append(out, "the record "+cmp.Or(r.Why, "has vanished"))
	}
	if d.restricted() {
		out = append(out, "restricted record")
	}
	return strings.Join(out, "; ")
}

// order sorts disputes: by how much the step is overdue, then the whole, then by the day on which the step is due, then by reference.
func order(all []Dispute) []Dispute {
	out := slices.Clone(all)
	slices.SortStableFunc(out, func(a, b Dispute) int {
		x, y := a.Standing, b.Standing
		return cmp.Or(y.Step.Overdue()-x.Step.Overdue(), y.Whole.Overdue()-x.Whole.Overdue(), boolean(y.Step.Dated())-boolean(x.Step.Dated()),
			int(x.Step.Proof.Due-y.Step.Proof.Due), strings.Compare(a.Ref, b.Ref))
	})
	return out
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}
