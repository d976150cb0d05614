package mapping

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"drpd/core/drp"
)

// lineReader reads the lines by which a prompt is answered: "Resolved: yes", "Consulted team-manager: 4 March 2026",
// "Escalated to stage-3: yes", "Send stage-3.1: yes", "Confirm: yes". What nearly is such a line is a doubt.
type lineReader struct {
	ev      string
	out     *drp.Reading
	said    []drp.Statement
	rulings []drp.Ruling
	lines   drp.Lines
	page    *account
	at      int // the line that is read
}

// AnswerAbove is what a line is that the doubt about the line above it quotes too.
const AnswerAbove = "the answer to the line above"

// maxLines are the lines that a person may answer by in one letter: a question asks for a handful.
const maxLines = 100

// lines are those of a letter: of each dispute that some of them name, and under "" those that name none.
type lines struct {
	ev   string
	out  *drp.Reading
	page *account
	of   map[string]*lineReader
}

// under gives the reader of the lines that name a dispute. What it reads counts under no other.
func (l *lines) under(ref string) *lineReader {
	if r := l.of[ref]; r != nil {
		return r
	}
	r := &lineReader{ev: l.ev, out: l.out, lines: make(drp.Lines), page: l.page}
	if ref != "" {
		r.out = &drp.Reading{Sender: l.out.Sender, Sent: l.out.Sent}
	}
	l.of[ref] = r
	return r
}

// answered reads the lines of a letter, and says whether there is any. A letter with more of them than a person writes is
// withheld whole.
func answered(ev, text string, page *account, out *drp.Reading, took func(drp.Statement) drp.Statement) (any bool) {
	all := lines{ev: ev, out: out, page: page, of: make(map[string]*lineReader)}
	in, before, n := strings.Split(text, "\n"), len(out.Doubts), 0
	for i, line := range in {
		if line := strings.TrimSpace(line); line == "" || strings.HasPrefix(line, ">") {
			continue
		}
		ref, line := refBefore(line)
		r := all.under(ref)
		r.at = i
		was := r.count()
		doubts := len(r.out.Doubts)
		answers := r.line(line, in[i+1:])
		if head, _, _ := headOf(line); len(r.out.Doubts) > doubts {
			if kind, _ := factOf(head); kind == drp.EmergencyDeclared { // nobody waits for what was meant
				out.Harm = append(out.Harm, r.out.Doubts[len(r.out.Doubts)-1])
			}
		}
		if answers {
			any = true
			page.claim(place{i, 0}, drp.AsAnswer, "nothing to send")
		}
		if n += r.count() - was; n > maxLines {
			out.Doubts = out.Doubts[:before]
			out.Withheld = fmt.Sprintf("it holds more than %d lines that are answers or look like them", maxLines)
			return false
		}
	}
	for ref, r := range all.of {
		r.contradictions()
		for _, f := range r.said {
			r.out.Say(took(f))
		}
		r.out.Rulings = append(r.out.Rulings, r.rulings...)
		if ref == "" {
			out.Lines = r.lines
		} else if r.count() > 0 {
			if out.Named == nil {
				out.Named = make(map[string]drp.Part)
			}
			out.Named[ref] = drp.Part{Facts: r.out.Facts, Denials: r.out.Denials, Rulings: r.out.Rulings, Doubts: r.out.Doubts, Lines: r.lines}
		}
	}
	return any
}

// count is how many lines are answers, or look like them.
func (r *lineReader) count() int { return len(r.said) + len(r.rulings) + len(r.out.Doubts) }

// doubt asks about a passage, and says what it would count as, where the passage tells.
func (r *lineReader) doubt(what, passage string, means ...drp.Statement) {
	r.page.claim(place{r.at, 0}, drp.AsDoubt, what)
	r.asks(what, passage, means...)
}

func (r *lineReader) asks(what, passage string, means ...drp.Statement) {
	r.out.Doubts = append(r.out.Doubts,
		drp.Doubt{What: what, Position: drp.AnswerLine, Passage: drp.NewPrivate(passage), Evidence: r.ev, Means: means})
}

