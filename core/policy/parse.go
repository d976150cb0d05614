package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/strict"
	"drpd/core/workday"
)

// Parse reads a policy file with the authority's overlays over it, and checks the whole. The error, if any, is
// strict.Faults: every problem, each at its line, in the overlay where it stands there.
func Parse(name string, src []byte, overlays ...strict.Overlay) (*Policy, error) {
	return parse(name, src, false, overlays)
}

// ParseKept reads a policy under which disputes started. It may leave open when somebody is told, as could be left before that was
// checked: somebody is told all the same.
func ParseKept(name string, src []byte) (*Policy, error) { return parse(name, src, true, nil) }

func parse(name string, src []byte, kept bool, overlays []strict.Overlay) (*Policy, error) {
	p := &Policy{}
	f := strict.LoadWith(name, src, p, overlays, "clauses")
	if f.Err() == nil {
		check(f, p, kept)
		askedSince(f, p, kept)
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	var err error
	p.Local, p.Text = f.Changes(), src
	if len(overlays) > 0 {
		if p.Text, err = f.Source(); err != nil {
			return nil, err
		}
	}
	sum := sha256.Sum256(p.Text)
	p.Digest = hex.EncodeToString(sum[:])[:12]
	return p, nil
}

// askedSince sees that a policy holds what has been asked of policies since some texts were kept. In a kept one that says nothing it
// is read as drpd reads it.
func askedSince(f *strict.File, p *Policy, kept bool) {
	r := p.Referral
	switch {
	case r == nil || r.Check != nil:
	case kept:
		r.Check = &Check{Cite: Cite{Clause: r.Clause, Reading: "the text as it was kept says nothing; read as every 20 working days"},
			Every: Amount{N: 20, Unit: workday.WorkingDays, Text: "20 working days"}}
	default:
		f.Fault([]any{"referral"}, "referral: say when the owner is asked what came of it: check: {clause, every: 20 working days}; "+
			"where no clause says so, with a reading:")
	}
}

type checker struct {
	f     *strict.File
	p     *Policy
	roles []string
	ids   []string
	facts []string
	cited map[string]bool
}

func check(f *strict.File, p *Policy, kept bool) {
	c := &checker{f: f, p: p, roles: slices.Sorted(maps.Keys(p.Roles)), cited: make(map[string]bool)}
	for _, k := range drp.FactKinds() {
		c.facts = append(c.facts, string(k))
	}
	for i, s := range p.Stages {
		if slices.Contains(c.ids, s.ID) {
			f.Fault([]any{"stages", i, "id"}, "stage %q is given twice", s.ID)
		}
		c.ids = append(c.ids, s.ID)
	}
	c.head()
	c.walk(reflect.ValueOf(p).Elem(), nil)
	for i := range p.Stages {
		c.stage(i)
	}
	for i, k := range p.Caps {
		c.clock(k, nil, []any{"caps", i})
	}
	for i, u := range p.FollowUps {
		c.length(u.Within, []any{"follow_ups", i, "within"})
		c.name(string(u.After), "fact", append([]string{AfterEntry}, c.facts...), []any{"follow_ups", i, "after"})
	}
	for i, n := range p.Notify {
		c.name(string(n.On), "fact", append([]string{AfterEntry}, c.facts...), []any{"notify", i, "on"})
		if n.On == "" && n.If == nil {
			f.Fault([]any{"notify", i}, "say when: on: a fact or entered, or if:")
		}
	}
	if !kept {
		c.silence()
	}
	c.reachable()
	for _, clause := range slices.Sorted(maps.Keys(p.Clauses)) {
		if !c.cited[clause] {
			f.Fault([]any{"clauses", clause}, "clause %s is cited by no rule: give it one, or leave it out", clause)
		}
	}
}

func (c *checker) head() {
	for _, need := range []struct {
		key  string
		miss bool
	}{
		{"policy", c.p.ID == ""}, {"code", c.p.Code == ""}, {"title", c.p.Title == ""}, {"source", c.p.Source == ""},
		{"version", c.p.Version < 1}, {"effective", c.p.Effective.IsZero()}, {"forms", len(c.p.Forms) == 0},
		{"roles", len(c.p.Roles) == 0}, {"clauses", len(c.p.Clauses) == 0}, {"stages", len(c.p.Stages) == 0},
		{"ends", len(c.p.Ends) == 0}, {"hand_over", c.p.HandOver == nil}, {"owner", len(c.p.Owner) == 0},
		{"duty", c.p.Duty == ""}, {"raisers", len(c.p.Raisers) == 0}, {"ask_again", c.p.AskAgain == nil},
		{"corrections", c.p.Corrections == nil}, {"in_force", c.p.InForce == nil},
	} {
		if need.miss {
			c.f.Fault(nil, "%q is missing", need.key)
		}
	}
	if c.p.AskAgain != nil {
		c.length(*c.p.AskAgain, []any{"ask_again"})
	}
	if v := c.p.InForce; v != nil {
		c.oneOf(v.Version, []any{"in_force", "version"}, "started")
	}
	if o := c.p.Obstacle; o != nil {
		c.oneOf(o.Do, []any{"obstacle", "do"}, Escalate, Prompt)
	}
	for i, r := range c.p.Owner {
		c.name(r, "role", c.roles, []any{"owner", i})
	}
	if a := c.p.About; a != nil {
		c.oneOf(a.Of, []any{"about", "of"}, AboutTheme, AboutEither)
	}
	if r := c.p.Referral; r != nil {
		if (r.After == "") == (r.On == "") {
			c.f.Fault([]any{"referral"}, "referral: write after: with a stage, or on: with a fact, one of the two")
		}
		if r.Check != nil {
			c.length(r.Check.Every, []any{"referral", "check", "every"})
		}
	}
	for _, role := range []string{Operator, PracticeLead} {
		if len(c.p.Roles) > 0 && c.p.Roles[role] == "" {
			c.f.Fault([]any{"roles"}, "the role %q is missing: drpd turns to it where nobody else answers", role)
		}
	}
	c.name(c.p.Duty, "role", c.roles, []any{"duty"})
	for i, r := range c.p.Raisers {
		c.name(r, "role", c.roles, []any{"raisers", i})
	}
}

// refs says which keys of a rule name what; each value under such a key must exist.
var refs = map[string]string{
	"role": "role", "distinct": "role", "with": "role", "holder": "role", "owner": "role", "by": "role", "to": "role", "cc": "role",
	"raised_by": "role", "permission": "role", "consult": "role", "tell": "role", "ask": "role",
	"bars": "stage", "start": "stage", "at": "stage", "after": "stage", "stage": "stage", "stages": "stage", "or": "stage",
	"fact": "fact", "one_of": "fact", "enter_on": "fact", "expect": "fact", "needs": "fact",
}

// walk visits every rule: its clause must exist, and every role, stage and fact that it names.
func (c *checker) walk(v reflect.Value, at []any) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			c.walk(v.Elem(), at)
		}
	case reflect.Slice:
		for i := range v.Len() {
			c.walk(v.Index(i), append(slices.Clone(at), i))
		}
	case reflect.Struct:
		if cite, ok := citeOf(v); ok {
			c.clause(cite.Clause, at)
		}
		t := v.Type()
		for i := range t.NumField() {
			key, opts, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
			if key == "" || key == "-" || strings.Contains(opts, "inline") {
				continue
			}
			path := append(slices.Clone(at), key)
			c.named(t, key, v.Field(i), path)
			c.walk(v.Field(i), path)
		}
	}
}

