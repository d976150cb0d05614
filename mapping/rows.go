package mapping

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"drpd/core/drp"
	"drpd/core/workday"
)

// Record is a form of a record system as it came: every value is text, untouched.
type Record struct {
	Form    map[string]string   `json:"form"`
	Answers map[string]string   `json:"answers,omitempty"` // question: answer
	Several map[string][]string `json:"several,omitempty"` // question: answers of which nothing says which is the newest
	// question: child: the answers about that child, where the form asks about each
	Each     map[string]map[string][]string `json:"each,omitempty"`
	Moves    []map[string]string            `json:"moves,omitempty"`
	Children []string                       `json:"children,omitempty"`
	Formerly map[string]string              `json:"formerly,omitempty"` // child: its number in the system before
	Unclear  string                         `json:"unclear,omitempty"`  // why it cannot be said whose children they are
	Gone     bool                           `json:"gone,omitempty"`     // the row vanished
	Why      string                         `json:"why,omitempty"`      // of one that is there still and is no dispute any more: what it says now
}

// Answer notes what stands beside a question: one answer, none, or those between which nothing decides; of a form that asks about
// each of its children, about which of them.
func (r *Record) Answer(question, child string, texts []string) {
	switch {
	case child != "":
		if r.Each == nil {
			r.Each = make(map[string]map[string][]string)
		}
		if r.Each[question] == nil {
			r.Each[question] = make(map[string][]string)
		}
		r.Each[question][child] = texts
	case len(texts) > 1:
		if r.Several == nil {
			r.Several = make(map[string][]string)
		}
		r.Several[question] = texts
	default:
		r.Answers[question] = strings.Join(texts, "")
	}
}

// People are the rows of who works with one child.
type People struct {
	Child   string              `json:"child"`
	Rows    []map[string]string `json:"people"`
	Self    map[string]string   `json:"self,omitempty"`    // the child's own row
	Unclear string              `json:"unclear,omitempty"` // why it cannot be said under which number drpd knows the child
}

// Keys of a record system's evidence.
const (
	formKey   = "form/"
	peopleKey = "people/"
)

// FormKey names the evidence of a form.
func FormKey(key string) string { return formKey + key }

// FormOf gives the key of the form whose evidence has this key.
func FormOf(key string) (string, bool) { return strings.CutPrefix(key, formKey) }

// PeopleKey names the evidence of who works with a child.
func PeopleKey(child string) string { return peopleKey + child }

// ReadRow reads a record, or the people of a child.
func (s *System) ReadRow(ev drp.Evidence, learned workday.Date) drp.Reading {
	out := drp.Reading{Trusted: true, Sent: learned}
	if child, ok := strings.CutPrefix(ev.Key, peopleKey); ok {
		out.Subject.Children = []string{child}
		s.people(ev, &out)
		return out
	}
	var rec Record
	if err := json.Unmarshal(ev.Body, &rec); err != nil {
		out.Doubts = append(out.Doubts, drp.Doubt{What: "the record as stored cannot be read", Position: ev.Key, Evidence: ev.ID})
		return out
	}
	r := &rowReader{System: s, rec: rec, ev: ev, learned: learned, out: &out}
	r.read()
	return out
}

func (s *System) people(ev drp.Evidence, out *drp.Reading) {
	var in People
	if err := json.Unmarshal(ev.Body, &in); err != nil {
		out.Doubts = append(out.Doubts, drp.Doubt{What: "the people of a child cannot be read", Position: ev.Key, Evidence: ev.ID})
		return
	}
	out.Child, out.Unclear = s.child(in), in.Unclear
	if s.Person != nil && in.Self[s.Person.Formerly] != "" {
		out.Formerly = map[string]string{in.Child: in.Self[s.Person.Formerly]}
	}
	p := s.People
	for i, row := range in.Rows {
		title := row[p.Role]
		role := p.Titles[title]
		position := fmt.Sprintf("%s row %d", p.Label("people"), i+1)
		if role == "" || row[p.Worker] != "" && s.Known(row[p.Worker]) == "" {
			continue // a professional who has no part in a dispute, or nobody
		}
		h := drp.Holder{Role: role, Team: row[p.Team], Person: row[p.Worker], Name: drp.NewPrivate(row[p.Name]),
			Address: drp.NewPrivate(row[p.Address]), Child: in.Child}
		for _, d := range []struct {
			column string
			into   *workday.Date
		}{{p.From, &h.From}, {p.Until, &h.Until}} {
			text := row[d.column]
			if text == "" || s.filler(d.column, text) {
				continue
			}
			day, err := s.day(d.column, text)
			if err != nil {
				out.Doubts = append(out.Doubts, drp.Doubt{What: "the date of an involvement cannot be read", Position: position + " " + d.column,
					Passage: drp.NewPrivate(text), Evidence: ev.ID})
				continue
			}
			*d.into = day
		}
		out.Holders = append(out.Holders, h)
	}
}

