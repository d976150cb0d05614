package mapping

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/workday"
)

// Letter is an email as the mailbox understood it.
type Letter struct {
	From      string
	To        []string
	Delivered []string // the addresses under which the mail server took it in
	Subject   string
	Sent      workday.Date
	Trusted   bool     // aligned authentication by the trusted mail server
	Why       string   // why not
	Auto      bool     // sent by a machine
	Replied   bool     // an automatic answer to somebody's message
	Reports   []Report // what became of messages that were sent
	Mentions  string   // of a machine's message: the messages that it quotes or returns, by their ID
	Answers   string   // the In-Reply-To
	Thread    string   // the References
	Text      string   // the body as its author wrote it: quotes left out
	Sheets    []Sheet
	Body      *Sheet // the body as a form may be written into it; nil: nothing
	Unread    string // why a part that may be the form could not be read; empty: all was
	Over      string // why not all of it was read: it is over a limit
	Problems  []drp.Doubt
}

// ReadLetter reads an email: the forms in it, the lines by which a prompt is answered, and the fact that it was sent to
// somebody.
func (s *Set) ReadLetter(ev drp.Evidence, l Letter, learned workday.Date) drp.Reading {
	out := drp.Reading{Sender: drp.Actor{Address: drp.NewPrivate(l.From)}, Trusted: l.Trusted, Why: l.Why, Auto: l.Auto, Sent: l.Sent, Doubts: l.Problems}
	if out.Sent.IsZero() || out.Sent > learned {
		out.Sent = learned
	}
	for i := range out.Doubts {
		out.Doubts[i].Evidence = ev.ID
	}
	if l.Auto {
		out.Reach, out.Unclear = s.reach(ev.ID, l, out.Sent)
		return out
	}
	out.Subject.Dispute, out.Unclear = s.about(l)
	forms := s.forms(ev, l, &out)
	add := func(f drp.Fact) {
		f.Evidence, f.Source, f.Learned = ev.ID, ev.Source, learned
		if f.By.IsZero() {
			f.By = out.Sender
		}
		out.Facts = append(out.Facts, f)
	}
	for i := range out.Facts {
		out.Facts[i].Learned = learned
	}
	answered := forms.typed || s.answers(ev.ID, l.Text, &out, add)
	var reached []drp.Actor
	for _, to := range l.To {
		if !s.own(to) {
			reached = append(reached, drp.Actor{Address: drp.NewPrivate(to)})
		}
	}
	if len(reached) > 0 {
		add(drp.Fact{Kind: drp.Alerted, On: out.Sent, To: reached, Stage: forms.stage, Attached: forms.read, Place: "header"})
	}
	if !answered && !forms.read && strings.TrimSpace(l.Text) != "" {
		add(drp.Fact{Kind: drp.Responded, On: out.Sent, Text: drp.NewPrivate(l.Text), Place: "body"})
	}
	return out
}

// formsRead is what the forms of a letter come to.
type formsRead struct {
	read  bool   // there is one, with something in it
	typed bool   // it is the body itself: its lines answer no prompt
	stage string // the last of which the last form speaks
}

// forms reads the forms of a letter: files, else the body. What stands in the way of counting on them withholds it all.
func (s *Set) forms(ev drp.Evidence, l Letter, out *drp.Reading) (read formsRead) {
	out.Withheld = l.Over
	one := func(f *Form, sheet Sheet) bool {
		before := out.Subject
		r := &formReader{Form: f, sheet: sheet, ev: ev.ID, source: ev.Source, sender: out.Sender, learned: out.Sent, out: out}
		if r.read() == 0 {
			out.Doubts = append(out.Doubts, drp.Doubt{What: NothingIn, Place: sheet.Name, Evidence: ev.ID})
			return false
		}
		if read.read && (before.Form != out.Subject.Form || !slices.Equal(before.Children, out.Subject.Children)) {
			out.Withheld = "it carries forms of more than one dispute: ask the sender for each in an email of its own"
		}
		if last := r.stageAt(false); last != "" {
			read.stage = last
		}
		read.read = true
		out.Forms = append(out.Forms, drp.FormPart{Evidence: ev.ID, Name: "dispute-form" + sheet.Ext, Digest: sheet.Digest, Sent: out.Sent})
		return true
	}
	for _, sheet := range l.Sheets {
		i := slices.IndexFunc(s.Forms, func(f *Form) bool { return f.is(sheet) })
		if i < 0 {
			out.Doubts = append(out.Doubts, drp.Doubt{What: UnknownForm, Place: sheet.Name, Evidence: ev.ID})
			continue
		}
		one(s.Forms[i], sheet)
	}
	if l.Body != nil && !read.read {
		if i := slices.IndexFunc(s.Forms, func(f *Form) bool { return f.is(*l.Body) && f.typed(*l.Body) }); i >= 0 {
			read.typed = one(s.Forms[i], *l.Body)
		}
	}
	if out.Withheld == "" && !read.read { // beside a form that was read, what could not be read is a doubt
		out.Withheld = l.Unread
	}
	return read
}

