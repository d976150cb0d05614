// Package letter puts a decision into words: emails in text and HTML, and case notes.
//
// It promises: no name stands in a subject; a body names the child by record number and nothing else, but where it quotes a
// message for whoever is asked what it means; a case note holds no free text and names no sibling; every email says what is asked,
// of whom, by when, how the date was counted, on which clause it rests, and how to answer. The words are templates; an authority's
// own, in the FS that it gives, go before the shipped ones.
package letter

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"slices"
	"strings"
	"text/template"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/strict"
)

//go:embed templates/*.tmpl
var shipped embed.FS

// Letter is an email in words.
type Letter struct {
	Subject    string
	Text, HTML string
	Files      []File
}

// File is something attached to a letter.
type File struct {
	Name, Type string
	Data       []byte
}

// Writer writes letters and notes from templates.
type Writer struct {
	Mailbox   string // to which answers go; empty: letters have no links that answer
	authority string
	shared    wording
	own       map[string]wording // by policy
}

// wording is a set of templates.
type wording struct {
	text, note, digest *template.Template
	html, digestHTML   *htmltemplate.Template
}

// The templates of a set, by the names of their files.
const (
	textFile = "email.txt.tmpl"
	htmlFile = "email.html.tmpl"
	noteFile = "note.txt.tmpl"

	digestFile     = "digest.txt.tmpl" // of several procedures: not in the folder of one
	digestHTMLFile = "digest.html.tmpl"
)

// NewWriter reads the templates. Those in own (which may be nil) go before the shipped ones of the same name, and those in
// a folder of it that is named as a policy go before both, for that policy's disputes. A name that is neither is an error.
func NewWriter(authority string, own fs.FS, set policy.Set) (*Writer, error) {
	w := &Writer{authority: authority, own: make(map[string]wording)}
	base, err := fs.Sub(shipped, "templates")
	if err != nil {
		return nil, err
	}
	if own == nil {
		w.shared, err = readWording(base)
		return w, err
	}
	entries, err := fs.ReadDir(own, ".")
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	if w.shared, err = readWording(own, base); err != nil {
		return nil, err
	}
	for _, e := range entries {
		switch {
		case !e.IsDir() && slices.Contains(append(ofPolicy(), digestFile, digestHTMLFile), e.Name()):
		case !e.IsDir():
			return nil, noSuch(e.Name(), append(ofPolicy(), digestFile, digestHTMLFile))
		case !slices.ContainsFunc(set, func(p *policy.Policy) bool { return p.ID == e.Name() }):
			return nil, fmt.Errorf("templates: folder %s is named as no policy that is loaded", e.Name())
		default:
			sub, err := fs.Sub(own, e.Name())
			if err != nil {
				return nil, err
			}
			inside, err := fs.ReadDir(sub, ".")
			if err != nil {
				return nil, fmt.Errorf("templates: %w", err)
			}
			for _, f := range inside {
				if !slices.Contains(ofPolicy(), f.Name()) {
					return nil, noSuch(e.Name()+"/"+f.Name(), ofPolicy())
				}
			}
			if w.own[e.Name()], err = readWording(sub, own, base); err != nil {
				return nil, fmt.Errorf("folder %s: %w", e.Name(), err)
			}
		}
	}
	return w, nil
}

// ofPolicy are the templates that a policy can have of its own.
func ofPolicy() []string { return []string{textFile, htmlFile, noteFile} }

func noSuch(name string, known []string) error {
	return fmt.Errorf("template %s: no template has this name: a file is one of %s", name, strings.Join(known, ", "))
}

