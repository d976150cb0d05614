// Package cases runs a policy's cases.yaml: its tests, written in the words of the procedure.
//
// A case says on which days what arrives, and what must follow: date, recipients, clause. Every day from the first to
// the last is decided, as the daemon would; an effect that the case does not list fails it. A clause is alive when
// some case that names it fails once the clause's rules are taken away.
package cases

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// Suite is one version of a policy with its cases.
type Suite struct {
	Policy *policy.Policy
	Cases  []Case
	name   string
	cases  string // the file of its cases
	source []byte
	others policy.Set // the other versions that these cases may come under
}

// Case is one story.
type Case struct {
	Name    string   `yaml:"name"`
	Clauses []string `yaml:"clauses"`  // the clauses that it shows
	Similar []string `yaml:"similar"`  // earlier unresolved disputes about the same child and theme
	Same    []string `yaml:"same"`     // two roles that one person holds
	Later   *Later   `yaml:"later"`    // a newer version of the policy
	NoChild bool     `yaml:"no_child"` // the dispute is about a theme
	Vacant  []string `yaml:"vacant"`   // roles that nobody holds
	Edit    []Edit   `yaml:"edit"`     // settings of the authority, as changes to the text
	Days    []Day    `yaml:"days"`
}

// Later is a newer version of the policy: its text with some words replaced, in force from a day.
type Later struct {
	Effective workday.Date `yaml:"effective"`
	Edit      []Edit       `yaml:"edit"`
}

// Edit replaces words of the policy's text.
type Edit struct {
	Replace string `yaml:"replace"`
	With    string `yaml:"with"`
}

// Day is what arrives on a day and what must follow.
type Day struct {
	On       workday.Date      `yaml:"on"`
	Facts    []Fact            `yaml:"facts"`
	Fields   map[string]string `yaml:"fields"`
	Ground   string            `yaml:"ground"`
	Form     bool              `yaml:"form"` // a dispute form came
	Record   *Record           `yaml:"record"`
	Ruling   *drp.Ruling       `yaml:"ruling"`
	Unread   string            `yaml:"unread"` // a message of this role came that nobody could read
	Gap      string            `yaml:"gap"`    // a source that cannot be read from this day on
	Refuse   []string          `yaml:"refuse"` // roles whose mail is refused for good on this day
	Expect   []Expect          `yaml:"expect"`
	Findings []string          `yaml:"findings"` // the clauses of all findings that day, if given; "none" for one that rests on no clause
	Turn     string            `yaml:"turn"`
	Stage    string            `yaml:"stage"`
	Limit    *workday.Date     `yaml:"limit"`
	NoLimit  bool              `yaml:"no_limit"` // the stage has no limit that could be stated that day
	Recorded []string          `yaml:"recorded"` // clauses
	Ended    *bool             `yaml:"ended"`
}

// Fact is a fact in the words of a case.
type Fact struct {
	Fact     drp.FactKind `yaml:"fact"`
	On       workday.Date `yaml:"on"` // else the day
	By       string       `yaml:"by"` // roles
	To       []string     `yaml:"to"`
	Stage    string       `yaml:"stage"`
	Until    workday.Date `yaml:"until"`
	Event    bool         `yaml:"event"`
	Denied   bool         `yaml:"denied"`
	Attached bool         `yaml:"attached"`
	Free     bool         `yaml:"free"` // in words of their own: a message came, whatever fact is named
	Copy     bool         `yaml:"copy"` // of an alert: to whom it was not addressed
	Obstacle bool         `yaml:"obstacle"`
	Doubt    string       `yaml:"doubt"`
	Although string       `yaml:"although"` // of a referral: why it goes where the procedure's conditions do not hold
	Corrects int          `yaml:"corrects"` // the number of the fact that it replaces, from 1
}

// Record is the state of the DRP record.
type Record struct {
	With       string `yaml:"with"`
	Authorised bool   `yaml:"authorised"`
	Gone       bool   `yaml:"gone"`
}

// Expect is one effect that must follow.
type Expect struct {
	Email  drp.Reason   `yaml:"email"`
	Note   drp.Reason   `yaml:"note"`
	Copy   bool         `yaml:"copy"`
	To     []string     `yaml:"to"`
	Cc     []string     `yaml:"cc"`
	Clause string       `yaml:"clause"`
	Due    workday.Date `yaml:"due"`
	Held   bool         `yaml:"held"`   // a person must read it first
	Urgent bool         `yaml:"urgent"` // goes at once
	Also   []string     `yaml:"also"`   // what an alert says besides what it asks
	Agenda bool         `yaml:"agenda"` // an alert that carries the agenda of the meeting
	Or     []string     `yaml:"or"`     // the other stages that the owner may choose
}

type file struct {
	Cases []Case `yaml:"cases"`
}