// answers reads the lines by which a prompt is answered: "Resolved: yes", "Consulted team-manager: 4 March 2026",
// "Escalated to stage-3: yes", "Send stage-3.1: yes", "Confirm: yes".
func (s *Set) answers(ev, text string, out *drp.Reading, add func(drp.Fact)) bool {
	any := false
	var said []drp.Fact
	var rulings []drp.Ruling
	lines := make(map[string][]string) // by what they answer to
	unclear := func(what, passage string) {
		out.Doubts = append(out.Doubts, drp.Doubt{What: what, Place: "answer line", Passage: drp.NewPrivate(passage), Evidence: ev})
	}
	for _, line := range strings.Split(text, "\n") {
		_, line = refBefore(line)
		head, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		head, value = plain(head), strings.TrimSpace(value)
		if about, choice := rulingOf(head); about != "" && value != "" {
			lines[about] = append(lines[about], line)
			yes, known := yesNo(value)
			switch {
			case !known:
				unclear(fmt.Sprintf("the answer to %q is neither yes nor no", head), value)
				continue
			case about == drp.AboutDispute && !yes:
				choice = drp.Reject
			case !yes: // not to be sent, as it is without an answer
				any = true
				continue
			}
			any = true
			if !slices.ContainsFunc(rulings, func(r drp.Ruling) bool { return r.About == about && r.Choice == choice }) {
				rulings = append(rulings, drp.Ruling{About: about, Choice: choice, Said: out.Sender, On: out.Sent, Evidence: ev})
			}
			continue
		}
		kind, rest := factOf(head)
		if kind == "" || value == "" {
			continue
		}
		if kind == drp.Reassigned {
			unclear("whether the record was reassigned is for the record system to say", line)
			continue
		}
		if rest != "" && !namesAfter(kind) { // words about it, such as "resolved in part": no answer, and no silence either
			if _, known := yesNo(value); known {
				unclear(fmt.Sprintf("a line answers to more than %q alone: what does it mean?", kind), line)
			}
			continue
		}
		any = true
		lines[string(kind)] = append(lines[string(kind)], line)
		f := drp.Fact{Kind: kind, On: out.Sent, Place: "answer line"}
		for _, name := range strings.Split(strings.TrimPrefix(rest, "to "), " and ") {
			if name = strings.TrimSpace(name); name == "" {
				continue
			}
			if kind == drp.Escalated {
				f.Stage = name
			} else {
				f.To = append(f.To, drp.Actor{Role: name})
			}
		}
		if yes, known := yesNo(value); known {
			f.Denied = !yes
		} else if on, err := ParseDay(value, nil); err == nil && kind.SetsDate() {
			f.Until = on
		} else if err == nil {
			f.On = on
		} else {
			unclear(fmt.Sprintf("the answer to %q is neither yes, no nor a date", kind), value)
			continue
		}
		said = append(said, f)
	}
	for i, f := range said {
		against := func(g drp.Fact) bool {
			return g.Kind == f.Kind && g.Stage == f.Stage && slices.Equal(g.To, f.To) && (g.Denied != f.Denied || g.On != f.On || g.Until != f.Until)
		}
		switch {
		case !slices.ContainsFunc(said, against):
			add(f)
		case !slices.ContainsFunc(said[:i], against): // told once
			unclear(fmt.Sprintf("two lines answer to %q, and not the same", f.Kind), strings.Join(lines[string(f.Kind)], "\n"))
		}
	}
	chose := func(choice string) bool {
		return slices.ContainsFunc(rulings, func(r drp.Ruling) bool { return r.About == drp.AboutDispute && r.Choice == choice })
	}
	if chose(drp.Confirm) && chose(drp.Reject) {
		unclear("two lines answer to \"confirm\", and not the same", strings.Join(lines[drp.AboutDispute], "\n"))
		rulings = slices.DeleteFunc(rulings, func(r drp.Ruling) bool { return r.About == drp.AboutDispute })
	}
	out.Rulings = append(out.Rulings, rulings...)
	return any
}

// rulingOf says what a line rules on: "confirm", whether there is a dispute; "send stage-3.1", the alert of a visit.
func rulingOf(head string) (about, choice string) {
	if head == "confirm" {
		return drp.AboutDispute, drp.Confirm
	}
	if visit, ok := strings.CutPrefix(head, "send "); ok && visitID.MatchString(visit) {
		return drp.AboutSend, visit
	}
	return "", ""
}

var visitID = regexp.MustCompile(`^[a-z0-9-]+\.\d+$`)

// namesAfter says whether a line about a fact goes on with whom it reached, or with a stage.
func namesAfter(k drp.FactKind) bool {
	return k == drp.Escalated || k == drp.Consulted || k == drp.Discussed || k == drp.Telephoned || k == drp.Alerted
}

// isAnswer says whether a line answers a prompt.
func isAnswer(line string) bool {
	head, _, ok := strings.Cut(line, ":")
	head = plain(head)
	kind, _ := factOf(head)
	about, _ := rulingOf(head)
	return ok && (kind != "" || about != "")
}

// factOf finds the fact whose name a line begins with, the longest that fits.
func factOf(head string) (drp.FactKind, string) {
	best, rest := drp.FactKind(""), ""
	for _, k := range drp.FactKinds() {
		name := strings.ReplaceAll(string(k), "-", " ")
		if tail, ok := strings.CutPrefix(head, name); ok && (tail == "" || tail[0] == ' ') && len(k) > len(best) {
			best, rest = k, strings.TrimSpace(tail)
		}
	}
	return best, rest
}