// child reads what a report may say of a child. A mark of restriction that is not known counts as one, and so does a child
// that the table does not hold.
func (s *System) child(in People) *drp.Child {
	out := &drp.Child{Ref: in.Child}
	p := s.Person
	if p == nil {
		return out
	}
	var names []string
	for _, c := range p.Initials {
		names = append(names, in.Self[c])
	}
	out.Initials, out.Team = drp.NewPrivate(initials(strings.Join(names, " "))), in.Self[p.Team]
	mark := drp.NewPrivate(in.Self[p.Restricted])
	out.Restricted = in.Self == nil || !mark.Is(p.No)
	return out
}

// initials takes the first letter of each word; what is initials already stays so.
func initials(name string) string {
	var out []rune
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || r == '.' || r == '-' }) {
		letters := []rune(word)
		if len(letters) <= 3 && strings.ToUpper(word) == word {
			out = append(out, letters...)
			continue
		}
		out = append(out, unicode.ToUpper(letters[0]))
	}
	return string(out)
}

// wanted gives the columns or questions of a form that are read.
func (s *System) wanted() []string {
	out := []string{s.State.Column}
	for _, c := range s.codes() {
		out = append(out, c...)
	}
	return out
}

// workers gives the columns and questions that name a worker.
func (s *System) workers() []Codes {
	out := []Codes{s.State.By, s.State.Holder}
	for _, x := range s.Facts {
		out = append(out, x.By)
	}
	return out
}

// codes gives all columns and questions of a form that are read, those together that stand for one thing.
func (s *System) codes() []Codes {
	out := []Codes{s.State.On, s.State.By, s.State.Holder, s.Subject.Ground, s.Subject.Theme}
	for _, k := range slices.Sorted(maps.Keys(s.Fields)) {
		out = append(out, s.Fields[k])
	}
	for _, x := range s.Facts {
		out = append(out, x.On, x.By, x.ByName, x.Answer, x.Obstacle)
	}
	return out
}

// Questions gives what the mapping asks a form for, each once: columns and questions.
func (s *System) Questions() []string { return without(s.wanted()) }

// asks says whether the mapping asks for a question.
func (s *System) asks(question string) bool { return slices.Contains(s.wanted(), question) }

// ChildrenOf gives the children of a form, each once.
func (s *System) ChildrenOf(r Record) (out []string) {
	child, column := r.Form[s.Forms.Child]
	if !column {
		child = r.Answers[s.Forms.Child]
	}
	for _, c := range append([]string{child}, r.Children...) {
		if c = s.Known(c); c != "" && !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// Aside says what a form is by now that drpd has read and does not read any more, as in "the record is cancelled".
func (s *System) Aside(form map[string]string) string {
	state, kind := strings.TrimSpace(form[s.State.Column]), strings.TrimSpace(form[s.Forms.Type])
	among := func(words []string, word string) bool { // engines may compare without case
		return slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, word) })
	}
	switch {
	case among(s.State.Void, state):
		return fmt.Sprintf("is %q in the record system", state)
	case among(s.State.Before, state):
		return fmt.Sprintf("has gone back to %q in the record system", state)
	case !among(slices.Collect(maps.Keys(s.Forms.Types)), kind):
		return "is a form of another type by now"
	case len(s.LeaveOut) > 0:
		return "is about a child by now whose records the mapping leaves out"
	}
	return "is not among the forms that the mapping reads any more"
}

// Known gives an id as it stands, or nothing where it stands for nobody.
func (s *System) Known(id string) string {
	if id = strings.TrimSpace(id); slices.Contains(s.Unknown, id) {
		return ""
	}
	return id
}

// who gives the worker whom a column or question names; nobody where its id stands for nobody.
func (r *rowReader) who(c Codes) drp.Actor {
	for _, name := range c {
		if id := r.Known(r.value(name)); id != "" {
			return drp.Actor{Worker: id}
		}
	}
	return drp.Actor{}
}

// blank says whether the form names nobody at all, for certain.
func (r *rowReader) blank(c Codes) bool {
	return !slices.ContainsFunc(c, func(name string) bool { return r.value(name) != "" || slices.Contains(r.torn, name) })
}