// readWording reads a set, each template from the first of the layers that has it.
func readWording(layers ...fs.FS) (out wording, err error) {
	funcs := map[string]any{"join": strings.Join}
	parse := func(name string, with func(src string) error) {
		if err != nil {
			return
		}
		var src []byte
		for _, l := range layers {
			if src, err = fs.ReadFile(l, name); !errors.Is(err, fs.ErrNotExist) {
				break
			}
		}
		if err == nil {
			src, err = strict.Text(name, src)
		}
		if err == nil {
			err = with(string(src))
		}
		if err != nil {
			err = fmt.Errorf("template %s: %w", name, err)
		}
	}
	parse(textFile, func(s string) (err error) { out.text, err = template.New(textFile).Funcs(funcs).Parse(s); return })
	parse(noteFile, func(s string) (err error) { out.note, err = template.New(noteFile).Funcs(funcs).Parse(s); return })
	parse(digestFile, func(s string) (err error) { out.digest, err = template.New(digestFile).Funcs(funcs).Parse(s); return })
	parse(htmlFile, func(s string) (err error) {
		out.html, err = htmltemplate.New(htmlFile).Funcs(funcs).Parse(s)
		return
	})
	parse(digestHTMLFile, func(s string) (err error) {
		out.digestHTML, err = htmltemplate.New(digestHTMLFile).Funcs(funcs).Parse(s)
		return
	})
	return out, err
}

// of gives the templates for a policy's disputes.
func (w *Writer) of(p *policy.Policy) wording {
	if own, ok := w.own[p.ID]; ok {
		return own
	}
	return w.shared
}

// Authority is whose letters they are.
func (w *Writer) Authority() string { return w.authority }

type answer struct{ Line, Text, Link string }

// view is what the templates see.
type view struct {
	Authority, Subject, Headline, Ref, Procedure, Stage, Source, Key string
	Children, Paragraphs, Reach, Consult, Agenda, Proof              []string
	Draft                                                            []string
	Quote                                                            []string // what somebody wrote, line by line
	QuoteTitle                                                       string
	DraftTitle                                                       string
	Due, DueWords, Clause, ClauseWords, Reading                      string
	Answers                                                          []answer
	Dated                                                            bool // a date may stand in an answer
}

// Email writes the letter of an effect. The fields of the dispute are used only where the effect carries the record.
func (w *Writer) Email(p *policy.Policy, e drp.Effect, file drp.File) (Letter, error) {
	e.Also = append(slices.Clone(e.Also), raising(p, e, file)...)
	v := w.view(p, e, file.Subject.Children)
	if len(e.Asks) > 0 { // who may not decide what it means is not shown it
		v.Quote, v.QuoteTitle = quoted(e, file)
	}
	return w.email(p, e, file, v)
}

// raising says who raised the dispute that a letter asks to confirm, and what it is about.
func raising(p *policy.Policy, e drp.Effect, file drp.File) (out []string) {
	i := slices.IndexFunc(file.Facts, func(f drp.Fact) bool { return f.Kind == drp.Raised && slices.Contains(e.Evidence, f.Evidence) })
	if e.Reason != drp.ReasonConfirm || i < 0 {
		return nil
	}
	f := file.Facts[i]
	who := f.By
	if file.NameOf(who).Empty() && who.Worker == "" && !f.Said.IsZero() {
		who = f.Said
	}
	words := cmp.Or(file.NameOf(who).Reveal(), "somebody who is not named")
	if who.Worker != "" {
		words = cmp.Or(file.NameOf(who).Reveal(), "worker") + " (" + who.Worker + " in the record system)"
	}
	if f.By.Role != "" {
		words += ", as " + p.RoleTitle(f.By.Role)
	}
	out = append(out, "it was raised on "+f.On.Long()+" by "+words)
	if about := strings.Join(slices.DeleteFunc([]string{file.Subject.Ground, file.Subject.Theme}, func(s string) bool { return s == "" }),
		", "); about != "" {
		out = append(out, "the concern: "+about)
	}
	return out
}

