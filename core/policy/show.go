package policy

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"drpd/core/drp"
)

// Show lays a policy out in plain English, as Markdown: who does what by when, and every reading that was chosen where
// the source leaves something open, marked where it matters and listed at the end.
func (p *Policy) Show() string {
	s := &shower{p: p}
	s.line("# %s", p.Title)
	s.line("")
	s.line("Policy `%s`, version %d, for disputes raised from %s on. Source: %s.", p.ID, p.Version, p.Effective.Long(), p.Source)
	s.line("")
	s.line("Owned by the %s. Raised by: %s.", p.RoleTitles(p.Owner), s.titles(p.Raisers))
	if a := p.About; a != nil {
		s.line("%s (%s).", map[string]string{AboutTheme: "It is about a theme, and no child",
			AboutEither: "It may be about a child, or about a theme and no child"}[a.Of], s.cite(a.Cite))
	}
	for _, f := range p.Fallbacks {
		s.line("Where nobody is %s, the %s stands in (%s).", p.RoleTitle(f.Role), p.RoleTitle(f.By), s.cite(f.Cite))
	}
	s.starts()
	s.table()
	for i := range p.Stages {
		s.stage(&p.Stages[i])
	}
	s.rules()
	s.readings()
	return s.out.String()
}

type shower struct {
	p     *Policy
	out   strings.Builder
	notes []string // the readings, numbered as they come
	bare  bool     // clauses without their readings: for a drawing
}

func (s *shower) line(format string, args ...any) { fmt.Fprintf(&s.out, format+"\n", args...) }

// titles lists roles; the list's separator is none that stands in a title.
func (s *shower) titles(roles []string) string { return strings.Join(s.p.Titles(roles), "; ") }

// cite gives a rule's clause, with the number of its reading where one was chosen.
func (s *shower) cite(c Cite) string {
	if c.Reading == "" || s.bare {
		return c.Clause
	}
	i := slices.Index(s.notes, c.Clause+": "+c.Reading)
	if i < 0 {
		s.notes = append(s.notes, c.Clause+": "+c.Reading)
		i = len(s.notes) - 1
	}
	return fmt.Sprintf("%s, reading %d", c.Clause, i+1)
}

func (s *shower) starts() {
	p := s.p
	if t := p.Trigger; t != nil {
		s.line("It is also raised by an event: %s (%s).", Spaced(string(t.Fact)), s.cite(t.Cite))
	}
	for _, x := range p.Start {
		s.line("It starts at %s where %s (%s).", p.Stage(x.At).Title, s.holds(&x.If), s.cite(x.Cite))
	}
	if r := p.Recurrence; r != nil {
		s.line("Where a similar concern stayed unresolved before, it starts at %s (%s).", p.Stage(r.Start).Title, s.cite(r.Cite))
	}
	if a := p.Age; a != nil {
		s.line("Only for somebody under %d on the day on which it is raised (%s).", a.Under, s.cite(a.Cite))
	}
	if g := p.Scope; g != nil {
		other := ""
		if g.Other != "" {
			other = ", or another that is written out"
		}
		s.line("Grounds: %s%s (%s).", strings.Join(g.Grounds, ", "), other, s.cite(g.Cite))
	}
	for _, r := range p.Requires {
		s.line("It must state %s (%s).", r.Says, s.cite(r.Cite))
	}
}

// holds puts a condition in words.
func (s *shower) holds(i *If) string {
	var out []string
	switch {
	case i.Field != "" && len(i.Is) > 0:
		out = append(out, fmt.Sprintf("%q is %s", Spaced(i.Field), strings.Join(i.Is, " or ")))
	case i.Field != "":
		out = append(out, fmt.Sprintf("%q is given", Spaced(i.Field)))
	}
	if len(i.Ground) > 0 {
		out = append(out, "it is about "+strings.Join(i.Ground, " or "))
	}
	if len(i.RaisedBy) > 0 {
		out = append(out, "it was raised by the "+strings.Join(s.p.Titles(i.RaisedBy), " or the "))
	}
	if i.Fact != "" {
		out = append(out, Spaced(string(i.Fact))+" has happened")
	}
	text := strings.Join(out, " and ")
	if i.Not {
		return "it is not so that " + text
	}
	return text
}

