package records_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/reconcile"
)

// account is what a person would say who looks at the database: of each form whether it is a dispute, and what has happened.
type account struct {
	forms   map[int]saying
	renamed bool
}

// saying is what there is to say of a form.
type saying struct {
	dispute   bool
	children  []string // who can be told of
	worker    string   // their social worker
	facts     []string
	questions []string // what nobody can say without asking
}

// says looks at everything that people have entered.
func (o *office) says() *account {
	out := &account{forms: make(map[int]saying), renamed: o.renamed}
	for _, s := range o.forms {
		out.forms[s.id] = o.saysOf(s)
	}
	return out
}

func (o *office) saysOf(s *step) (out saying) {
	out.worker = s.worker
	leftOut := false
	for _, child := range s.children {
		if leftOut = leftOut || o.leftOut[child]; !o.leftOut[child] && !nobodyAtAll(child) {
			out.children = append(out.children, child)
		}
	}
	slices.Sort(out.children)
	ours := s.template == "2160" || s.template == "2161"
	begun := s.status == "STARTED" || s.status == "REOPENED" || s.status == "COMPLETED" || s.status == "PARKED"
	if out.dispute = ours && begun && (len(out.children) > 0 || !leftOut); !out.dispute {
		return out
	}
	if len(out.children) == 0 {
		out.questions = append(out.questions, "child")
	}
	if s.status == "PARKED" {
		out.questions = append(out.questions, "state")
	}
	given := make(map[string]string)
	for _, q := range questions {
		text, clear := o.given(s, q, out.children)
		if !clear {
			out.questions = append(out.questions, q)
		}
		if given[q] = text; kindOf(q) == "date" && text == "1900-01-01" {
			given[q] = ""
		}
	}
	unclear := func(q string) bool { return slices.Contains(out.questions, q) }
	who := func(q string) string {
		if nobodyAtAll(given[q]) {
			return "nobody"
		}
		return given[q]
	}
	fact := func(kind, stage, on, by string) {
		if on != "" {
			out.facts = append(out.facts, fmt.Sprintf("%s %s %s by %s", kind, stage, on, by))
		}
	}
	fact("raised", "", s.started.String(), who("DRP_RAISED_BY"))
	fact("discussed", "stage-1", given["DRP_S1_DISCUSSED"], "iro")
	fact("responded", "stage-1", given["DRP_S1_RESPONSE_ON"], who("DRP_S1_RESPONSE_BY"))
	fact("finished-and-saved", "stage-1", given["DRP_S1_SAVED_ON"], who("DRP_S1_RESPONSE_BY"))
	fact("responded", "stage-2", given["DRP_S2_RESPONSE_ON"], who("DRP_S2_RESPONSE_BY"))
	fact("meeting-held", "", given["DRP_MEETING_HELD"], "iro")
	on := given["DRP_RESOLVED_ON"]
	if on == "" {
		on = "some day"
	}
	switch {
	case unclear("DRP_RESOLVED_ON"): // which day it was decides from when it counts
	case given["DRP_RESOLVED"] == "Y":
		fact("resolved", "", on, who("DRP_RESOLVED_BY"))
	case given["DRP_RESOLVED"] == "N":
		fact("not resolved", "", on, who("DRP_RESOLVED_BY"))
	}
	if s.status == "COMPLETED" {
		if on = s.completed.String(); s.filler {
			on = "some day"
		}
		fact("authorised", "", on, who("DRP_AUTHORISED_BY"))
	}
	slices.Sort(out.facts)
	return out
}

// given is what a question is answered with. It is not clear where two answers stand side by side, or the children differ.
func (o *office) given(s *step, q string, children []string) (text string, clear bool) {
	of := make(map[string][]answer)
	for _, a := range s.answers {
		if a.question == q && !o.leftOut[a.child] {
			of[a.child] = append(of[a.child], a)
		}
	}
	stands := make(map[string][]string)
	for child, all := range of {
		for _, a := range all {
			newer := func(b answer) bool { return o.timed && b.at.After(a.at) }
			if !slices.ContainsFunc(all, newer) && !slices.Contains(stands[child], a.text) {
				stands[child] = append(stands[child], a.text)
			}
		}
	}
	switch all := stands[""]; len(all) {
	case 0:
	case 1:
		return all[0], true
	default:
		return "", false
	}
	var says []string
	for _, child := range slices.Sorted(maps.Keys(stands)) {
		says = append(says, stands[child]...)
	}
	says = slices.Compact(slices.Sorted(slices.Values(says)))
	whole := !slices.ContainsFunc(children, func(c string) bool { return len(stands[c]) == 0 })
	switch {
	case len(says) == 0, q == "DRP_DESIRED": // words are kept, all of them
		return "", true
	case len(says) == 1 && (whole || len(children) == 1):
		return says[0], true
	}
	return "", false
}