// quoted gives what somebody wrote that is asked about: its first lines, for whoever is to decide what it means.
func quoted(e drp.Effect, file drp.File) (lines []string, title string) {
	const most, long = 12, 300
	var words []drp.Private
	if e.Reason == drp.ReasonMessage {
		title = "They wrote:"
		for _, f := range file.Facts {
			if f.Kind == drp.MessageCame && slices.Contains(e.Evidence, f.Evidence) {
				words = append(words, f.Text)
			}
		}
	}
	for _, u := range file.Unclear() {
		if slices.ContainsFunc(e.Asks, func(a drp.Ask) bool { return a.About == drp.AboutQuestion(u.ID()) }) {
			title, words = "You wrote:", append(words, u.Passage())
		}
	}
	for _, w := range words {
		for line := range strings.Lines(w.Reveal()) {
			line = strings.TrimSpace(line)
			switch {
			case line == "":
				continue
			case len(lines) == most:
				return append(lines, "(it goes on)"), title
			case len([]rune(line)) > long:
				line = string([]rune(line)[:long]) + " (it goes on)"
			}
			lines = append(lines, line)
		}
	}
	return lines, title
}

func (w *Writer) email(p *policy.Policy, e drp.Effect, file drp.File, v view) (Letter, error) {
	out := Letter{Subject: v.Subject}
	var text, html bytes.Buffer
	if err := w.of(p).text.Execute(&text, v); err != nil {
		return out, fmt.Errorf("email template: %w", err)
	}
	if err := w.of(p).html.Execute(&html, v); err != nil {
		return out, fmt.Errorf("email template: %w", err)
	}
	out.Text, out.HTML = text.String(), html.String()
	for _, what := range e.Attach {
		if what == policy.AttachRecord && e.Reason == drp.ReasonAlert {
			out.Files = append(out.Files, record(p, e, file))
		}
	}
	return out, nil
}

// Note writes a case note.
func (w *Writer) Note(p *policy.Policy, e drp.Effect) (string, error) {
	var b bytes.Buffer
	if err := w.of(p).note.Execute(&b, w.view(p, e, []string{e.Child})); err != nil {
		return "", fmt.Errorf("note template: %w", err)
	}
	return b.String(), nil
}

func (w *Writer) view(p *policy.Policy, e drp.Effect, children []string) view {
	v := view{Authority: w.authority, Ref: e.Dispute, Procedure: p.Title, Source: p.Title, Key: e.Key, Children: children,
		Clause: e.Clause, ClauseWords: p.Clauses[e.Clause], Agenda: e.Agenda, Consult: p.Titles(e.Consult), Reach: p.Titles(e.MustReach)}
	if s := p.Stage(e.Stage); s != nil {
		v.Stage = s.Title
	}
	v.Headline, v.Paragraphs = textOf(p, e)
	for _, also := range e.Also {
		v.Paragraphs = append(v.Paragraphs, sentence(also))
	}
	v.Subject = v.Headline
	if e.Dispute != "" {
		v.Subject = "[" + e.Dispute + "] " + v.Headline
	}
	if !e.Due.IsZero() {
		v.Due, v.DueWords = e.Due.Long(), "Due by the end of"
		if e.Due < e.On && e.Reason == drp.ReasonAlert {
			v.DueWords = "It was due by the end of"
		}
		if e.Reason == drp.ReasonCorrection && e.Before.IsZero() { // what they were told before holds for them
			v.DueWords = "By the procedure, the end of"
		}
		if e.Reason == drp.ReasonAsk || e.Reason == drp.ReasonMessage || e.Reason == drp.ReasonLastDay || e.Reason == drp.ReasonReferral {
			v.DueWords = "The limit of the stage: the end of"
		}
		if s := p.Stage(e.Stage); s != nil {
			if k := s.Clock(s.Limit); k != nil {
				v.Reading = k.Reading
				if k.Force != policy.Maximum && e.Reason == drp.ReasonAlert {
					v.DueWords = "Target, by the end of"
				}
			}
		}
	}
	if e.Proof.From != 0 && e.Kind == drp.Email {
		v.Proof = strings.Split(strings.TrimSpace(e.Proof.String()), "\n")
	}
	if e.Reason == drp.ReasonDraft {
		alert := e
		alert.Reason, alert.To, alert.Says = drp.ReasonAlert, e.MustReach[:min(1, len(e.MustReach))], e.Draft
		var body []string
		v.DraftTitle, body = textOf(p, alert)
		v.Draft = body
	}
	for _, a := range e.Asks {
		v.Dated = v.Dated || a.Fact != ""
		v.Answers = append(v.Answers, answer{Line: AnswerLine(a, e), Text: a.Text})
	}
	return v
}