type rowReader struct {
	*System
	rec     Record
	ev      drp.Evidence
	learned workday.Date
	out     *drp.Reading
	last    []apart
	torn    []string // what stands in doubt, since it is answered in several ways
}

// value looks a name up among the columns, then among the answers.
func (r *rowReader) value(name string) string {
	if name == "" {
		return ""
	}
	if v, ok := r.rec.Form[name]; ok {
		return strings.TrimSpace(v)
	}
	return strings.TrimSpace(r.rec.Answers[name])
}

// code gives that one of some codes under which the form says something; the first where none does.
func (r *rowReader) code(c Codes) string {
	for _, name := range c {
		if v := r.value(name); v != "" && !r.filler(name, v) {
			return name
		}
	}
	return strings.Join(c[:min(len(c), 1)], "")
}

func (r *rowReader) doubt(what, position, passage string) {
	r.out.Doubts = append(r.out.Doubts, drp.Doubt{What: what, Position: position, Passage: drp.NewPrivate(passage), Evidence: r.ev.ID})
}

func (r *rowReader) read() {
	key := strings.TrimPrefix(r.ev.Key, formKey)
	r.out.Subject.Record, r.out.Formerly, r.out.Unclear = r.Prefix+key, r.rec.Formerly, r.rec.Unclear
	if r.rec.Gone {
		r.out.Record = drp.RecordState{Known: true, Gone: true, Why: r.rec.Why, Since: r.learned}
		return
	}
	kind := r.rec.Form[r.Forms.Type]
	r.out.Subject.Form = r.Forms.Types[kind]
	if r.out.Subject.Form == "" {
		r.doubt(fmt.Sprintf("form type %q is under no policy", kind), r.Forms.Label("forms")+", "+r.Forms.Type, "")
	}
	r.out.Subject.Children = r.ChildrenOf(r.rec)
	if len(r.out.Subject.Children) == 0 {
		r.doubt("the record names no child", r.Forms.Label("forms"), "")
	}
	r.several()
	r.out.Subject.Ground = r.choice("ground", r.System.Subject.Ground)
	r.out.Subject.Theme = r.choice("theme", r.System.Subject.Theme)
	for _, field := range slices.Sorted(maps.Keys(r.Fields)) {
		name := r.code(r.Fields[field])
		if v := r.value(name); v != "" {
			r.out.Fields = append(r.out.Fields, drp.Field{Name: field, Value: drp.NewPrivate(v), Position: name})
		}
	}
	r.state()
	for i := range r.System.Facts {
		r.fact(r.System.Facts[i])
	}
	r.moves()
	r.mayBe()
	for i := range r.out.Facts {
		if r.out.Facts[i].Kind == drp.Raised {
			r.out.Subject.Raised = r.out.Facts[i].On
		}
	}
}

// mayBe says of each question which facts its answer would make.
func (r *rowReader) mayBe() {
	for i := range r.out.Doubts {
		q := &r.out.Doubts[i]
		for _, x := range r.System.Facts {
			if slices.Contains(x.On, q.Position) || slices.Contains(x.Answer, q.Position) {
				q.MayBe = append(q.MayBe, drp.Fact{Kind: x.Fact, Stage: x.Stage})
			}
		}
	}
}

// several doubts the questions that are asked for and have more than one answer: none of them counts.
func (r *rowReader) several() {
	for _, question := range slices.Sorted(maps.Keys(r.rec.Several)) {
		if r.asks(question) {
			r.doubt(fmt.Sprintf("%q has more than one answer, and nothing says which is the newest", question), question,
				strings.Join(r.rec.Several[question], " / "))
			r.torn = append(r.torn, question)
		}
	}
	r.each()
	for _, c := range r.codes() {
		r.differ(c)
	}
}

