package mapping

import (
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"drpd/core/drp"
	"drpd/core/strict"
)

// Form says how a dispute form that comes by mail is read.
type Form struct {
	Form   string       `yaml:"form"` // the policy's form type
	Note   string       `yaml:"note"`
	Titles []string     `yaml:"titles"` // how the form calls itself
	Roles  []RoleTitle  `yaml:"roles"`
	Stages []FormStage  `yaml:"stages"`
	Labels []FormAnswer `yaml:"answers"`

	Printed []string `yaml:"printed"` // its own words that are no label: instructions; ... stands for any words

	printed []*regexp.Regexp
}

// RoleTitle says how a form calls a role.
type RoleTitle struct {
	Role   string   `yaml:"role"`
	Titles []string `yaml:"titles"`
}

// FormStage says how a form heads a stage's block.
type FormStage struct {
	Stage    string   `yaml:"stage"`
	Headings []string `yaml:"headings"`

	bare     []string // the headings as they are compared
	Optional bool     `yaml:"optional"` // it may be left out: one that is blank between others is no reason to doubt
}

// FormAnswer says what the answer beside a label is.
type FormAnswer struct {
	Labels  []string     `yaml:"labels"`
	Lexicon string       `yaml:"lexicon"` // an entry of the lexicon, whose labels count too
	Is      string       `yaml:"is"`      // one of answerKinds
	Field   string       `yaml:"field"`   // for is: field
	Fact    drp.FactKind `yaml:"fact"`    // for date, until, by, yes
	Unclear string       `yaml:"unclear"` // yes: a tick that is neither yes nor no counts as yes, for the child's safety
	By      string       `yaml:"by"`      // the role that does it, where the form does not say
	To      []string     `yaml:"to"`      // roles
	Stages  []string     `yaml:"stages"`  // only in these blocks, or in the head; empty: anywhere
	Choices []Choice     `yaml:"choices"` // what a theme, a ground or a field may be, and how the form calls it
	Blank   []string     `yaml:"blank"`   // where the blank form asks it, where that is less than where it is read
	Short   bool         `yaml:"short"`   // the blank form gives it one line

	exact []string // the labels, own ones and the lexicon's, as they are compared
	bare  []string // those of them that are labels without their hints in brackets too
}

// Choice is a value with the words that a form has for it.
type Choice struct {
	Value  string   `yaml:"value"`
	Titles []string `yaml:"titles"`
}

// Head is the part of a form before the first block.
const Head = "head"

// answerKinds are what the answer beside a label can be. Of nothing the label is known, so that no other answer is taken
// from there, and nothing is kept: names, signatures, who has a copy.
var answerKinds = []string{"child", "record", "reference", "theme", "ground", "field", "date", "until", "by", "yes", "nothing"}

// in says whether the answer may stand in a block; "" is the head.
func (a *FormAnswer) in(stage string) bool {
	return len(a.Stages) == 0 || slices.Contains(a.Stages, orHead(stage))
}

func orHead(stage string) string {
	if stage == "" {
		return Head
	}
	return stage
}

// meets says whether a label that both had would stand for both in some block. An answer of named blocks comes before one
// that may stand anywhere.
func (a *FormAnswer) meets(b *FormAnswer) bool {
	if len(a.Stages) == 0 || len(b.Stages) == 0 {
		return len(a.Stages) == len(b.Stages)
	}
	return slices.ContainsFunc(a.Stages, func(s string) bool { return slices.Contains(b.Stages, s) })
}

type lexicon struct {
	Labels map[string][]string `yaml:"labels"`
	Harm   harmWords           `yaml:"harm"`
	Words  words               `yaml:"words"`
}

// lexical is the lexicon, read once: it comes with the program.
var lexical = sync.OnceValue(func() (lex lexicon) {
	src, err := fs.ReadFile(Shipped, "lexicon.yaml")
	if err == nil {
		err = strict.Load("lexicon.yaml", src, &lex).Err()
	}
	if err != nil {
		panic(err) // a test reads it
	}
	return lex
})

// LoadForm reads the mapping of a form. The labels of the lexicon that it names become the form's own.
func LoadForm(fsys fs.FS, name string) (*Form, error) {
	src, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("mapping: %w", err)
	}
	lex := lexical()
	out := &Form{}
	c := &formCheck{strict.Load(name, src, out), out}
	if out.Form == "" || len(out.Titles) == 0 {
		c.Fault(nil, "\"form\" and \"titles\" must be given: the form type, and how the form calls itself")
	}
	for i := range out.Labels {
		c.answer(i, lex)
	}
	c.spread(lex)
	c.headings()
	for i, p := range out.Printed {
		if plain(strings.ReplaceAll(p, "...", "")) == "" {
			c.Fault([]any{"printed", i}, "%q would be any words: give those that the form prints", p)
		}
	}
	out.printed = patterns(slices.Concat(out.Printed, blankSays()))
	return out, c.Err()
}

type formCheck struct {
	*strict.File
	*Form
}