// AnswerLine is the line by which a person answers a prompt; mapping reads it back.
func AnswerLine(a drp.Ask, e drp.Effect) string {
	what := strings.ReplaceAll(string(a.Fact), "-", " ")
	switch {
	case a.Choice != "":
		return drp.Ruling{About: cmp.Or(a.About, drp.AboutDispute), Choice: a.Choice}.Line()
	case a.Fact == drp.Alerted:
		return drp.Ruling{About: drp.AboutSend, Choice: e.Visit}.Line()
	case a.Fact == drp.Escalated && a.Stage != "":
		return "Escalated to " + a.Stage + ": yes"
	case a.Fact == drp.Consulted:
		return "Consulted " + strings.Join(e.Consult, " and ") + ": yes"
	}
	return strings.ToUpper(what[:1]) + what[1:] + ": yes"
}

// textOf gives the headline and the paragraphs of an effect, by its reason.
func textOf(p *policy.Policy, e drp.Effect) (string, []string) {
	stage := e.Stage
	if s := p.Stage(e.Stage); s != nil {
		stage = s.Title
	}
	next := ""
	if s := p.Stage(e.Next); s != nil {
		next = s.Title
	}
	switch e.Reason {
	case drp.ReasonAlert:
		headline, out := alertText(p, e, stage, next)
		if e.Kind == drp.Email && len(e.MustReach) == 0 && len(e.Asks) > 0 && !slices.Equal(e.To, p.Owners(e.Stage)) {
			out = append(out, "To answer, reply to this email with the line below and your answer under it, or send the form: they get it, and "+
				"drpd notes that it came.")
		}
		return headline, out
	case drp.ReasonLastDay:
		return lastDay(e, stage), []string{sentence(e.Says)}
	case drp.ReasonAsk:
		out := []string{sentence(e.Says)}
		if next != "" {
			out = append(out, "Is it resolved? If not, the next stage is: "+next+".")
		}
		return "Your decision is asked for: " + stage, out
	case drp.ReasonMessage:
		return "Is this their answer? " + stage, []string{sentence(e.Says)}
	case drp.ReasonDraft:
		return "Your written alert has not been seen: " + stage,
			[]string{sentence(e.Says), "If you have sent it elsewhere, send it again with the dispute's mailbox in copy. Or have drpd send it on " +
				"your behalf."}
	case drp.ReasonMeeting:
		if e.Kind == drp.CaseNote {
			return "Meeting", []string{"A meeting was requested on " + e.On.String() + "."}
		}
		return "Agenda for the meeting", []string{sentence(e.Says)}
	case drp.ReasonCorrection:
		if e.Kind == drp.CaseNote && e.Says != "" {
			return "Correction", []string{sentence(e.Says)}
		}
		if e.Kind == drp.CaseNote {
			return "Correction", []string{"A correction of an earlier alert was sent on " + e.On.String() + "."}
		}
		out := []string{"This corrects what you were told before: " + e.Says + "."}
		if !e.Before.IsZero() {
			out = append(out, "The date stated before was "+e.Before.Long()+"; it no longer holds.")
		}
		return "Correction: " + stage, out
	case drp.ReasonEmergency:
		return "Urgent: act on this now", []string{sentence(e.Says)}
	case drp.ReasonEnd:
		return "The dispute has ended", []string{sentence(e.Says)}
	case drp.ReasonFollowUp:
		return "Still to do: " + e.Says, []string{"This must follow what was recorded, and nothing shows it yet: " + e.Says + "."}
	case drp.ReasonPack:
		return "Referral to CAFCASS", []string{"The referral to CAFCASS that was confirmed went out on " + e.On.String() + "."}
	case drp.ReasonReferral:
		return "Referral to CAFCASS is yours to decide",
			[]string{sentence(e.Says), "The power to refer is yours. Nothing is sent to CAFCASS unless you confirm it; until then this stays " +
				"a daily finding."}
	case drp.ReasonReferred:
		return "The referral to CAFCASS: how does it stand?",
			[]string{sentence(e.Says), "Until you answer, nobody else is asked about this dispute."}
	case drp.ReasonAuthorise:
		return "The record waits for you to authorise it", []string{sentence(e.Says)}
	case drp.ReasonConfirm:
		return "Please confirm a dispute today", []string{sentence(e.Says), "Its clock runs already. Nobody else has been told."}
	case drp.ReasonAttention:
		out := []string{sentence(e.Says)}
		switch {
		case e.Rule == drp.RulePassage:
			return "What did you mean?", out
		case e.Dispute == "":
		case e.Rule == drp.RuleConflict:
			out = append(out, "drpd conflict show "+e.Dispute+" shows what it is about, and how it is settled.")
		default:
			out = append(out, "drpd explain "+e.Dispute+" shows how it stands, and why.")
		}
		if e.Urgent {
			return "Urgent: act on this now", out
		}
		return "Something waits for a person", out
	case drp.ReasonInform:
		if len(e.Asks) > 0 {
			return "You are asked: " + stage, []string{sentence(e.Says)}
		}
		return "For your attention", []string{sentence(e.Says), "Nothing is asked of you by this message."}
	case drp.ReasonAnswer:
		return "Answer", []string{sentence(e.Says)}
	}
	return string(e.Reason), []string{sentence(e.Says)}
}