func citeOf(v reflect.Value) (Cite, bool) {
	f := v.FieldByName("Cite")
	if !f.IsValid() {
		return Cite{}, false
	}
	cite, ok := f.Interface().(Cite)
	return cite, ok
}

func (c *checker) clause(clause string, at []any) {
	c.cited[clause] = true
	known := slices.Collect(maps.Keys(c.p.Clauses))
	switch {
	case clause == "":
		c.f.Fault(at, "the rule cites no clause: add clause: with one of the policy's clauses")
	case c.p.Clauses[clause] == "":
		c.f.Fault(append(slices.Clone(at), "clause"), "no such clause %q%s", clause, strict.Suggest(clause, known))
	}
}

func (c *checker) named(t reflect.Type, key string, v reflect.Value, at []any) {
	kind := refs[key]
	switch t {
	case reflect.TypeFor[Policy]():
		return
	case reflect.TypeFor[Move](), reflect.TypeFor[Expiry]():
		switch key {
		case "to":
			kind = "stage"
		case "on":
			if t == reflect.TypeFor[Move]() {
				kind = "fact"
			}
		}
	case reflect.TypeFor[Referral]():
		if key == "on" {
			kind = "fact"
		}
	case reflect.TypeFor[Stage]():
		if key == "consult" {
			kind = ""
		}
	case reflect.TypeFor[Copy](), reflect.TypeFor[CopyRule](), reflect.TypeFor[Authorise]():
		switch key {
		case "from", "until":
			kind = "stage"
		case "on":
			kind = "fact"
		}
	case reflect.TypeFor[FollowUp]():
		if key == "after" {
			kind = "" // a fact, or the entry of the stage
		}
	case reflect.TypeFor[Alert]():
		if key == "by" {
			kind = ""
		}
	}
	known := map[string][]string{"role": c.roles, "stage": c.ids, "fact": c.facts}[kind]
	if kind == "" {
		return
	}
	switch v.Kind() {
	case reflect.String:
		c.name(v.String(), kind, known, at)
	case reflect.Slice:
		for i := range v.Len() {
			if v.Index(i).Kind() == reflect.String {
				c.name(v.Index(i).String(), kind, known, append(slices.Clone(at), i))
			}
		}
	}
}

