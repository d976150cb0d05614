package mapping

import (
	"maps"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/workday"
)

// Letter is an email as the mailbox understood it.
type Letter struct {
	From            string
	Sender          string // who sent it for its author, where the message names somebody else
	To              []string
	Cc              []string
	Delivered       []string // the addresses under which the mail server took it in
	Subject         string
	Sent            workday.Date
	Trusted         bool             // aligned authentication by the trusted mail server
	Why             string           // why not
	Auto            bool             // sent by a machine
	Replied         bool             // an automatic answer to somebody's message
	DeliveryReports []DeliveryReport // what became of messages that were sent
	Mentions        string           // of a machine's message: the messages that it quotes or returns, by their ID
	Answers         string           // the In-Reply-To
	Thread          string           // the References
	Text            string           // the body as its author wrote it: quotes left out
	Quoted          string           // the body with what it quotes, where it quotes anything, and the bodies of messages that it carries
	Sheets          []Sheet
	Files           []string // what is attached, by its name or else its kind, whether it could be read or not
	Body            *Sheet   // the body as a form may be written into it; nil: nothing
	Unread          string   // why a part that may be the form could not be read; empty: all was
	Over            string   // why not all of it was read: it is over a limit
	Unsafe          string   // why its files were not opened: whatever opened them ended over it
	Problems        []drp.Doubt
}

// ReadLetter reads an email: the forms in it, the lines by which a prompt is answered, and the fact that it was sent to
// somebody.
func (s *Set) ReadLetter(ev drp.Evidence, l Letter, learned workday.Date) drp.Reading {
	out := drp.Reading{Sender: drp.Actor{Address: drp.NewPrivate(l.From)}, Trusted: l.Trusted, Why: l.Why, Auto: l.Auto, Sent: l.Sent,
		Doubts: l.Problems}
	if l.Sender != "" && l.Sender != l.From {
		out.SentBy.Address = drp.NewPrivate(l.Sender)
	}
	if out.Sent.IsZero() || out.Sent > learned {
		out.Sent = learned
	}
	for i := range out.Doubts {
		out.Doubts[i].Evidence = ev.ID
	}
	if l.Auto {
		out.Deliveries, out.Unclear = s.deliveries(ev.ID, l, out.Sent)
		return out
	}
	took := func(said drp.Statement) drp.Statement {
		said = said.Took(ev.ID, ev.Source, learned)
		if said.By.IsZero() {
			said.By = out.Sender
		}
		return said
	}
	if ref, copied := ev.IsFor(); copied {
		s.copied(ev, l, learned, &out, ref, took)
		return out
	}
	out.Unsafe = l.Unsafe
	out.Harm = s.harm(ev.ID, l)
	out.Subject.Dispute, out.Unclear = s.about(l)
	forms := s.forms(ev, l, &out)
	add := func(f drp.Fact) { out.Say(took(drp.Statement{Fact: f})) }
	for i := range out.Facts {
		out.Facts[i].Learned = learned
	}
	for i := range out.Denials {
		out.Denials[i].Learned = learned
	}
	page := newAccount(pageLines(l.Text, "body"))
	done := forms.typed || answered(ev.ID, l.Text, page, &out, took)
	reached := func(f drp.Fact, addresses []string) {
		for _, to := range addresses {
			if !s.own(to) {
				f.To = append(f.To, drp.Actor{Address: drp.NewPrivate(to)})
			}
		}
		if len(f.To) > 0 {
			add(f)
		}
	}
	if forms.names(l) { // whom it reaches tells which stage it alerts, and whether it does
		forms.stage = ""
	}
	switch alert := (drp.Fact{Kind: drp.Alerted, On: out.Sent, Stage: forms.stage, Attached: forms.read, Position: "header"}); {
	case forms.read: // whoever gets the form is alerted
		reached(alert, slices.Concat(l.To, l.Cc))
	case !done: // what answers a question of drpd's alerts nobody besides
		reached(alert, l.To)
		alert.Copy, alert.Position = true, "header, copies"
		reached(alert, l.Cc)
	}
	asSaid(out.Doubts, took)
	for _, part := range out.Named {
		asSaid(part.Doubts, took)
	}
	if len(out.Named) > 0 && len(out.Facts)+len(out.Denials)+len(out.Rulings) == 0 {
		whole := drp.Reading{Sender: out.Sender, Sent: out.Sent}
		s.words(ev, l, learned, &whole)
		out.Otherwise = whole.Facts
	}
	switch {
	case forms.typed: // the form has the account
	case done || forms.read:
		others := slices.ContainsFunc(slices.Concat(l.To, l.Cc), func(to string) bool { return !s.own(to) })
		l.total(page, &out, ev.ID, forms.read && !done, others)
	default:
		s.words(ev, l, learned, &out)
		page.close(wholeMessage)
	}
	if !forms.typed {
		out.Account = append(out.Account, page.units...)
	}
	for _, ref := range slices.Concat(slices.Sorted(maps.Keys(out.Named)), drp.TokensIn(l.Text)) {
		_, answers := out.Named[ref]
		if (out.Subject.Dispute != "" || answers) && ref != out.Subject.Dispute && !slices.Contains(out.Mentions, ref) {
			out.Mentions = append(out.Mentions, ref)
		}
	}
	return out
}