// lastDay is the headline of what goes out about the last day of a stage: on it, before it where it is no working day, or after it.
func lastDay(e drp.Effect, stage string) string {
	switch {
	case e.Due.IsZero() || e.On == e.Due:
		return "Today is the last day of " + stage
	case e.On > e.Due:
		return "The last day of " + stage + " has passed"
	}
	return e.Due.Long() + " is the last day of " + stage
}

// alertText are those of an alert and of its case note.
func alertText(p *policy.Policy, e drp.Effect, stage, next string) (string, []string) {
	to := strings.Join(p.Titles(e.To), " and the ")
	owner, owns := strings.Join(p.Titles(p.Owners(e.Stage)), " and the "), " owns"
	if len(p.Owners(e.Stage)) > 1 {
		owns = " own"
	}
	if e.Kind == drp.CaseNote {
		return "Alert", []string{"The written alert of this stage went to: " + to + ", on " + e.On.String() + "."}
	}
	out := []string{"This dispute is now with you, the " + to + "."}
	if e.Says != "" {
		out = append(out, "You are asked to: "+e.Says+".")
	}
	if next != "" {
		out = append(out, "If it is not resolved in time, it goes on to: "+next+".")
	}
	headline := stage + ": your answer is asked for"
	if s := p.Stage(e.Stage); s != nil && s.Answer == nil {
		headline = stage + ": now with you"
	}
	if slices.Equal(e.To, p.Owners(e.Stage)) {
		return headline, out // it is theirs
	}
	return headline, append(out, "The "+owner+owns+" this dispute.")
}

func sentence(s string) string {
	if s == "" || strings.HasPrefix(s, "drpd ") { // a command stands as it is typed
		return s
	}
	s = strings.ToUpper(s[:1]) + s[1:]
	if !strings.HasSuffix(s, ".") && !strings.HasSuffix(s, "?") {
		s += "."
	}
	return s
}

// record lays out what the record holds, for a tier that does not work in the record system.
func record(p *policy.Policy, e drp.Effect, file drp.File) File {
	var b strings.Builder
	fmt.Fprintf(&b, "Dispute %s, %s\r\nChild: record number %s\r\n", e.Dispute, p.Title, strings.Join(file.Subject.Children, ", "))
	for _, name := range []string{"details", "desired", "steps", "action", "views"} {
		f := file.Fields[name]
		value := f.Value.Reveal()
		if value == "" {
			value = "(not stated)"
		}
		fmt.Fprintf(&b, "\r\n%s\r\n%s\r\n", strings.ToUpper(name[:1])+name[1:], value)
	}
	return File{Name: "dispute-" + e.Dispute + ".txt", Type: "text/plain", Data: []byte(b.String())}
}