// table gives the ladder at a glance.
func (s *shower) table() {
	s.line("")
	s.line("| stage | whose turn | what they are asked | by when | then |")
	s.line("| --- | --- | --- | --- | --- |")
	for i := range s.p.Stages {
		st := &s.p.Stages[i]
		asks := st.Asks()
		if asks == "" {
			asks = "-"
		}
		s.line("| %s | %s | %s | %s | %s |", st.Title, s.titles(st.Holder), asks, s.limit(st), s.then(st))
	}
}

// LimitOf says in words by when a stage is to end, "" where the procedure states no limit.
func (p *Policy) LimitOf(st *Stage) string {
	if k := st.Clock(st.Limit); k == nil || k.Amount.None {
		return ""
	}
	return (&shower{p: p, bare: true}).limit(st)
}

func (s *shower) limit(st *Stage) string {
	k := st.Clock(st.Limit)
	if k == nil {
		return "no limit"
	}
	return s.clock(k)
}

func (s *shower) clock(k *Clock) string {
	text := k.Amount.String() + " " + from(k)
	switch {
	case k.Field != "" && k.Amount.Text == ThatDay:
		text = "the date on the form: " + Spaced(k.Field)
	case k.Amount.None:
		text = "none stated"
	case k.Amount.Set:
		text = "set for the case"
	}
	if k.Chase.counted() {
		text += ", asked about after " + k.Chase.String()
	}
	for _, a := range k.Amounts {
		text += fmt.Sprintf("; %s where %s", a.Amount, s.holds(&a.If))
	}
	if k.NotAfter != "" {
		text += "; never later than " + Spaced(k.NotAfter)
	}
	if k.Force != Maximum && !k.Amount.None {
		text += ", " + string(k.Force)
	}
	return text + " (" + s.cite(k.Cite) + ")"
}

func from(k *Clock) string {
	switch {
	case k.Field != "" && k.Amount.Before:
		return "the date on the form: " + Spaced(k.Field)
	case k.Field != "":
		return "of the date on the form: " + Spaced(k.Field)
	}
	switch k.From {
	case "raised":
		return "of being raised"
	case "entered":
		return "of entering the stage"
	case "answered":
		return "of the whole answer" + map[bool]string{true: ", once that has come"}[k.Waits]
	case "previous":
		return "of the stage before (the earlier of its end and its limit)"
	}
	text := "of " + event(k.From)
	switch {
	case k.Else != "":
		text += ", or of the end of " + Spaced(k.Else)
	case k.Waits:
		text += ", once that has come"
	}
	return text
}

func (s *shower) then(st *Stage) string {
	var out []string
	if st.Opens != nil {
		out = append(out, "opens "+s.p.Stage(st.Opens.Stage).Title+" on the same day ("+s.cite(st.Opens.Cite)+")")
	}
	for i, e := range st.Expiry {
		if i > 0 && sameExit(st.Expiry[i-1], e) {
			continue
		}
		when := []string{exitNames[e.When]}
		for _, next := range st.Expiry[i+1:] {
			if sameExit(e, next) {
				when = append(when, exitNames[next.When])
			}
		}
		out = append(out, s.exit(st, e, strings.Join(when, " or ")))
	}
	for _, e := range st.Ends {
		out = append(out, "ended by "+s.end(e))
	}
	if len(out) == 0 {
		return "-"
	}
	return strings.Join(out, "; ")
}

var exitNames = map[string]string{NoAnswer: "no answer", Unsatisfactory: "not settled", Rejected: "rejected"}

// sameExit says whether two exits differ only in what is the matter.
func sameExit(a, b Expiry) bool {
	a.When = b.When
	return reflect.DeepEqual(a, b)
}