// copied reads a message once more for another dispute that it names: what its lines say of that one, or else that it came.
func (s *Set) copied(ev drp.Evidence, l Letter, learned workday.Date, out *drp.Reading, ref string,
	took func(drp.Statement) drp.Statement) {
	whole := drp.Reading{Sender: out.Sender, Sent: out.Sent}
	answered(ev.ID, l.Text, newAccount(pageLines(l.Text, "body")), &whole, took)
	part, named := whole.Named[ref]
	out.Subject.Dispute, out.Doubts = ref, nil // the message itself has been asked about
	if !named {
		s.words(ev, l, learned, out)
		return
	}
	asSaid(part.Doubts, took)
	out.Named = map[string]drp.Part{ref: part}
}

// asSaid says of what doubts may still count as that the sender has said it.
func asSaid(doubts []drp.Doubt, took func(drp.Statement) drp.Statement) {
	for i := range doubts {
		for j, f := range doubts[i].Means {
			doubts[i].Means[j] = took(f)
		}
	}
}

// wholeMessage is what the lines of a message in words of its author's own have become.
func wholeMessage(line string) (drp.Ended, string) {
	if strings.TrimSpace(line) == "" {
		return drp.AsBlank, ""
	}
	return drp.AsAnswer, string(drp.MessageCame)
}

// words keeps that a message came in words of its author's own, and to whom. Where its body holds nothing at all the subject is what it
// says, such as the answer that a voting button puts there.
func (s *Set) words(ev drp.Evidence, l Letter, learned workday.Date, out *drp.Reading) {
	f := drp.Fact{Kind: drp.MessageCame, On: out.Sent, By: out.Sender, Text: drp.Opening(l.Text), Position: "body"}
	if strings.TrimSpace(l.Text+l.Quoted) == "" {
		f.Text, f.Position = drp.NewPrivate(l.Subject), "subject"
	}
	if strings.TrimSpace(f.Text.Reveal()) == "" {
		return
	}
	for _, to := range slices.Concat(l.To, l.Cc) {
		if !s.own(to) {
			f.To = append(f.To, drp.Actor{Address: drp.NewPrivate(to)})
		}
	}
	out.Say(drp.Statement{Fact: f}.Took(ev.ID, ev.Source, learned))
}

// formsRead is what the forms of a letter come to.
type formsRead struct {
	read  bool       // there is one, with something in it
	typed bool       // it is the body itself: its lines answer no prompt
	stage string     // the last of which the last form speaks
	later [][]string // the headings of those that follow it, as words
}

// names says whether a letter names a stage that comes after the last of which its form speaks: there is nothing to fill in there when
// that one is alerted.
func (r formsRead) names(l Letter) bool {
	for _, text := range []string{l.Subject, l.Text} {
		named := false
		sentences(text, nil, func(words []string) bool {
			for at := range words {
				for _, h := range r.later {
					rest, ok := after(words[at:], h)
					named = named || ok && len(rest) < len(words)
				}
			}
			return !named
		})
		if named {
			return true
		}
	}
	return false
}

// laterThan gives the headings of the blocks that follow a stage's, as words.
func (f *Form) laterThan(stage string) (out [][]string) {
	i := slices.IndexFunc(f.Stages, func(s FormStage) bool { return s.Stage == stage })
	for _, s := range f.Stages[i+1:] {
		for _, h := range s.bare {
			sentences(h, nil, func(words []string) bool {
				if strings.ContainsAny(h, "0123456789") { // without a number it may be any words
					out = append(out, slices.Clone(words))
				}
				return false
			})
		}
	}
	return out
}

// forms reads the forms of a letter: files, else the body. What stands in the way of counting on them withholds it all.
func (s *Set) forms(ev drp.Evidence, l Letter, out *drp.Reading) (read formsRead) {
	out.Withheld = l.Over
	one := func(f *Form, sheet Sheet, body bool) bool {
		before := out.Subject
		r := &formReader{Form: f, sheet: sheet, ev: ev.ID, source: ev.Source, sender: out.Sender, learned: out.Sent, out: out,
			body: body}
		n := r.read()
		defer r.total()
		if n == 0 {
			out.Doubts = append(out.Doubts, drp.Doubt{What: NothingIn, Position: sheet.Name, Evidence: ev.ID})
			return false
		}
		if read.read && (before.Form != out.Subject.Form || !slices.Equal(before.Children, out.Subject.Children)) {
			out.Withheld = "it carries forms of more than one dispute: ask the sender for each in an email of its own"
		}
		if last := r.stageAt(false); last != "" {
			read.stage, read.later = last, f.laterThan(last)
		}
		read.read = true
		out.Forms = append(out.Forms, drp.FormPart{Evidence: ev.ID, Name: "dispute-form" + sheet.Ext, Digest: sheet.Digest, Sent: out.Sent})
		return true
	}
	for _, sheet := range l.Sheets {
		i := slices.IndexFunc(s.Forms, func(f *Form) bool { return f.is(sheet) })
		if i < 0 {
			out.Doubts = append(out.Doubts, drp.Doubt{What: UnknownForm, Position: sheet.Name, Evidence: ev.ID})
			continue
		}
		one(s.Forms[i], sheet, false)
	}
	if l.Body != nil && !read.read {
		if i := slices.IndexFunc(s.Forms, func(f *Form) bool { return f.is(*l.Body) && f.typed(*l.Body) }); i >= 0 {
			read.typed = one(s.Forms[i], *l.Body, true)
		}
	}
	if out.Withheld == "" && !read.read { // beside a form that was read, what could not be read is a doubt
		out.Withheld = l.Unread
	}
	return read
}
