package records

import (
	"slices"
	"strings"
	"time"

	"drpd/mapping"
)

// reply is one row's answer to a question.
type reply struct {
	text  string
	at    time.Time // when the change column says that it was given
	dated bool
}

// question is what a row answers: a question of a form, about one of its children where the form asks about each.
type question struct{ code, child string }

// answers reads the answers of forms.
func (v *view) answers(relations []mapping.Named, keys []string, into []mapping.Record) error {
	if len(relations) == 0 {
		return nil
	}
	of := make([]map[question][]reply, len(into)) // by form, of each relation those that stand there
	for i := range of {
		of[i] = make(map[question][]reply)
	}
	for at, n := range relations {
		rows, err := v.byKey(n, keys, v.kept(n))
		if err != nil {
			return err
		}
		a := v.m.Answers[at]
		for i, key := range keys {
			here := make(map[question][]reply)
			for _, r := range rows[key] {
				x := reply{text: r[a.Answer]}
				x.at, x.dated = v.m.Stamp(a.Change, r[a.Change])
				q := question{r[a.Question], v.m.Known(r[a.Child])}
				here[q] = append(here[q], x)
			}
			for q, replies := range here {
				of[i][q] = append(of[i][q], newest(replies)...)
			}
		}
	}
	for i := range into {
		into[i].Answers = make(map[string]string)
		for q, replies := range of[i] {
			into[i].Answer(q.code, q.child, standing(replies))
		}
	}
	return nil
}

// newest gives the last of several answers to one question, by the change column; all of them where it does not tell.
func newest(replies []reply) (out []reply) {
	if slices.ContainsFunc(replies, func(x reply) bool { return !x.dated }) {
		return replies
	}
	for _, x := range replies {
		switch {
		case len(out) == 0 || x.at.After(out[0].at):
			out = []reply{x}
		case x.at.Equal(out[0].at):
			out = append(out, x)
		}
	}
	return out
}

// standing gives what a question's answer is: one text, none, or those between which nothing decides. A question may have
// its answer in one of several tables, and be blank in the others.
func standing(replies []reply) (texts []string) {
	blank := func(x reply) bool { return strings.TrimSpace(x.text) == "" }
	for _, x := range newest(slices.DeleteFunc(replies, blank)) {
		texts = append(texts, x.text)
	}
	slices.Sort(texts)
	return slices.CompactFunc(texts, func(a, b string) bool { return strings.TrimSpace(a) == strings.TrimSpace(b) })
}