func (s *shower) exit(st *Stage, e Expiry, text string) string {
	if e.If != nil {
		text += " and " + s.holds(e.If)
	}
	asked := s.p.Owners(st.ID)
	if len(e.Ask) > 0 {
		asked = e.Ask
	}
	switch e.Do {
	case Escalate:
		text += ": goes to " + s.p.Stage(e.To).Title + " by itself"
	case TakeEffect:
		text += ": " + Spaced(string(e.Fact)) + " takes effect unless contested in time"
	default:
		text += ": the " + s.p.RoleTitles(asked) + " decides"
		if len(asked) > 1 {
			text = strings.TrimSuffix(text, "s")
		}
		for i, to := range append([]string{e.To}, e.Or...) {
			if to != "" {
				text += map[bool]string{true: ", next ", false: " or "}[i == 0] + s.p.Stage(to).Title
			}
		}
	}
	return text + " (" + s.cite(e.Cite) + ")"
}

func (s *shower) end(e End) string {
	who := "whoever says " + Spaced(string(e.Fact))
	if len(e.By) > 0 {
		joined := " or the "
		if e.All {
			joined = " and the "
		}
		who = "the " + strings.Join(s.p.Titles(e.By), joined) + ": " + Spaced(string(e.Fact))
	}
	return who + " (" + s.cite(e.Cite) + ")"
}

func (s *shower) stage(st *Stage) {
	s.line("")
	s.line("## %s", st.Title)
	s.line("")
	if len(st.Owner) > 0 {
		s.line("- Owned during this stage by the %s.", s.p.RoleTitles(st.Owner))
	}
	if a := st.Alert; a != nil {
		who := "drpd sends"
		if a.By == ByOwner {
			who = "The " + s.p.RoleTitles(s.p.Owners(st.ID)) + " sends"
		}
		text := who + " the written alert to " + s.recipients(a.To)
		if len(a.Cc) > 0 {
			text += "; copy to " + s.recipients(a.Cc)
		}
		for _, at := range a.Attach {
			text += "; with the " + Spaced(at.What) + " (" + s.cite(at.Cite) + ")"
		}
		s.line("- %s.", text)
	}
	if a := st.Answer; a != nil {
		how := "all of them"
		switch {
		case a.Any:
			how = "any of them"
		case a.Joint:
			how = "one joint answer"
		case len(a.By) == 1:
			how = "alone"
		}
		if a.Reply {
			how += ", by any written reply"
		}
		s.line("- Answered by the %s, %s (%s).", s.p.RoleTitles(a.By), how, s.cite(a.Cite))
	}
	for i := range st.Clocks {
		k := &st.Clocks[i]
		s.line("- Clock \"%s\", until %s: %s.", Spaced(k.ID), Spaced(k.Until), s.clock(k))
	}
	for _, n := range st.Needs {
		by := "By its end there"
		if n.AtOnce {
			by = "From its beginning there"
		}
		s.line("- %s must be: %s (%s).", by, n.Says, s.cite(n.Cite))
	}
	for _, c := range st.Consult {
		s.line("- Before the next stage: a talk with the %s (%s).", s.p.RoleTitles(c.With), s.cite(c.Cite))
	}
	if g := s.p.AgendaFor(st.ID); g != nil {
		s.line("- Its meetings consider: %s (%s).", strings.Join(g.Items, "; "), s.cite(g.Cite))
	}
	if r := st.Record; r != nil {
		s.line("- The record is with the %s (%s).", s.p.RoleTitle(r.With), s.cite(r.Cite))
	}
	if st.Opens != nil {
		s.line("- Opens %s on the same day (%s).", s.p.Stage(st.Opens.Stage).Title, s.cite(st.Opens.Cite))
	}
	if st.Silent != "" {
		s.line("- Silent: nobody is told meanwhile but by its own limit, because %s.",
			strings.TrimSuffix(strings.TrimPrefix(st.Silent, "because "), "."))
	}
	for _, m := range st.Moves {
		s.line("- Sent on to %s by: %s (%s).", s.p.Stage(m.To).Title, Spaced(string(m.On)), s.cite(m.Cite))
	}
}