// meaning makes a passage that was doubted count as an answer to a question, if a person accepts it: a fact, or a ruling.
func (r *lineReader) meaning(head string, yes bool) {
	q := &r.out.Doubts[len(r.out.Doubts)-1]
	if about, choice := rulingOf(head); about != "" {
		if about != drp.AboutSend && !yes {
			choice = drp.Refuse
		}
		if yes || about != drp.AboutSend {
			q.Rulings = []drp.Ruling{r.rules(about, choice)}
		}
		return
	}
	if kind, rest := factOf(head); kind != drp.Reassigned {
		f := drp.Statement{Fact: r.fact(kind, rest)}
		f.Denied = !yes
		q.Means = []drp.Statement{f}
	}
}

// line reads one line; after are those that follow. It says whether the line answers something.
func (r *lineReader) line(line string, after []string) bool {
	head, value, colon := headOf(line)
	yes, known := yesNo(value)
	if !colon && !known {
		return false
	}
	about, choice := rulingOf(head)
	kind, rest := factOf(head)
	exact := about != "" || kind != "" && (rest == "" || namesAfter(kind))
	switch {
	case !colon:
		if exact && known {
			r.doubt("a line looks like an answer and has no colon: what does it mean?", line)
			r.meaning(head, yes)
		}
		return false
	case value == "":
		if !exact {
			return false
		}
		if i := slices.IndexFunc(after, func(l string) bool { return strings.TrimSpace(l) != "" }); i >= 0 {
			if yes, next := yesNo(after[i]); next {
				r.doubt("what looks like an answer stands on the next line: what does it mean?", line+"\n"+after[i])
				r.page.claim(place{r.at + 1 + i, 0}, drp.AsDoubt, AnswerAbove)
				r.meaning(head, yes)
			}
		}
		return false
	case about == "" && kind == "":
		if known && decides(head) {
			r.doubt("a line says yes or no to what drpd does not know: what does it mean?", line)
		}
		return false
	case about != "":
		return r.ruling(about, choice, head, value, line)
	case kind == drp.Reassigned:
		r.doubt("whether the record was reassigned is for the record system to say", line)
		return false
	case rest != "" && !namesAfter(kind): // words about it, such as "resolved in part": no answer, and no silence either
		if known {
			r.doubt(fmt.Sprintf("a line answers to more than %q alone: what does it mean?", kind), line)
		}
		return false
	}
	r.lines[string(kind)] = append(r.lines[string(kind)], drp.NewPrivate(line))
	f := drp.Statement{Fact: r.fact(kind, rest)}
	if known {
		f.Denied = !yes
	} else if on, err := dayBy(value, r.out.Sent); err == nil && kind.SetsDate() {
		f.Until = on
	} else if err == nil {
		f.On = on
	} else {
		r.doubt(fmt.Sprintf("the answer to %q is neither yes, no nor a date", kind), value, meantBy(f, value, r.out.Sent)...)
		return false
	}
	r.said = append(r.said, f)
	return r.page.claim(place{r.at, 0}, drp.AsAnswer, string(kind))
}

// fact is the fact that a line is about, with whom or what stage it names.
func (r *lineReader) fact(kind drp.FactKind, rest string) drp.Fact {
	f := drp.Fact{Kind: kind, On: r.out.Sent, Position: drp.AnswerLine}
	for _, name := range strings.Split(strings.TrimPrefix(rest, "to "), " and ") {
		name = strings.Join(strings.Fields(strings.TrimPrefix(strings.TrimSpace(name), "the ")), "-")
		switch {
		case name == "", kind == drp.Escalated && (name == "next" || name == "next-stage"):
		case kind == drp.Escalated:
			f.Stage = name
		default:
			f.To = append(f.To, drp.Actor{Role: name})
		}
	}
	return f
}

// rules is the ruling of a line by its sender.
func (r *lineReader) rules(about, choice string) drp.Ruling {
	return drp.Ruling{About: about, Choice: choice, Said: r.out.Sender, On: r.out.Sent, Evidence: r.ev}
}

// ruling reads the answer to a question that is not about a fact.
func (r *lineReader) ruling(about, choice, head, value, line string) bool {
	yes, known := yesNo(value)
	switch {
	case !known:
		asked := strings.Fields(head) // the last word may be anybody's
		r.doubt(fmt.Sprintf("the answer to %q is neither yes nor no", strings.Join(asked[:max(1, len(asked)-1)], " ")), value)
		if yes, said, _ := meant(value, r.out.Sent); said {
			r.meaning(head, yes)
		}
		return false
	case about != drp.AboutSend && !yes:
		choice = drp.Refuse
	case !yes: // not to be sent, as it is without an answer
		return true
	}
	r.lines[about] = append(r.lines[about], drp.NewPrivate(line))
	r.page.claim(place{r.at, 0}, drp.AsAnswer, about)
	if !slices.ContainsFunc(r.rulings, func(o drp.Ruling) bool { return o.About == about && o.Choice == choice }) {
		r.rulings = append(r.rulings, r.rules(about, choice))
	}
	return true
}