func (c *checker) name(value, kind string, known []string, at []any) {
	if value != "" && !slices.Contains(known, value) {
		c.f.Fault(at, "no such %s %q%s", kind, value, strict.Suggest(value, slices.Clone(known)))
	}
}

func (c *checker) oneOf(value string, at []any, allowed ...string) {
	if !slices.Contains(allowed, value) {
		c.f.Fault(at, "%q is not one of: %s", value, strings.Join(allowed, ", "))
	}
}

func (c *checker) stage(i int) {
	s := c.p.Stages[i]
	at := func(more ...any) []any { return append([]any{"stages", i}, more...) }
	if s.ID == "" || s.Title == "" || len(s.Holder) == 0 {
		c.f.Fault(at(), "stage %q: id, title and holder must be given", s.ID)
	}
	c.alert(s, at)
	for j, k := range s.Clocks {
		c.clock(k, s.Clocks, at("clocks", j))
	}
	switch {
	case s.Limit == NoLimit || s.Opens != nil:
	case s.Clock(s.Limit) == nil:
		c.f.Fault(at("limit"), "stage %q: limit must name one of its clocks (a clock may be \"none stated\"), or \"none\" where the "+
			"stage has none", s.ID)
	}
	if s.Opens != nil && c.p.Order(s.Opens.Stage) >= 0 && c.p.Order(s.Opens.Stage) <= i {
		c.f.Fault(at("opens"), "stage %q opens %q, which does not come after it", s.ID, s.Opens.Stage)
	}
	if len(s.Expiry) == 0 && len(s.Ends) == 0 && len(s.Moves) == 0 && s.Opens == nil {
		c.f.Fault(at(), "stage %q has no exit: say what happens when it does not end in time (on_expiry)", s.ID)
	}
	if a := s.Answer; a != nil && a.Any && a.Joint {
		c.f.Fault(at("answer"), "stage %q: an answer is any of them, or joint, not both", s.ID)
	}
	if a := s.Answer; a != nil && a.Reply && a.Reading == "" {
		c.f.Fault(at("answer"), "stage %q: that any written reply counts as an answer is a reading: give it in words (answer.reading)", s.ID)
	}
	for j, n := range s.Needs {
		if (len(n.OneOf) == 0) == (n.Field == "") {
			c.f.Fault(at("needs", j), "stage %q: a need is one_of: some facts, or a field:, one of the two", s.ID)
		}
	}
	for j, e := range s.Expiry {
		c.expiry(s, e, at("on_expiry", j))
		if slices.ContainsFunc(s.Expiry[:j], func(o Expiry) bool { return o.When == e.When && o.If == nil }) {
			c.f.Fault(at("on_expiry", j), "stage %q: this exit never counts, because one for %q without if: stands before it (on the last day of "+
				"an escalation drpd reminds by itself)", s.ID, e.When)
		}
	}
}

func (c *checker) alert(s Stage, at func(...any) []any) {
	if s.Alert == nil {
		if s.Opens == nil {
			c.f.Fault(at(), "stage %q has no alert: say who is told, and by whom (alert: {by: drpd | owner, to: [...]})", s.ID)
		}
		return
	}
	c.oneOf(string(s.Alert.By), at("alert", "by"), string(ByDrpd), string(ByOwner))
	if len(s.Alert.To) == 0 {
		c.f.Fault(at("alert"), "stage %q alerts nobody: give alert.to", s.ID)
	}
	for j, a := range s.Alert.Attach {
		c.oneOf(a.What, at("alert", "attach", j, "what"), AttachForm, AttachStageForm, AttachRecord)
	}
}

func (c *checker) expiry(s Stage, e Expiry, at []any) {
	in := func(key string) []any { return append(slices.Clone(at), key) }
	c.oneOf(e.When, in("when"), NoAnswer, Unsatisfactory, Rejected)
	c.oneOf(e.Do, in("do"), Escalate, Prompt, TakeEffect)
	if e.On != "" {
		c.oneOf(e.On, in("on"), LastDay)
	}
	if e.Do == Escalate && e.To == "" {
		c.f.Fault(at, "stage %q escalates to no stage: give to:", s.ID)
	}
	if (e.Do == TakeEffect) != (e.Fact != "") {
		c.f.Fault(at, "stage %q: do: take-effect and fact: go together: the fact that holds unless it was contested in time", s.ID)
	}
	if e.Clock != "" && s.Clock(e.Clock) == nil {
		c.f.Fault(in("clock"), "stage %q has no clock %q", s.ID, e.Clock)
	}
}

