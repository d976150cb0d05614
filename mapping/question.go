package mapping

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"drpd/core/strict"
)

// Question asks what stands in the council's database in the place of a name or code that it has not.
type Question struct {
	Section  string // of the answers file
	Of       string // the table of a column, the column of a value
	Name     string
	Says     string   // what the mapping says of it
	Kind     string   // of what kind it is; "": of any
	Options  []Option // the nearest first
	Proposed string   // the answer that is likely; "": none is
}

// Option is something that is in the database.
type Option struct {
	Value string
	Kind  string
	Rows  int // -1: they were not counted
}

// Note says of what kind it is, and how many rows have it.
func (o Option) Note() string {
	switch {
	case o.Rows < 0:
		return o.Kind
	case o.Kind == "":
		return rows(o.Rows)
	}
	return rows(o.Rows) + ", " + o.Kind
}

func rows(n int) string {
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}

func (o Option) String() string {
	if o.Note() == "" {
		return o.Value
	}
	return o.Value + " (" + o.Note() + ")"
}

// Keeps says whether it asks for a code: the shipped one may be right, though no row has it yet, and several may stand for it.
func (q Question) Keeps() bool {
	return slices.Contains([]string{"values", "types", "questions", "titles"}, q.Section)
}

// comment says in an answers file what is asked, and what there is.
func (q Question) comment(width int) (out []string) {
	if q.Says != "" {
		out = append(out, Wrapped(q.Says, width-2)...)
	}
	var all []string
	for _, o := range q.Options {
		all = append(all, o.String())
	}
	if len(all) > 0 && (len(all) > 1 || all[0] != q.Proposed) {
		out = append(out, Wrapped("there: "+strings.Join(all, ", "), width-2)...)
	}
	return out
}

// Wrapped parts a text into lines of a width.
func Wrapped(text string, width int) (out []string) {
	line := ""
	for _, w := range strings.Fields(text) {
		if line != "" && len(line)+1+len(w) > width {
			out, line = append(out, line), ""
		}
		if line != "" {
			line += " "
		}
		line += w
	}
	if line != "" {
		out = append(out, line)
	}
	return out
}

// Propose gives each question what is nearest to it, and proposes the nearest of all: one thing to one question only. Where none is
// near, it offers what is there most often.
func Propose(asked []Question, there []Option, most int) {
	type pair struct {
		q, o int
		like float64
	}
	var pairs []pair
	for i, q := range asked {
		for j, o := range there {
			like := alike(q.Name, o.Value)
			for says := range strings.SplitSeq(q.Says, ";") {
				like = max(like, 0.9*alike(says, o.Value))
			}
			if q.Kind != "" && o.Kind != "" && q.Kind != o.Kind {
				like -= 0.3
			}
			if like >= near {
				pairs = append(pairs, pair{i, j, like})
			}
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(b.like, a.like) })
	taken := make(map[int]bool)
	for _, p := range pairs {
		if q := &asked[p.q]; q.Proposed == "" && !taken[p.o] {
			q.Proposed, taken[p.o] = there[p.o].Value, true
			q.Options = append(q.Options, there[p.o])
		}
	}
	for _, p := range pairs {
		asked[p.q].offer(there[p.o], most)
	}
	left := slices.DeleteFunc(slices.Clone(there), func(o Option) bool { return taken[slices.Index(there, o)] })
	if len(left) > most && left[0].Rows < 0 {
		return // a few of many names that are not near help nobody
	}
	slices.SortStableFunc(left, func(a, b Option) int { return b.Rows - a.Rows })
	for i := range asked {
		for _, o := range left {
			if asked[i].Proposed == "" && (asked[i].Kind == "" || o.Kind == "" || o.Kind == asked[i].Kind) {
				asked[i].offer(o, most)
			}
		}
	}
}

// offer adds an option.
func (q *Question) offer(o Option, most int) {
	if len(q.Options) < most && !slices.Contains(q.Options, o) {
		q.Options = append(q.Options, o)
	}
}

// near is how like two names must be, of 1, for one to be proposed for the other.
const near = 0.6

