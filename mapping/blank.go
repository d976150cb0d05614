package mapping

import (
	"fmt"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/layout"
	"drpd/core/policy"
)

// Blank lays the form out for people to fill in: what concerns the dispute as a whole, then a block for each stage, with
// whose turn it is and by when. Each label is the first that the mapping gives, so that the form is read back by it. A form
// that is not the policy's, or names a stage that the policy does not have, is an error.
func (f *Form) Blank(p *policy.Policy) (layout.Doc, error) {
	if !slices.Contains(p.Forms, f.Form) {
		return layout.Doc{}, fmt.Errorf("the form %s is not of the policy %s: its forms are %s", f.Form, p.ID, strings.Join(p.Forms, ", "))
	}
	doc := layout.Doc{Name: f.Form, Title: f.Titles[0], About: filledIn(blankAbout, p.Title, fmt.Sprint(p.Version)), Lead: []string{
		blankLead}}
	head := layout.Part{Tables: []layout.Table{f.asked(p, Head)}}
	doc.Parts = []layout.Part{head}
	for _, s := range f.Stages {
		st := p.Stage(s.Stage)
		if st == nil || len(s.Headings) == 0 {
			return layout.Doc{}, fmt.Errorf("the form %s has a block %q, and the policy %s has no such stage", f.Form, s.Stage, p.ID)
		}
		part := layout.Part{Title: s.Headings[0], Tables: []layout.Table{f.asked(p, s.Stage)}}
		turn := filledIn(blankTurn, p.RoleTitles(st.Holder))
		if asks := st.Asks(); asks != "" {
			turn = filledIn(map[bool]string{true: blankAsked, false: blankAskedAll}[len(st.Holder) == 1], p.RoleTitles(st.Holder), asks)
		}
		limit := blankNoLimit
		if text := p.LimitOf(st); text != "" {
			limit = filledIn(blankLimit, text)
		}
		part.Text = []string{turn + " " + limit}
		doc.Parts = append(doc.Parts, part)
	}
	return doc, nil
}

// What a blank form says beside its labels, with ... for what its policy says. What is written here is read again as nobody's answer.
const (
	blankLead = "One form for the whole dispute: fill in the block of each stage when it is reached, leave the earlier ones as they are, " +
		"and send the form on by email. Write a date with its day first: 3 March 2026."
	blankAbout    = "..., version ..."
	blankTurn     = "It is the turn of the ...."
	blankAsked    = "The ... is asked to ...."
	blankAskedAll = "The ... are asked to ...."
	blankNoLimit  = "The procedure states no limit."
	blankLimit    = "The limit is ...."
)

// blankSays are those sentences as they stand together on a form.
func blankSays() []string {
	out := []string{blankLead, blankAbout}
	for _, turn := range []string{blankTurn, blankAsked, blankAskedAll} {
		out = append(out, turn+" "+blankNoLimit, turn+" "+blankLimit)
	}
	return out
}

// filledIn puts words where a sentence leaves them open.
func filledIn(sentence string, with ...string) string {
	for _, w := range with {
		sentence = strings.Replace(sentence, "...", w, 1)
	}
	return sentence
}

// asked is the table of what a block asks.
func (f *Form) asked(p *policy.Policy, block string) layout.Table {
	var rows [][]layout.Value
	for i := range f.Labels {
		if a := &f.Labels[i]; a.asks(block) {
			rows = append(rows, []layout.Value{layout.Text(a.Labels[0]), {Kind: layout.Entry, Ask: f.ask(a, p, block)}})
		}
	}
	return layout.Pairs(rows)
}

// asks says whether the blank form asks for the answer in a block: what is about the dispute as a whole stands in its head,
// what is about a stage in each of its blocks, and what is not kept nowhere, if the mapping does not say otherwise.
func (a *FormAnswer) asks(block string) bool {
	switch {
	case len(a.Blank) > 0:
		return slices.Contains(a.Blank, block)
	case len(a.Stages) > 0:
		return slices.Contains(a.Stages, block)
	case a.Is == "nothing":
		return false
	case a.Fact == "" || a.Fact == drp.Raised:
		return block == Head
	}
	return block != Head
}

// What stands in a blank form where nobody has written yet. A program that does not know content controls makes it text.
const (
	promptDate   = "choose or write a date"
	promptChoice = "choose or write one"
)

// ask says how an answer is written in.
func (f *Form) ask(a *FormAnswer, p *policy.Policy, block string) *layout.Ask {
	out := &layout.Ask{Long: a.Is == "field" && !a.Short && len(a.Choices) == 0, Prompt: promptChoice}
	switch a.Is {
	case "date", "until":
		out.Date, out.Prompt = true, promptDate
	case "yes":
		out.Ticks = []string{"Yes", "No"}
	case "by":
		for _, r := range f.Roles {
			out.Options = append(out.Options, r.Titles[0])
		}
		if st := p.Stage(block); st != nil && a.Fact == drp.Responded && st.Answer != nil && st.Answer.Joint {
			out.Options = append(out.Options, f.together(st.Answer.By))
		}
	}
	for _, c := range a.Choices {
		out.Options = append(out.Options, c.Titles[0])
	}
	return out
}

// together names several roles as the form does.
func (f *Form) together(roles []string) string {
	var out []string
	for _, role := range roles {
		for _, t := range f.Roles {
			if t.Role == role {
				out = append(out, t.Titles[0])
			}
		}
	}
	return strings.Join(out, " and ")
}