// length sees that an amount is one that can be counted.
func (c *checker) length(a Amount, at []any) {
	if a.IsZero() || a.None || a.Set {
		c.f.Fault(at, "%q cannot be counted here: give a length of time, such as 5 working days", a.Text)
	}
}

func (c *checker) clock(k Clock, siblings []Clock, at []any) {
	var ids []string
	for _, o := range slices.Concat(siblings, c.p.Caps) {
		if o.ID != k.ID {
			ids = append(ids, o.ID)
		}
	}
	c.name(k.Else, "clock", ids, append(slices.Clone(at), "else"))
	c.name(k.NotAfter, "clock", ids, append(slices.Clone(at), "not_after"))
	for _, o := range slices.Concat(siblings, c.p.Caps) {
		if (o.ID == k.Else || o.ID == k.NotAfter) && o.ID != "" && o.Else+o.NotAfter != "" {
			c.f.Fault(at, "clock %q leans on %q, which leans on another: name one that stands by itself", k.ID, o.ID)
		}
	}
	if k.Of != "" {
		c.oneOf(k.Of, append(slices.Clone(at), "of"), OfDispute)
	}
	if k.Amount.IsZero() {
		c.f.Fault(at, "clock %q has no amount: write \"5 working days\", or \"none stated\"", k.ID)
	}
	c.oneOf(string(k.Force), append(slices.Clone(at), "severity"), string(Maximum), string(Target), string(Guidance))
	ends := append([]string{"ended", "answered"}, c.facts...)
	c.name(k.Until, "end of a clock", ends, append(slices.Clone(at), "until"))
	if k.Until == "" {
		c.f.Fault(at, "clock %q has no end: write until: ended, answered, or a fact", k.ID)
	}
	if k.Field != "" {
		if k.From != "" {
			c.f.Fault(at, "clock %q has two starts: write from: or field:, one of the two", k.ID)
		}
		return
	}
	if k.Amount.Before || k.Amount.Text == ThatDay {
		c.f.Fault(append(slices.Clone(at), "amount"), "%q is counted from a date on the form: write field: in place of from:", k.Amount)
	}
	starts := append([]string{"raised", "entered", "previous", "answered"}, c.facts...)
	c.name(k.From, "start of a clock", starts, append(slices.Clone(at), "from"))
	if k.From == "" {
		c.f.Fault(at, "clock %q has no start: write from: raised, entered, previous, answered, or a fact; or field: with a date "+
			"on the form", k.ID)
	}
}

func (c *checker) reachable() {
	if len(c.p.Stages) == 0 {
		return
	}
	reached := map[string]bool{c.p.Stages[0].ID: true}
	if c.p.Recurrence != nil {
		reached[c.p.Recurrence.Start] = true
	}
	for _, s := range c.p.Start {
		reached[s.At] = true
	}
	for again := true; again; {
		again = false
		for _, s := range c.p.Stages {
			if !reached[s.ID] {
				continue
			}
			for _, to := range s.next() {
				if !reached[to] {
					reached[to], again = true, true
				}
			}
		}
	}
	for i, s := range c.p.Stages {
		if !reached[s.ID] {
			c.f.Fault([]any{"stages", i, "id"}, "stage %q cannot be reached: no on_expiry or move leads to it", s.ID)
		}
	}
}

// next gives the stages to which this one leads, the usual one first.
func (s *Stage) next() []string {
	var out []string
	if s.Opens != nil {
		out = append(out, s.Opens.Stage)
	}
	for _, e := range s.Expiry {
		if e.To != "" {
			out = append(out, e.To)
		}
		out = append(out, e.Or...)
	}
	for _, m := range s.Moves {
		out = append(out, m.To)
	}
	return out
}

// Leads says whether a stage is one of those to which this one leads.
func (s *Stage) Leads(to string) bool { return slices.Contains(s.next(), to) }

// Next returns the stage to which this one escalates, or "".
func (s *Stage) Next() string {
	if next := s.next(); len(next) > 0 {
		return next[0]
	}
	return ""
}

// Warnings says what is no fault of a policy and should not be forgotten.
func (p *Policy) Warnings(today workday.Date) []string {
	var out []string
	if r := p.ReviewBy; r != nil && today > r.On {
		out = append(out, fmt.Sprintf("%s: the procedure was to be reviewed by %s; it stays in force", r.Clause, r.On))
	}
	for _, l := range p.Local {
		out = append(out, "changed by the authority: "+l)
	}
	return out
}