// each puts together what a form says about each of its children. What it says of all of them alike is an answer; of words that decide
// nothing all are kept; else a person is asked, and a fact that all of them have counts from the day on which the last one had it.
func (r *rowReader) each() {
	children := r.out.Subject.Children
	if r.rec.Answers == nil {
		r.rec.Answers = make(map[string]string)
	}
	for _, question := range slices.Sorted(maps.Keys(r.rec.Each)) {
		if !r.asks(question) || len(r.rec.Several[question]) > 1 {
			continue
		}
		of := maps.Clone(r.rec.Each[question])
		named := maps.Clone(of)
		maps.DeleteFunc(named, func(child string, _ []string) bool { return !slices.Contains(children, child) })
		switch {
		case len(named) > 0: // those of another child, who is left out, are none of these
			of = named
		case len(children) == 1: // rows of another kind, all about this child
			says := slices.Sorted(slices.Values(slices.Concat(slices.Collect(maps.Values(of))...)))
			of = map[string][]string{children[0]: slices.Compact(says)}
		}
		if all := r.value(question); all != "" {
			of["all"] = []string{all}
		}
		var says, lines []string
		whole := true
		for _, child := range slices.Sorted(maps.Keys(of)) {
			for _, text := range of[child] {
				if text = strings.TrimSpace(text); !slices.Contains(says, text) {
					says = append(says, text)
				}
				lines = append(lines, child+": "+text)
			}
			whole = whole && (len(of[child]) == 1)
		}
		whole = whole && !slices.ContainsFunc(children, func(c string) bool { return len(of[c]) == 0 && len(of["all"]) == 0 })
		delete(r.rec.Answers, question)
		switch {
		case len(says) == 0:
		case len(says) == 1 && whole:
			r.rec.Answers[question] = says[0]
		case r.keeps(question):
			r.rec.Answers[question] = strings.Join(lines, "\n")
		default:
			r.doubt(fmt.Sprintf("%q is not answered alike for each child: it does not count", question), question, strings.Join(lines, " / "))
			r.torn = append(r.torn, question)
			if whole {
				r.last = append(r.last, apart{question, says, len(r.out.Doubts) - 1})
			}
		}
	}
}

// apart is a question that is answered for each child, and not alike.
type apart struct {
	question string
	says     []string
	doubt    int
}

// keeps says whether a question is kept as words, and nothing follows from it.
func (r *rowReader) keeps(question string) bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(r.Fields)), func(c Codes) bool { return slices.Contains(c, question) })
}

// lately says what a date that differs by child counts as, if a person accepts it: the last of them.
func (r *rowReader) lately(m RowFact, f drp.Statement) {
	for _, a := range r.last {
		if !slices.Contains(m.On, a.question) {
			continue
		}
		for _, text := range a.says {
			on, err := r.day(a.question, text)
			if err != nil {
				return
			}
			if m.Fact == drp.Raised && !f.On.IsZero() {
				f.On = min(f.On, on)
			} else {
				f.On = max(f.On, on)
			}
		}
		f.Position = a.question
		f.Evidence, f.Learned, f.Source = r.ev.ID, r.learned, r.ev.Source
		r.out.Doubts[a.doubt].Means = append(r.out.Doubts[a.doubt].Means, f)
	}
}

// differ doubts what stands under several codes and differs: none of them counts.
func (r *rowReader) differ(c Codes) {
	answered := 0
	for _, name := range c {
		if r.value(name) != "" {
			answered++
		}
	}
	if answered < 2 {
		return
	}
	var says []string
	for _, name := range c {
		v := r.value(name)
		if on, err := r.day(name, v); err == nil { // one day, however it is written
			if v = on.String(); r.filler(name, v) {
				continue
			}
		}
		if v = r.person(c, v); v != "" && !slices.Contains(says, v) {
			says = append(says, v)
		}
	}
	if len(says) < 2 {
		return
	}
	r.doubt(fmt.Sprintf("%q stand for one thing, and say different things", strings.Join(c, ", ")), c[0], strings.Join(says, " / "))
	r.torn = append(r.torn, c...)
	for _, name := range c {
		delete(r.rec.Answers, name)
		delete(r.rec.Form, name)
	}
}

// person gives a value of codes for whoever did something, nothing where it stands for nobody; of others, as it is.
func (r *rowReader) person(c Codes, v string) string {
	for _, by := range r.workers() {
		if slices.Equal(by, c) {
			return r.Known(v)
		}
	}
	return v
}

// choice gives drpd's word for what the form says of its ground or theme; what has none stands as it is.
func (r *rowReader) choice(of string, c Codes) string {
	text := r.value(r.code(c))
	for word, titles := range r.System.Subject.Choices[of] {
		if slices.ContainsFunc(titles, func(t string) bool { return strings.EqualFold(t, text) }) {
			return word
		}
	}
	return text
}

// yesNo reads an answer, with the words that the mapping has for yes and no.
func (r *rowReader) yesNo(answer string) (yes, known bool) {
	is := func(word string) bool { return strings.EqualFold(strings.TrimSpace(word), answer) }
	switch {
	case slices.ContainsFunc(r.MeansYes, is):
		return true, true
	case slices.ContainsFunc(r.MeansNo, is):
		return false, true
	}
	return yesNo(answer)
}