// Run runs one case without the rules of a clause ("" keeps all) and returns what was not as the case says.
func (s *Suite) Run(c Case, without string, cal *workday.Calendar) []string {
	wrong, err := s.follow(c, without, cal, func(workday.Date, []drp.Effect, reconcile.Result) {})
	if err != nil {
		return []string{err.Error()}
	}
	return wrong
}

// See is shown what newly goes out on a day, and how the dispute stands at its end.
type See func(today workday.Date, out []drp.Effect, at reconcile.Result)

// Follow lives through a case and shows each of its days.
func (s *Suite) Follow(c Case, cal *workday.Calendar, see See) error {
	_, err := s.follow(c, "", cal, see)
	return err
}

func (s *Suite) follow(c Case, without string, cal *workday.Calendar, see See) (wrong []string, err error) {
	set, err := s.versions(c)
	if err != nil {
		return nil, err
	}
	if without != "" {
		for i := range set {
			set[i] = set[i].Without(without)
		}
	}
	r := &run{Case: c, set: set, cal: cal, see: see, roster: roster(set[0], c)}
	at := 0
	last := c.Days[len(c.Days)-1].On
	for today := c.Days[0].On; today <= last; today++ {
		var day Day
		if at < len(c.Days) && c.Days[at].On == today {
			day = c.Days[at]
			at++
		}
		r.day(today, day)
	}
	return r.wrong, nil
}

func roster(p *policy.Policy, c Case) drp.Roster {
	var out drp.Roster
	for _, role := range slices.Sorted(maps.Keys(p.Roles)) {
		if slices.Contains(c.Vacant, role) {
			continue
		}
		person := role
		if len(c.Same) == 2 && role == c.Same[1] {
			person = c.Same[0]
		}
		out = append(out, drp.Holder{Role: role, Person: "p-" + person, Name: drp.NewPrivate(person)})
	}
	return out.WithFallbacks(p.StandIns())
}

// noClause stands for a finding that rests on no clause of the policy.
const noClause = "none"

// run is one case under way.
type run struct {
	Case
	set      policy.Set
	cal      *workday.Calendar
	see      See
	roster   drp.Roster
	readings []drp.Reading
	raised   workday.Date
	past     []drp.Past
	gaps     []reconcile.Gap
	unread   []drp.Unread
	wrong    []string
	n        int
}

func (r *run) fail(today workday.Date, format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Sprintf("%s %s: %s", r.Name, today, fmt.Sprintf(format, args...)))
}

func (r *run) add(kind drp.Kind, today workday.Date, reading drp.Reading) {
	r.n++
	reading.Evidence = drp.Evidence{ID: fmt.Sprintf("e%03d", r.n), Source: "case", Kind: kind, Key: fmt.Sprintf("k%03d", r.n),
		Version: fmt.Sprintf("%03d", r.n), Learned: today.Midnight()}
	if kind == drp.Row {
		reading.Evidence.Key = "record"
	}
	reading.Sent = today
	reading.Subject.Form = r.set[0].Forms[0]
	if !r.NoChild {
		reading.Subject.Children = []string{"CHILD-1"}
	}
	for i := range reading.Facts {
		reading.Facts[i].Evidence, reading.Facts[i].Learned, reading.Facts[i].Source = reading.Evidence.ID, today, "case"
	}
	for i := range reading.Denials {
		reading.Denials[i].Evidence, reading.Denials[i].Learned, reading.Denials[i].Source = reading.Evidence.ID, today, "case"
	}
	for i := range reading.Forms {
		reading.Forms[i].Evidence = reading.Evidence.ID
	}
	r.readings = append(r.readings, reading)
}

// vacant says whether nobody holds a role, or stands in.
func (r *run) vacant(role string) bool {
	return !slices.ContainsFunc(r.roster, func(h drp.Holder) bool { return h.Role == role })
}

