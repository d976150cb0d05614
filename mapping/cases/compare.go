package cases

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"drpd/core/drp"
)

// Seen is what the looks have given so far.
type Seen struct {
	Forms  map[string]drp.Reading // by the key of the form
	People map[string]drp.Reading // by the child
	Fails  string                 // why the last look could not read
	Remark string                 // what it told of though it could
}

// Children gives the children of the disputes.
func (s *Seen) Children() (out []string) {
	for _, key := range slices.Sorted(maps.Keys(s.Forms)) {
		out = append(out, s.Forms[key].Subject.Children...)
	}
	return out
}

// Compare says what is not as a look expects, each with what came instead.
func (s *Seen) Compare(want *Expect) (wrong []string) {
	fail := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	switch {
	case want.Fails == "" && s.Fails != "":
		fail("it could not be read: %s", s.Fails)
	case !strings.Contains(s.Fails, want.Fails):
		fail("it should not be read for %q; came: %s", want.Fails, orNothing(s.Fails))
	}
	if !strings.Contains(s.Remark, want.Remark) || want.Only && want.Remark == "" && s.Remark != "" {
		fail("a person should be told %s; came: %s", orNothing(want.Remark), orNothing(s.Remark))
	}
	got := s.Became()
	for _, key := range slices.Sorted(maps.Keys(want.Disputes)) {
		d, have := want.Disputes[key], got.Disputes[key]
		if d == nil {
			d = &Dispute{}
		}
		if have == nil {
			have = &Dispute{State: none}
		}
		for _, w := range d.compare(have, want.Only) {
			fail("form %s: %s", key, w)
		}
	}
	if want.Only {
		for _, key := range slices.Sorted(maps.Keys(got.Disputes)) {
			if _, listed := want.Disputes[key]; !listed {
				fail("form %s: not expected; came: %s", key, shown(got.Disputes[key]))
			}
		}
	}
	for _, w := range lists(want.People, got.People, Holder.matches, want.Only || want.People != nil && len(want.People) == 0) {
		fail("people: %s", w)
	}
	for _, w := range lists(want.Restricted, got.Restricted, func(a, b string) bool { return a == b },
		want.Only || want.Restricted != nil && len(want.Restricted) == 0) {
		fail("restricted: %s", w)
	}
	return wrong
}

// compare says what of a dispute is not as it should be.
func (d *Dispute) compare(have *Dispute, only bool) (wrong []string) {
	if have.State == none || d.State == none {
		if have.State != d.State {
			return []string{fmt.Sprintf("want %s; came: %s", shown(d), shown(have))}
		}
		return nil
	}
	one := func(what, want, came string) {
		if want != "" && want != came {
			wrong = append(wrong, fmt.Sprintf("%s: want %s; came: %s", what, want, orNothing(came)))
		}
	}
	one("state", d.State, have.State)
	one("type", d.Type, have.Type)
	one("ground", d.Ground, have.Ground)
	one("theme", d.Theme, have.Theme)
	one("holder", d.Holder, have.Holder)
	if d.Children != nil {
		one("children", fmt.Sprint(d.Children), fmt.Sprint(have.Children))
	}
	for _, name := range slices.Sorted(maps.Keys(d.Fields)) {
		one("field "+name, d.Fields[name], have.Fields[name])
	}
	strictly := func(n int, given bool) bool { return only || given && n == 0 }
	for _, w := range lists(d.Facts, have.Facts, Fact.matches, strictly(len(d.Facts), d.Facts != nil)) {
		wrong = append(wrong, "facts: "+w)
	}
	begins := func(want, came string) bool { return strings.HasPrefix(came, want) }
	for _, w := range lists(d.Questions, have.Questions, begins, strictly(len(d.Questions), d.Questions != nil)) {
		wrong = append(wrong, "questions: "+w)
	}
	return wrong
}