func (s *shower) recipients(all []Recipient) string {
	out := make([]string, len(all))
	for i, r := range all {
		out[i] = s.p.RoleTitle(r.Role) + " (" + s.cite(r.Cite) + ")"
	}
	return strings.Join(out, "; ")
}

// rules lists what holds for every stage.
func (s *shower) rules() {
	p := s.p
	s.line("")
	s.line("## For the whole dispute")
	s.line("")
	for _, e := range p.Ends {
		s.line("- Ended by %s.", s.end(e))
	}
	for i := range p.Caps {
		s.line("- The whole: %s.", s.clock(&p.Caps[i]))
	}
	for _, c := range p.Copies {
		text := "copied into every alert from " + p.Stage(c.From).Title + " on"
		switch {
		case c.Once:
			text = "told no later than " + p.Stage(c.From).Title + ", once"
		case c.Until != "":
			text += ", until " + p.Stage(c.Until).Title
		}
		if c.Letters {
			text += ", and into what others write about it"
		}
		s.line("- The %s is %s (%s).", p.RoleTitle(c.Role), text, s.cite(c.Cite))
	}
	for _, n := range p.Notify {
		when := Spaced(string(n.On))
		if n.On == AfterEntry {
			when = "on entering " + s.stages(n.Stages)
		}
		if n.If != nil {
			when = strings.TrimSpace(when + " where " + s.holds(n.If))
		}
		s.line("- Told, %[3]s: the %[1]s. %[2]s (%[4]s).", s.titles(n.To), n.Says, strings.TrimPrefix(when, "where "), s.cite(n.Cite))
	}
	for _, n := range p.OnEnd {
		s.line("- When it ends (%s), the %s: %s (%s).", Spaced(string(n.Fact)), s.titles(n.To), strings.TrimSuffix(n.Says, "."), s.cite(n.Cite))
	}
	for _, u := range p.FollowUps {
		who := "the owner is reminded"
		if len(u.By) > 0 {
			who = "by the " + p.RoleTitles(u.By)
		}
		after := Spaced(string(u.After))
		if u.After == AfterEntry {
			after = "the stage is entered"
		}
		if len(u.Stages) > 0 {
			after += ", at " + s.stages(u.Stages)
		}
		s.line("- After %s, within %s, %s: %s (%s).", after, u.Within, who, u.Says, s.cite(u.Cite))
	}
	for _, x := range p.Parallel {
		s.line("- At any time, stopping no clock: %s (%s).", Spaced(string(x.Fact)), s.cite(x.Cite))
	}
	for _, c := range p.Carries {
		s.line("- What is escalated carries %s (%s).", c.Says, s.cite(c.Cite))
	}
	for _, n := range p.CaseNotes {
		at := ""
		if len(n.Stages) > 0 {
			at = ", at " + s.stages(n.Stages)
		}
		s.line("- A case note (%s) on: %s%s (%s).", n.Type, Spaced(string(n.On)), at, s.cite(n.Cite))
	}
	for _, c := range p.FormCopies {
		s.line("- The form goes on the child's file when %s (%s).", c.Reason, s.cite(c.Cite))
	}
	s.few()
}

func (s *shower) stages(ids []string) string {
	if len(ids) == 0 {
		return "any stage"
	}
	titles := make([]string, len(ids))
	for i, id := range ids {
		titles[i] = s.p.Stage(id).Title
	}
	return strings.Join(titles, " or ")
}