func (c *formCheck) answer(i int, lex lexicon) {
	a := c.Labels[i]
	at := []any{"answers", i}
	if !slices.Contains(answerKinds, a.Is) {
		c.Fault(append(at, "is"), "%q is none of: %s", a.Is, strings.Join(answerKinds, ", "))
	}
	if kinds := factNames(); a.Fact != "" && !slices.Contains(kinds, string(a.Fact)) {
		c.Fault(append(at, "fact"), "no such fact %q%s", a.Fact, strict.Suggest(string(a.Fact), kinds))
	}
	switch {
	case slices.Contains([]string{"date", "until", "by", "yes"}, a.Is) && a.Fact == "":
		c.Fault(at, "an answer that is a %s needs fact:", a.Is)
	case a.Is == "field" && a.Field == "":
		c.Fault(at, "an answer that is a field needs field:")
	case len(a.Labels) == 0 && a.Lexicon == "":
		c.Fault(at, "it has no label: give labels: or lexicon:")
	case len(a.Choices) > 0 && !slices.Contains([]string{"theme", "ground", "field"}, a.Is):
		c.Fault(append(at, "choices"), "an answer that is a %s takes no choices", a.Is)
	}
	if a.Lexicon != "" && lex.Labels[a.Lexicon] == nil {
		c.Fault(append(at, "lexicon"), "no such entry %q%s", a.Lexicon, strict.Suggest(a.Lexicon, slices.Sorted(maps.Keys(lex.Labels))))
	}
	blocks := []string{Head}
	for _, s := range c.Stages {
		blocks = append(blocks, s.Stage)
	}
	c.blocks(append(slices.Clone(at), "stages"), a.Stages, blocks)
	c.blocks(append(slices.Clone(at), "blank"), a.Blank, blocks)
}

func (c *formCheck) blocks(at []any, named, blocks []string) {
	for i, s := range named {
		if !slices.Contains(blocks, s) {
			c.Fault(append(slices.Clone(at), i), "the form has no block %q%s", s, strict.Suggest(s, slices.Clone(blocks)))
		}
	}
}

// spread gives each answer its labels. One that two answers claim is a fault; the lexicon's give way to a form's own. Labels that only
// their hints in brackets tell apart are known by these.
func (c *formCheck) spread(lex lexicon) {
	for i := range c.Labels {
		a := &c.Labels[i]
		for _, l := range a.Labels {
			if j := c.claimed(a, exact(l)); j >= 0 && j != i {
				c.Fault([]any{"answers", i, "labels"}, "%q is the label of another answer of the same block", l)
			}
			a.exact = append(a.exact, exact(l))
		}
	}
	for i := range c.Labels {
		a := &c.Labels[i]
		for _, l := range lex.Labels[a.Lexicon] {
			if c.claimed(a, exact(l)) < 0 {
				a.exact = append(a.exact, exact(l))
			}
		}
		if a.Labels = append(a.Labels, lex.Labels[a.Lexicon]...); len(a.exact) == 0 && len(a.Labels) > 0 {
			c.Fault([]any{"answers", i, "lexicon"}, "all its labels are those of other answers")
		}
	}
	for i := range c.Labels {
		a := &c.Labels[i]
		for _, l := range a.exact {
			b := bare(l)
			if l == b || !slices.ContainsFunc(c.Labels, func(o FormAnswer) bool {
				return o.meets(a) && slices.ContainsFunc(o.exact, func(e string) bool { return e != l && bare(e) == b })
			}) {
				a.bare = append(a.bare, b)
			}
		}
	}
}

// headings puts down how each heading is compared, and sees that none is a label too.
func (c *formCheck) headings() {
	for i := range c.Stages {
		s := &c.Stages[i]
		for j, h := range s.Headings {
			s.bare = append(s.bare, bare(h))
			if slices.ContainsFunc(c.Labels, func(a FormAnswer) bool { return slices.Contains(a.bare, s.bare[j]) }) {
				c.Fault([]any{"stages", i, "headings", j}, "%q is also the label of an answer", h)
			}
		}
	}
}

// claimed finds the answer that has a label where a may stand; -1: none has.
func (c *formCheck) claimed(a *FormAnswer, label string) int {
	return slices.IndexFunc(c.Labels, func(b FormAnswer) bool { return slices.Contains(b.exact, label) && a.meets(&b) })
}

// Asks says whether the form has a label for a field.
func (f *Form) Asks(field string) bool {
	return slices.ContainsFunc(f.Labels, func(a FormAnswer) bool { return a.Field == field })
}

// stage gives the block that a heading begins.
func (f *Form) stage(heading string) (string, bool) {
	for _, s := range f.Stages {
		if slices.Contains(s.bare, heading) {
			return s.Stage, true
		}
	}
	return "", false
}

// role gives the role that a form's words name; "" for other words.
func (f *Form) role(text string) string {
	for _, t := range f.Roles {
		for _, title := range t.Titles {
			if plain(title) == plain(text) {
				return t.Role
			}
		}
	}
	return ""
}