// lists says what of a list did not come and, where it is to be nothing else, what came beside it.
func lists[T any](want, came []T, matches func(want, came T) bool, only bool) (wrong []string) {
	rest := slices.Clone(came)
	for _, w := range want {
		i := slices.IndexFunc(rest, func(x T) bool { return matches(w, x) })
		if i < 0 {
			wrong = append(wrong, fmt.Sprintf("did not come: %s; came: %s", shown(w), shown(rest)))
			continue
		}
		rest = slices.Delete(rest, i, i+1)
	}
	if only && len(rest) > 0 {
		wrong = append(wrong, "not expected; came: "+shown(rest))
	}
	return wrong
}

func (f Fact) matches(came Fact) bool {
	return f.Fact == came.Fact && f.Denied == came.Denied && (!f.Obstacle || came.Obstacle) && (f.Stage == "" || f.Stage == came.Stage) &&
		(f.On.IsZero() || f.On == came.On) && (f.By == "" || f.By == came.By) && (f.To == "" || f.To == came.To)
}

func (h Holder) matches(came Holder) bool {
	return h.Child == came.Child && h.Role == came.Role && (h.Worker == "" || h.Worker == came.Worker) &&
		(h.From.IsZero() || h.From == came.From) && (h.Until.IsZero() || h.Until == came.Until)
}

// Became is what came, as an expectation: all of it, so that it can be taken over once somebody has found it right.
func (s *Seen) Became() *Expect {
	out := &Expect{Fails: s.Fails, Remark: s.Remark, Disputes: make(map[string]*Dispute)}
	for key, r := range s.Forms {
		out.Disputes[key] = became(r)
	}
	for _, child := range slices.Sorted(maps.Keys(s.People)) {
		r := s.People[child]
		for _, h := range r.Holders {
			out.People = append(out.People, Holder{Child: h.Child, Role: h.Role, Worker: h.Person, From: h.From, Until: h.Until})
		}
		if r.Child != nil && r.Child.Restricted {
			out.Restricted = append(out.Restricted, child)
		}
	}
	return out
}

func became(r drp.Reading) *Dispute {
	d := &Dispute{State: open, Type: r.Subject.Form, Children: r.Subject.Children, Ground: r.Subject.Ground, Theme: r.Subject.Theme,
		Holder: r.Record.Holder.Worker}
	switch {
	case r.Record.Gone:
		d.State = gone
		if r.Record.Why != "" {
			d.Questions = append(d.Questions, "it "+r.Record.Why)
		}
	case r.Record.Authorised:
		d.State = authorised
	}
	for _, f := range r.Fields {
		if d.Fields == nil {
			d.Fields = make(map[string]string)
		}
		d.Fields[f.Name] = f.Value.Reveal()
	}
	for _, x := range r.Statements() {
		f := Fact{Fact: x.Kind, Stage: x.Stage, On: x.On, By: whoever(x.By), Denied: x.Denied, Obstacle: x.Obstacle}
		for _, to := range x.To {
			f.To = whoever(to)
		}
		d.Facts = append(d.Facts, f)
	}
	for _, q := range r.Doubts {
		d.Questions = append(d.Questions, q.What)
	}
	if r.Unclear != "" {
		d.Questions = append(d.Questions, r.Unclear)
	}
	return d
}

func whoever(a drp.Actor) string {
	switch {
	case a.Worker != "":
		return a.Worker
	case a.Role != "":
		return a.Role
	}
	return nobody
}

func orNothing(text string) string {
	if text == "" {
		return "nothing"
	}
	return text
}

// shown writes a value in one line, as it may stand in a file.
func shown(v any) string {
	var n yaml.Node
	if err := n.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	n.Style |= yaml.FlowStyle
	out, err := yaml.Dump(&n, yaml.WithLineWidth(-1))
	if err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSpace(string(out))
}

// Show writes what came as an expectation, to be put under a look.
func (s *Seen) Show() (string, error) {
	out, err := yaml.Dump(map[string]*Expect{"expect": s.Became()}, yaml.WithIndent(2), yaml.WithLineWidth(-1))
	return string(out), err
}