// few lists the rules of which a policy has one or none.
func (s *shower) few() {
	p := s.p
	if r := p.Referral; r != nil {
		when := "once " + Spaced(string(r.On)) + " is recorded"
		if r.After != "" {
			when = "unresolved after " + p.Stage(r.After).Title
		}
		s.line("- CAFCASS: the owner is asked to confirm a referral, %s (%s).", when, s.cite(r.Cite))
		if r.Check != nil {
			s.line("- While the case is with CAFCASS nobody is chased. The owner is asked what came of it, or anew after they decided against it, "+
				"every %s (%s).",
				r.Check.Every, s.cite(r.Check.Cite))
		}
		for _, e := range r.Ends {
			s.line("- While it is with CAFCASS it also ends when %s (%s).", Spaced(string(e.Fact)), s.cite(e.Cite))
		}
	} else {
		s.line("- CAFCASS: no referral under this procedure.")
	}
	if x := p.Skip; x != nil {
		s.line("- A stage may be left out (%s).", s.cite(x.Cite))
	}
	if x := p.MoreTime; x != nil {
		s.line("- A stage may be given more time by the %s (%s).", p.RoleTitles(x.By), s.cite(x.Cite))
	}
	if x := p.TimeOut; x != nil {
		s.line("- A time out stops every clock, with the permission of the %s (%s).", p.RoleTitles(x.Permission), s.cite(x.Cite))
	}
	if x := p.Written; x != nil {
		s.line("- Alerts are in writing: a talk enters no stage (%s).", s.cite(x.Cite))
	}
	if x := p.StatusQuo; x != nil {
		s.line("- While it is open: %s (%s).", x.Says, s.cite(x.Cite))
	}
	if x := p.Record; x != nil && x.Authorise != nil {
		s.line("- The record is authorised by the %s alone, once it ended or from %s on (%s).", p.RoleTitle(x.Authorise.By),
			p.Stage(x.Authorise.From).Title, s.cite(x.Authorise.Cite))
	}
	if x := p.Record; x != nil && x.Returns != nil {
		s.line("- After each answer the record comes back to the %s (%s).", p.RoleTitle(x.Returns.To), s.cite(x.Returns.Cite))
	}
	if x := p.FormHold; x != nil {
		s.line("- Until then the form is kept off the child's file (%s).", s.cite(x.Cite))
	}
	if x := p.Obstacle; x != nil {
		s.line("- An obstacle outside the authority's control does not end escalation (%s).", s.cite(x.Cite))
	}
	if x := p.Screen; x != nil {
		s.line("- What people wrote is read by a person before it goes elsewhere where %s (%s).", x.Says, s.cite(x.Cite))
	}
	if x := p.Corrections; x != nil {
		s.line("- A date that changes recomputes what follows, and what was sent is followed by a correction (%s).", s.cite(x.Cite))
	}
	if x := p.InForce; x != nil {
		s.line("- A dispute keeps the version that it started under (%s).", s.cite(x.Cite))
	}
	if x := p.HandOver; x != nil {
		s.line("- Once a limit has passed, the owner's time to hand over: %s (%s).", x.Amount, s.cite(x.Cite))
	}
	if x := p.AskAgain; x != nil {
		s.line("- While it is open somebody is told of it within %s of the last letter about it, or after a date that runs; a question is "+
			"asked again after that time.", x)
	}
	for _, q := range p.Quarterly {
		s.line("- Each quarter, the %s: %s (%s).", s.titles(q.By), q.Says, s.cite(q.Cite))
	}
	if x := p.ReviewBy; x != nil {
		s.line("- The procedure itself was to be reviewed by %s (%s).", x.On.Long(), s.cite(x.Cite))
	}
}

func (s *shower) readings() {
	if len(s.notes) == 0 {
		return
	}
	s.line("")
	s.line("## Readings")
	s.line("")
	s.line("Where the source leaves something open, this is how it was read. Each is a setting of the policy.")
	s.line("")
	for i, n := range s.notes {
		s.line("%d. %s", i+1, n)
	}
}

// event names a fact as the day from which something is counted.
func event(fact string) string {
	if name := map[drp.FactKind]string{drp.Alerted: "the written alert", drp.Discussed: "the conversation",
		drp.Telephoned:       "the telephone call",
		drp.MeetingRequested: "the request for a meeting", drp.MeetingHeld: "the meeting", drp.Responded: "the answer",
		drp.ReviewHeld:     "the last review",
		drp.ConferenceHeld: "the conference", drp.ReferralMade: "the referral"}[drp.FactKind(fact)]; name != "" {
		return name
	}
	return Spaced(fact)
}

// Spaced writes an id as words.
func Spaced(id string) string { return strings.ReplaceAll(id, "-", " ") }