// laws holds what drpd knows, asks and has sent against what a person would say.
func (o *office) laws() {
	ctx := o.t.Context()
	if o.failures > 5 {
		o.fail("nothing has been read for three days, though all is there: %v", o.pollErr)
	}
	disputes, err := o.ledger.Disputes(ctx)
	if err != nil {
		o.t.Fatal(err)
	}
	if o.believed == nil {
		return
	}
	for id, is := range o.believed.forms {
		o.ever[id] = o.ever[id] || is.dispute
	}
	has := make(map[int]bool)
	for _, d := range disputes {
		id, err := strconv.Atoi(d.Record)
		if err != nil || !o.ever[id] {
			o.fail("%s began with record %q, which was no dispute at any time", d.Ref, d.Record)
			continue
		}
		has[id] = true
		c, _, err := o.d.Case(ctx, d.Ref)
		if err != nil {
			o.fail("%s: %v", d.Ref, err)
			continue
		}
		o.like(id, d, c)
	}
	o.told(has)
	o.escalates(disputes)
}

// like holds one dispute against its form.
func (o *office) like(id int, d drp.Dispute, c reconcile.Case) {
	is, f := o.believed.forms[id], c.File
	for _, child := range slices.Concat(d.Children, f.Subject.Children) {
		if nobodyAtAll(child) {
			o.fail("%s is about child %q, who is nobody", d.Ref, child)
		}
	}
	for _, h := range c.Roster {
		if nobodyAtAll(h.Person) {
			o.fail("%s: %q is nobody, and holds the role %s", d.Ref, h.Person, h.Role)
		}
	}
	if f.Record.Gone == is.dispute {
		o.fail("%s: record %d is gone: %v; it is a dispute: %v", d.Ref, id, f.Record.Gone, is.dispute)
		return
	}
	if asked := len(f.Conflicts) > 0; !is.dispute && !asked {
		o.fail("%s: record %d has vanished, and nobody is asked", d.Ref, id)
	}
	if !is.dispute {
		o.count["has vanished"]++
		return
	}
	if got := f.Subject.Children; !slices.Equal(got, is.children) && len(is.children) > 0 {
		o.fail("%s: record %d is about %v, and drpd says %v", d.Ref, id, is.children, got)
	}
	o.people(d, c, is)
	if asks := f.Unclear(); len(asks) > 0 != (len(is.questions) > 0) {
		o.fail("%s: record %d: a person would ask about %v, and drpd asks %q", d.Ref, id, is.questions, what(asks))
	} else if len(asks) > 0 {
		o.count["questions"]++
		if n := len(reconcile.Decide(c).Conflicts); n == 0 {
			o.fail("%s: record %d: nobody is told of what is unclear: %v", d.Ref, id, is.questions)
		}
	}
	if got := factsOf(f); !sameFacts(got, is.facts) {
		o.fail("%s: record %d says\n%s\nand drpd takes for true\n%s", d.Ref, id, strings.Join(is.facts, "\n"), strings.Join(got, "\n"))
	}
}

// what gives the sentences of questions.
func what(asks []drp.Unclear) (out []string) {
	for _, u := range asks {
		out = append(out, u.Of[0].What)
	}
	return out
}

// people sees that whoever works with the children holds their role, and nobody else.
func (o *office) people(d drp.Dispute, c reconcile.Case, is saying) {
	if !d.Open || len(is.children) == 0 {
		return
	}
	want := map[string]string{"team-manager": "131"}
	if is.worker != "-1" {
		want["social-worker"] = is.worker
	}
	if !o.believed.renamed {
		want["iro"] = "101"
	}
	for role, worker := range want {
		i := slices.IndexFunc(c.Roster, func(h drp.Holder) bool { return h.Role == role && h.Child == is.children[0] })
		if i < 0 || c.Roster[i].Person != worker || c.Roster[i].Address.Empty() || !c.Roster[i].Until.IsZero() {
			o.fail("%s: the %s of %s should be %s", d.Ref, role, is.children[0], worker)
		}
	}
}