// contradictions takes out what one letter says in two ways, and asks.
func (r *lineReader) contradictions() {
	var found []drp.Contradiction
	r.said, r.rulings, found = drp.Contradictions(r.said, r.rulings)
	for _, c := range found {
		for _, about := range c.About {
			r.page.became(about, drp.AsDoubt, c.What)
		}
		r.out.Doubts = append(r.out.Doubts, c.Doubt(r.ev, r.lines))
	}
}

var (
	listed      = regexp.MustCompile(`^(?:[-–—•·*●▪◦]\s*|\d{1,2}[.)]\s+)+`)
	noColon     = regexp.MustCompile(`(?i)^(.{1,60}?)[\s,;=–—-]+(yes|no)[.!]*$`)
	visitID     = regexp.MustCompile(`^[a-z0-9-]+\.\d+$`)
	messageMark = regexp.MustCompile(`^[0-9a-f]{8}$`)
	questionID  = regexp.MustCompile(`^[0-9a-f]{10}$`)
	courtesy    = regexp.MustCompile(`(?i)[,!.]*\s+(?:please|thanks|thank you)$`)
	plainDash   = strings.NewReplacer("\u2010", "-", "\u2011", "-", "\u2012", "-")
)

// unmarked takes off what marks a line as one of a list, or as strong.
func unmarked(line string) string {
	line = strings.Trim(strings.TrimSpace(plainDash.Replace(line)), "*_ ")
	return strings.TrimSpace(listed.ReplaceAllString(line, ""))
}

// headOf splits a line into the question and the answer. Without a colon the line can only be nearly an answer.
func headOf(line string) (head, value string, colon bool) {
	line = unmarked(line)
	head, value, colon = strings.Cut(line, ":")
	if !colon {
		if m := noColon.FindStringSubmatch(line); m != nil {
			head, value = m[1], m[2]
		}
	}
	value = courtesy.ReplaceAllString(strings.Trim(value, "*_! "), "")
	return strings.Trim(plain(head), "*_ "), strings.Trim(value, "*_! "), colon
}

// isAnswer says whether a line answers a prompt.
func isAnswer(line string) bool {
	head, _, colon := headOf(line)
	kind, _ := factOf(head)
	about, _ := rulingOf(head)
	return colon && (kind != "" || about != "")
}

// decides says whether words are about what ends a dispute or moves it on, though not as drpd asks for it: "not resolved",
// "escalate to stage-3".
func decides(head string) bool {
	const stem = 6 // letters: resolv, escala, withdr
	for _, word := range strings.Fields(head) {
		word = strings.TrimPrefix(word, "un")
		if len(word) >= stem && slices.ContainsFunc([]drp.FactKind{drp.Resolved, drp.Withdrawn, drp.Determined, drp.Contested, drp.Escalated,
			drp.Confirm}, func(k drp.FactKind) bool { return strings.HasPrefix(string(k), word[:stem]) }) {
			return true
		}
	}
	return false
}

// rulingOf says what a line rules on: "confirm", whether there is a dispute; "send stage-3.1", the alert of a visit;
// "their answer 1f2e3d4c", whether a message is its author's answer; "question 1f2e3d4c5b", what else somebody was asked.
func rulingOf(head string) (about, choice string) {
	if head == "confirm" {
		return drp.AboutDispute, drp.Confirm
	}
	if mark, ok := strings.CutPrefix(head, "their answer "); ok && messageMark.MatchString(mark) {
		return drp.AboutMarked(mark), drp.Accept
	}
	if id, ok := strings.CutPrefix(head, "question "); ok && questionID.MatchString(id) {
		return drp.AboutQuestion(id), drp.Accept
	}
	if visit, ok := strings.CutPrefix(head, "send "); ok && visitID.MatchString(visit) {
		return drp.AboutSend, visit
	}
	return "", ""
}

// namesAfter says whether a line about a fact goes on with whom it reached, or with a stage.
func namesAfter(k drp.FactKind) bool {
	return k == drp.Escalated || k == drp.Consulted || k == drp.Discussed || k == drp.Telephoned || k == drp.Alerted
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