func (r *run) arrive(today workday.Date, day Day) {
	for _, f := range day.Facts {
		on := f.On
		if on.IsZero() {
			on = today
		}
		if f.Fact == drp.Raised && (r.raised.IsZero() || on < r.raised) {
			r.raised = on
		}
		fact := drp.Fact{Kind: f.Fact, Stage: f.Stage, On: on, Until: f.Until, Event: f.Event, By: drp.Actor{Role: f.By}, Attached: f.Attached,
			Copy: f.Copy, Obstacle: f.Obstacle, Doubt: f.Doubt,
			Although: drp.NewPrivate(f.Although)}
		if f.Free {
			fact.Kind = drp.MessageCame
		}
		for _, to := range f.To {
			fact.To = append(fact.To, drp.Actor{Role: to})
		}
		corrects := ""
		if f.Corrects > 0 {
			corrects = fmt.Sprintf("e%03d", f.Corrects)
		}
		said := drp.Reading{Corrects: corrects}
		said.Say(drp.Statement{Fact: fact, Denied: f.Denied})
		r.add(drp.Attestation, today, said)
	}
	var rest drp.Reading
	for _, name := range slices.Sorted(maps.Keys(day.Fields)) {
		field := drp.Field{Name: name, Value: drp.NewPrivate(day.Fields[name])}
		if on, err := workday.ParseDate(day.Fields[name]); err == nil {
			field.Date = on
		}
		rest.Fields = append(rest.Fields, field)
	}
	if day.Form {
		rest.Forms = []drp.FormPart{{Name: "form.docx", Digest: today.String(), Sent: today}}
	}
	rest.Subject.Ground = day.Ground
	if day.Ruling != nil {
		ruling := *day.Ruling
		ruling.Said, ruling.On = drp.Actor{Role: ruling.By}, today
		rest.Rulings = []drp.Ruling{ruling}
	}
	r.add(drp.Attestation, today, rest)
	if day.Record != nil {
		r.add(drp.Row, today, drp.Reading{Record: drp.RecordState{Known: true, Holder: drp.Actor{Role: day.Record.With},
			Authorised: day.Record.Authorised, Gone: day.Record.Gone}})
	}
	if day.Unread != "" {
		r.unread = append(r.unread, drp.Unread{Evidence: "u" + today.String(), On: today, From: drp.Actor{Role: day.Unread}, Proved: true,
			Named: true, Roles: []string{day.Unread}})
	}
	if day.Gap != "" {
		r.gaps = append(r.gaps, reconcile.Gap{Source: day.Gap, From: today})
	}
}

func (r *run) day(today workday.Date, day Day) {
	r.arrive(today, day)
	p := r.set.ForDispute(r.set[0].Forms[0], r.raised, today)
	if p == nil {
		p = r.set[0]
	}
	var got []drp.Effect
	var result reconcile.Result
	for range 20 { // until nothing new follows from what has just gone out
		result = reconcile.Decide(reconcile.Case{Ref: "CASE", Policy: p, Calendar: r.cal, File: drp.Fold(r.readings, r.roster), Roster: r.roster,
			Past: r.past, Today: today, Gaps: r.gaps, Unread: r.unread, Similar: r.Similar})
		fresh := 0
		for _, e := range result.Effects {
			if slices.ContainsFunc(r.past, func(x drp.Past) bool { return x.Key == e.Key }) {
				continue
			}
			fresh++
			got = append(got, e)
			r.deliver(today, e, day.Refuse)
		}
		if fresh == 0 {
			break
		}
	}
	r.see(today, got, result)
	n := len(r.wrong)
	r.compare(today, day, got)
	r.look(today, day, result)
	if len(r.wrong) > n { // what may be why
		for _, x := range slices.Concat(result.Idle, result.Unused) {
			r.fail(today, "counts for nothing: %s: %s", x.Words(), x.Why)
		}
	}
}

// deliver does with an effect what the daemon would: send it, and learn that it was accepted.
func (r *run) deliver(today workday.Date, e drp.Effect, refuse []string) {
	past := drp.Past{Effect: e, Life: drp.Accepted, At: today.Midnight().Add(time.Duration(len(r.past)) * time.Second),
		Decided: today.Midnight()}
	needed := e.To
	if len(e.Only) > 0 {
		needed = e.Only
	}
	switch {
	case e.Screened != "", slices.ContainsFunc(needed, r.vacant): // a role that nobody holds blocks it, and one that is copied in does not
		past.Life = drp.Held
	case len(refuse) > 0 && slices.ContainsFunc(e.To, func(to string) bool { return slices.Contains(refuse, to) }):
		past.Life = drp.Failed
	case e.Kind == drp.Email && e.Reason == drp.ReasonAlert:
		fact := drp.Fact{Kind: drp.Alerted, Stage: e.Stage, On: today, By: drp.Actor{Role: "drpd"}, Attached: e.Form.Digest != ""}
		past.Reached = slices.DeleteFunc(slices.Concat(e.To, e.Cc), func(role string) bool { return !e.For(role) || r.vacant(role) })
		past.Tried = past.Reached
		for _, role := range past.Reached {
			fact.To = append(fact.To, drp.Actor{Role: role})
		}
		r.add(drp.Receipt, today, drp.Reading{Facts: []drp.Fact{fact}})
	}
	r.past = append(r.past, past)
}