func (r *rowReader) state() {
	s := r.State
	now := r.value(s.Column)
	r.out.Record = drp.RecordState{Known: true, Authorised: slices.Contains(s.Authorised, now), Holder: r.who(s.Holder),
		Since: r.learned}
	switch {
	case r.out.Record.Authorised:
		f := drp.Fact{Kind: drp.Authorised, By: r.who(s.By), Position: s.Column}
		at := r.code(s.On)
		if text := r.value(at); text != "" && !r.filler(at, text) {
			if on, err := r.day(at, text); err == nil {
				f.On = on
			} else {
				r.doubt("the date of the authorisation cannot be read", at, text)
			}
		}
		r.add(f)
	case !slices.Contains(s.Open, now):
		r.doubt(fmt.Sprintf("the state %q is none that the mapping knows: it is taken as open", now), s.Column, "")
	}
}

func (r *rowReader) add(f drp.Fact) { r.say(drp.Statement{Fact: f}) }

func (r *rowReader) say(s drp.Statement) { r.out.Say(s.Took(r.ev.ID, r.ev.Source, r.learned)) }

func (r *rowReader) fact(m RowFact) {
	at, says := r.code(m.On), r.code(m.Answer)
	f := drp.Statement{Fact: drp.Fact{Kind: m.Fact, Stage: m.Stage, By: r.who(m.By), Position: at}}
	if r.blank(m.By) { // nobody is named; one who is unknown, or in doubt, does not act for the role
		f.By.Role = m.ByRole
	} else if name := r.value(r.code(m.ByName)); name != "" && !f.By.IsZero() {
		if r.out.Names == nil {
			r.out.Names = make(map[string]drp.Private)
		}
		r.out.Names[f.By.Worker] = drp.NewPrivate(name)
	}
	for _, role := range m.To {
		f.To = append(f.To, drp.Actor{Role: role})
	}
	if obstacle := r.value(r.code(m.Obstacle)); obstacle != "" {
		f.Obstacle, _ = r.yesNo(obstacle)
	}
	text := r.value(at)
	if r.filler(at, text) {
		text = ""
	}
	if text == "" && says != "" && slices.ContainsFunc(m.On, func(c string) bool { return slices.Contains(r.torn, c) }) {
		return // a person is asked which day it was; without one it would count from today
	}
	if says != "" {
		f.Position = says
		answer := r.value(says)
		yes, known := r.yesNo(answer)
		switch {
		case answer == "":
			return
		case !known:
			r.doubt(fmt.Sprintf("%q should be yes or no", says), says, answer)
			if on, err := r.day(at, text); err == nil {
				f.On = on
			}
			r.means(f, answer)
			return
		case !yes:
			f.Denied = true
		}
	} else if text == "" {
		r.lately(m, f)
		return
	}
	if text != "" {
		on, err := r.day(at, text)
		if err != nil {
			r.doubt(fmt.Sprintf("the date of %q cannot be read", m.Fact), at, text)
			if _, said, on := meant(text, r.learned); f.Denied || !on.IsZero() && !takenBack(text, said, on, r.learned) {
				f.On = on
				r.means(f, "")
			}
			return
		}
		f.On = on
	}
	r.say(f)
}

// means says what the passage that was doubted last counts as, if a person accepts it.
func (r *rowReader) means(f drp.Statement, answer string) {
	all := []drp.Statement{f}
	if answer != "" {
		all = meantBy(f, answer, r.learned)
	}
	for i := range all {
		g := &all[i]
		g.Evidence, g.Learned, g.Source = r.ev.ID, r.learned, r.ev.Source
		if g.On.IsZero() {
			g.On, g.Doubt = r.learned, "the record gives no date: it lies somewhere before "+r.learned.String()
		}
	}
	r.out.Doubts[len(r.out.Doubts)-1].Means = all
}

func (r *rowReader) moves() {
	if r.Moves == nil {
		return
	}
	for i, m := range r.rec.Moves {
		position := fmt.Sprintf("%s row %d", r.Moves.Label("moves"), i+1)
		on, err := r.day(r.Moves.On, m[r.Moves.On])
		if err != nil {
			r.doubt("the date of a reassignment cannot be read", position, m[r.Moves.On])
			continue
		}
		r.add(drp.Fact{Kind: drp.Reassigned, On: on, By: drp.Actor{Worker: r.Known(m[r.Moves.By])},
			To: []drp.Actor{{Worker: r.Known(m[r.Moves.To])}}, Position: position})
	}
}