// alike says how like two names are, from 0 to 1: without case and underscores, with a word more or less, or with a slip of the pen.
func alike(a, b string) float64 {
	if dot := strings.LastIndexByte(b, '.'); dot > 0 && !strings.Contains(a, ".") {
		b = b[dot+1:] // in another schema
	}
	x, y := wordsOf(a), wordsOf(b)
	if len(x) == 0 || len(y) == 0 {
		return 0
	}
	p, q := strings.Join(x, ""), strings.Join(y, "")
	if p == q {
		return 1
	}
	figures, others := strings.Map(onlyFigures, p), strings.Map(onlyFigures, q)
	if 2*len(figures) >= len(p)-len(figures) {
		return 0 // numbers and ids that are nearly the same are others
	}
	like := 0.0
	const short = 4
	if max(len(p), len(q)) > short { // SW is not nearly CSW
		like = 1 - float64(strict.Distance(p, q))/float64(max(len(p), len(q)))
	}
	both := 0
	for _, w := range x {
		if slices.ContainsFunc(y, func(v string) bool { return sameWord(v, w) }) {
			both++
		}
	}
	like = max(like, 0.95*2*float64(both)/float64(len(x)+len(y)))
	if shorter, longer := min(len(p), len(q)), max(len(p), len(q)); shorter > 3 && (strings.Contains(p, q) || strings.Contains(q, p)) {
		like = max(like, 0.6+0.4*float64(shorter)/float64(longer))
	}
	if figures != others && figures != "" && others != "" { // another stage's
		like -= 0.3
	}
	return like
}

// Slip gives what is a slip of the pen away from a code; "": nothing is. In another case a code is another one, and a slip. Codes with other figures in
// them, and short ones, are no slips.
func Slip(code string, there []string) string {
	const short = 4
	for _, c := range there {
		if strings.EqualFold(c, code) {
			return c
		}
	}
	if len(code) <= short {
		return ""
	}
	return strict.Near(code, slices.DeleteFunc(slices.Clone(there), func(c string) bool {
		return strings.Map(onlyFigures, c) != strings.Map(onlyFigures, code)
	}))
}

func onlyFigures(r rune) rune {
	if unicode.IsDigit(r) {
		return r
	}
	return -1
}

// wordsOf parts a name at its underscores and other signs, where a capital follows a small letter, and where figures begin or end.
func wordsOf(name string) []string {
	var b strings.Builder
	var before rune
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			r = ' '
		case unicode.IsLower(before) && unicode.IsUpper(r), unicode.IsDigit(before) != unicode.IsDigit(r):
			b.WriteByte(' ')
		}
		before = r
		b.WriteRune(unicode.ToUpper(r))
	}
	return strings.Fields(b.String())
}

// sameWord says whether two words are one: in the plural, shortened, or with another ending, as responded and response.
func sameWord(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	const short, stem = 3, 6
	return a == b || len(a) >= short && strings.HasPrefix(b, a) || len(a) > stem && strings.HasPrefix(b, a[:stem])
}

func sortedOf[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// scalar writes a text as a value or a key of YAML.
func scalar(s string) string {
	plain := s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && r != '_' && r != '.' && r != '-' && r != ' ' && !unicode.IsDigit(r)
	}) && unicode.IsLetter([]rune(s)[0]) && strings.TrimSpace(s) == s
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		plain = false
	}
	if plain {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(s) + `"`
}

// List writes codes as an answers file has several.
func List(codes []string) string {
	var all Codes
	for _, c := range codes {
		if c = strings.TrimSpace(c); c != "" {
			all = append(all, c)
		}
	}
	return "[" + strings.Trim(flowList(all), "[]") + "]"
}

// flowList writes one value, or several.
func flowList(values Codes) string {
	if len(values) == 0 {
		return `""`
	}
	var all []string
	for _, v := range values {
		all = append(all, scalar(v))
	}
	if len(all) == 1 {
		return all[0]
	}
	return fmt.Sprintf("[%s]", strings.Join(all, ", "))
}
