package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Questions gives the questions that the mapping asks for, with what it says of each.
func (d *Draft) Questions() (out []string, says map[string]Said) {
	says = make(map[string]Said)
	if len(d.System.Answers) == 0 {
		return nil, says
	}
	add := func(codes Codes, kind AnswerKind, format string, args ...any) {
		for _, c := range codes {
			if d.columnOfForm(c) {
				continue
			}
			if _, twice := says[c]; !twice {
				out = append(out, c)
			}
			s := says[c]
			s.Kind, s.Words = kind, append(s.Words, fmt.Sprintf(format, args...))
			says[c] = s
		}
	}
	s := d.System
	add(s.State.On, DateAnswer, "authorised: date")
	add(s.State.By, PersonAnswer, "authorised: by")
	add(s.State.Holder, PersonAnswer, "who holds the form")
	add(s.Subject.Ground, TextAnswer, "the ground")
	add(s.Subject.Theme, TextAnswer, "the theme")
	for _, k := range slices.Sorted(maps.Keys(s.Fields)) {
		add(s.Fields[k], TextAnswer, "field %s", k)
	}
	for _, x := range s.Facts {
		what := string(x.Fact)
		if x.Stage != "" {
			what += ", " + x.Stage
		}
		add(x.On, DateAnswer, "%s: date", what)
		add(x.By, PersonAnswer, "%s: by", what)
		add(x.ByName, TextAnswer, "%s: name of who did it", what)
		add(x.Answer, YesNoAnswer, "%s: yes or no", what)
		add(x.Obstacle, YesNoAnswer, "%s: obstacle, yes or no", what)
	}
	return out, says
}

// Said is what the mapping says of a question.
type Said struct {
	Kind  AnswerKind
	Words []string
}

// AnswerKind is what kind of answer a question has.
type AnswerKind string

// Kinds of answers.
const (
	DateAnswer   AnswerKind = "date"
	YesNoAnswer  AnswerKind = "yes/no"
	PersonAnswer AnswerKind = "person id"
	TextAnswer   AnswerKind = "text"
)

// Misread says whether answers of a kind are no answers to the question. A person may be named in words.
func (s Said) Misread(is AnswerKind) bool {
	return is != "" && s.Kind != TextAnswer && is != s.Kind && (s.Kind != PersonAnswer || is != TextAnswer)
}

// KindOf says of what kind an answer is; worker says whether a text is the id of somebody who works with children. "" is no answer.
func (s *System) KindOf(answer string, worker func(string) bool) AnswerKind {
	r := rowReader{System: s}
	answer = strings.TrimSpace(answer)
	if answer == "" {
		return ""
	}
	if worker(answer) {
		return PersonAnswer
	}
	if _, known := r.yesNo(answer); known {
		return YesNoAnswer
	}
	if _, ok := s.stamp("", answer); ok {
		return DateAnswer
	}
	if _, err := ParseDay(answer, s.DateFormats); err == nil {
		return DateAnswer
	}
	return TextAnswer
}