// factsOf gives what the record is taken to say.
func factsOf(f drp.File) (out []string) {
	for _, x := range f.Statements() {
		if x.Source != source {
			continue
		}
		by, kind := x.By.Worker+x.By.Role, string(x.Kind)
		if by == "" {
			by = "nobody"
		}
		if x.Denied {
			kind = "not " + kind
		}
		out = append(out, fmt.Sprintf("%s %s %s by %s", kind, x.Stage, x.On, by))
	}
	slices.Sort(out)
	return out
}

// sameFacts compares; a fact of some day may have any.
func sameFacts(got, want []string) bool {
	return slices.EqualFunc(got, want, func(g, w string) bool {
		before, after, open := strings.Cut(w, "some day")
		return g == w || open && strings.HasPrefix(g, before) && strings.HasSuffix(g, after)
	})
}

// told sees that what is a dispute is one, or that somebody is told why not; and so of what else is odd.
func (o *office) told(has map[int]bool) {
	for id, is := range o.believed.forms {
		if is.dispute && !has[id] {
			o.fail("record %d is a dispute, and drpd knows none", id)
		}
		if is.dispute && len(is.children) == 0 {
			o.count["about nobody who is known"]++
		}
	}
	health, err := o.ledger.Sources(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	bad := slices.ContainsFunc(health, func(h port.Health) bool { return h.FailedSince > 0 })
	if o.stale() && !bad {
		o.fail("the copy is older than its limit, and counts as read")
	}
	if was := o.before; was != nil && o.read && o.believed.renamed && !was.renamed && o.staffed(was) > 1 && o.staffed(o.believed) > 1 {
		var remark port.Remark
		if !errors.As(o.pollErr, &remark) || !strings.Contains(remark.Error(), `"REL.REVIEWING" came`) {
			o.fail("a title was renamed, and nobody is told: %v", o.pollErr)
		}
		o.count["told of a title"]++
	}
}

// staffed counts the children of disputes.
func (o *office) staffed(a *account) (n int) {
	for _, is := range a.forms {
		if is.dispute {
			n += len(is.children)
		}
	}
	return n
}

// escalates sees that no dispute goes up by itself over an old copy, nor over what nobody has understood.
func (o *office) escalates(disputes []drp.Dispute) {
	for _, key := range slices.Sorted(maps.Keys(o.mail.Sent)) {
		for _, e := range o.mail.Sent[key] {
			if e.Reason != drp.ReasonAlert || o.sent[key] {
				continue
			}
			o.sent[key] = true
			i := slices.IndexFunc(disputes, func(d drp.Dispute) bool { return d.Ref == e.Dispute })
			id, err := strconv.Atoi(disputes[i].Record)
			if err != nil || e.Stage == "stage-1" {
				continue
			}
			is := o.believed.forms[id]
			o.count["escalated"]++
			switch {
			case o.stale():
				o.fail("%s goes up to %s over a copy that is %s old", e.Dispute, e.Stage, o.clock.Sub(o.loaded))
			case !is.dispute:
				o.fail("%s goes up to %s, and its record is none any more", e.Dispute, e.Stage)
			case slices.ContainsFunc(is.questions, func(q string) bool { return endsOrAnswers(q, e.Stage) }):
				o.fail("%s goes up to %s over what is not understood: %v", e.Dispute, e.Stage, is.questions)
			}
		}
	}
}

// endsOrAnswers says whether a question may be what those wait for who go up to a stage: an end, or the answer of the stage before it.
func endsOrAnswers(question, to string) bool {
	return question == "DRP_RESOLVED" || question == "DRP_RESOLVED_ON" ||
		to == "stage-2" && (question == "DRP_S1_RESPONSE_ON" || question == "DRP_S1_SAVED_ON") ||
		to == "stage-3" && question == "DRP_S2_RESPONSE_ON"
}

var _ daemon.Source = (*office)(nil)