// show writes an expectation as it stands in a case, so that it can be taken over once somebody has found it right.
func show(e Expect) string {
	var out []string
	put := func(key, value string, given bool) {
		if given {
			out = append(out, key+": "+value)
		}
	}
	list := func(of []string) string { return "[" + strings.Join(of, ", ") + "]" }
	put("email", string(e.Email), e.Email != "")
	put("note", string(e.Note), e.Note != "")
	put("copy", "true", e.Copy)
	put("to", list(e.To), e.Email != "")
	put("cc", list(e.Cc), len(e.Cc) > 0)
	put("clause", e.Clause, e.Clause != "")
	put("due", e.Due.String(), !e.Due.IsZero())
	put("held", "true", e.Held)
	put("urgent", "true", e.Urgent)
	put("agenda", "true", e.Agenda)
	quoted := make([]string, len(e.Also))
	for i, also := range e.Also {
		quoted[i] = strconv.Quote(also)
	}
	put("also", list(quoted), len(e.Also) > 0)
	put("or", list(e.Or), len(e.Or) > 0)
	return "{" + strings.Join(out, ", ") + "}"
}

func (r *run) compare(today workday.Date, day Day, got []drp.Effect) {
	var want, have []string
	for _, e := range day.Expect {
		slices.Sort(e.To)
		slices.Sort(e.Cc)
		want = append(want, show(e))
	}
	for _, e := range got {
		x := Expect{Clause: e.Clause, Held: e.Screened != ""}
		switch e.Kind {
		case drp.Email:
			x.Email, x.Due, x.Urgent = e.Reason, e.Due, e.Urgent
			if e.Reason != drp.ReasonAttention { // whose choices name the question
				x.Also = e.Also
			}
			x.Agenda = e.Reason == drp.ReasonAlert && len(e.Agenda) > 0
			for _, a := range e.Asks {
				if a.Fact == drp.Escalated && a.Stage != e.Next {
					x.Or = append(x.Or, a.Stage)
				}
			}
			others := func(role string) bool { return !e.For(role) }
			x.To, x.Cc = slices.DeleteFunc(slices.Sorted(slices.Values(e.To)), others), slices.DeleteFunc(slices.Sorted(slices.Values(e.Cc)), others)
		case drp.CaseNote:
			x.Note = e.Reason
		case drp.FormCopy:
			x.Copy = true
		}
		have = append(have, show(x))
	}
	for _, w := range want {
		if i := slices.Index(have, w); i >= 0 {
			have = slices.Delete(have, i, i+1)
		} else {
			r.fail(today, "did not follow: %s", w)
		}
	}
	for _, h := range have {
		r.fail(today, "not expected: %s", h)
	}
}

// look compares how the dispute stands on a day with what the case says.
func (r *run) look(today workday.Date, day Day, got reconcile.Result) {
	s := got.Standing
	if day.Findings != nil {
		var have []string
		for _, f := range got.Findings {
			have = append(have, cmp.Or(f.Clause, noClause))
		}
		slices.Sort(have)
		have = slices.Compact(have)
		want := slices.Sorted(slices.Values(day.Findings))
		if !slices.Equal(have, want) {
			r.fail(today, "findings %v, want %v: %s", have, want, said(got.Findings))
		}
	}
	if turn := strings.Join(s.Turn, " "); day.Turn != "" && day.Turn != turn {
		r.fail(today, "it is the turn of %q, want %q", turn, day.Turn)
	}
	if day.Stage != "" && day.Stage != s.Stage {
		r.fail(today, "in %q, want %q", s.Stage, day.Stage)
	}
	if day.Ended != nil && *day.Ended == s.Ended.IsZero() {
		r.fail(today, "ended is %v, want %v", !s.Ended.IsZero(), *day.Ended)
	}
	if day.Limit != nil || day.NoLimit {
		var due, want workday.Date
		if len(s.Visits) > 0 {
			due = s.Visits[len(s.Visits)-1].Limit.Proof.Due
		}
		if day.Limit != nil {
			want = *day.Limit
		}
		if due != want {
			r.fail(today, "limit %s, want %s", due, want)
		}
	}
	if day.Recorded != nil {
		var have []string
		for _, x := range got.Recorded {
			have = append(have, x.Clause)
		}
		if !slices.Equal(have, day.Recorded) {
			r.fail(today, "recorded %v, want %v", have, day.Recorded)
		}
	}
}

// said gives the words of findings, a clause with each.
func said(findings []drp.Finding) string {
	var out []string
	for _, f := range findings {
		out = append(out, f.Clause+" "+f.What)
	}
	return strings.Join(out, "; ")
}

// Alive says for each clause which cases fail once its rules are gone; a clause with none is dead.
func (s *Suite) Alive(cal *workday.Calendar) map[string][]string {
	out := make(map[string][]string)
	var sound []Case // a case that fails in any event shows nothing
	for _, c := range s.Cases {
		if len(s.Run(c, "", cal)) == 0 {
			sound = append(sound, c)
		}
	}
	for _, clause := range s.Policy.Cited() {
		out[clause] = nil
		for _, c := range sound {
			if slices.Contains(c.Clauses, clause) && len(s.Run(c, clause, cal)) > 0 {
				out[clause] = append(out[clause], c.Name)
			}
		}
	}
	return out
}
