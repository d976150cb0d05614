package document

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

const (
	flagRadio = 1 << 15
	flagPush  = 1 << 16
	maxAbove  = 32 // fields that a field is within
)

// acroForm is the form of a PDF. What a field holds is often not what its reader sees: the number of a button, the code of an
// entry, a date in an order that a script says.
type acroForm struct{ *model.Context }

// decode writes into each field that holds a code what its reader sees, as an ordinary text. Where the file does not say,
// the text says so, and is neither yes nor no.
func (f *acroForm) decode() {
	type change struct {
		field types.Dict
		text  string
	}
	var changes []change
	for _, e := range f.Table {
		d, ok := e.Object.(types.Dict)
		if !ok || d["V"] == nil {
			continue
		}
		text, known := "", false
		switch f.name(f.inherited(d, "FT")) {
		case "Btn":
			text, known = f.button(d)
		case "Ch":
			text, known = f.entries(d)
		case "Tx":
			text, known = f.day(d)
		}
		if known {
			changes = append(changes, change{d, text})
		}
	}
	for _, c := range changes { // fields look at those above them: only now may they change
		if escaped, err := types.EscapedUTF16String(c.text); err == nil {
			c.field["FT"], c.field["V"] = types.Name("Tx"), types.StringLiteral(*escaped)
			for _, key := range []string{"Opt", "Ff", "AA", "DV"} {
				delete(c.field, key)
			}
		}
	}
}

// unnamed is what a code reads as.
func unnamed(code string) string {
	return fmt.Sprintf("choice %q, and the file does not say what that means", code)
}

// code is what programs call a button or an entry, where nobody has named it.
var code = regexp.MustCompile(`(?i)^(?:(?:choice|option|opt|radio|button|value|item|state|group|check ?box)?[\W_]*\d*|[^yn]|on)$`)

// button gives which of its buttons a field holds; false for a box of its own, which is ticked or not.
func (f *acroForm) button(d types.Dict) (string, bool) {
	flags, _ := f.object(f.inherited(d, "Ff")).(types.Integer)
	state := f.name(d["V"])
	if flags.Value()&flagPush != 0 || state == "" || state == "Off" {
		return "", false
	}
	var states, shown []string
	kids := f.array(d["Kids"])
	for _, k := range append(slices.Clone(kids), d) {
		widget, _ := f.object(k).(types.Dict)
		looks, _ := f.object(widget["AP"]).(types.Dict)
		normal, _ := f.object(looks["N"]).(types.Dict)
		own := ""
		for name := range normal {
			if name, err := types.DecodeName(name); err == nil && name != "Off" {
				own = max(own, name)
			}
		}
		states = append(states, own)
		if as := f.name(widget["AS"]); as != "" && as != "Off" {
			shown = append(shown, as)
		}
	}
	states, alone := states[:len(kids)], states[len(kids)]
	several := slices.ContainsFunc(states, func(s string) bool { return s != state && s != "" })
	switch words := f.texts(f.inherited(d, "Opt")); {
	case len(shown) > 0 && !slices.Contains(shown, state):
		return unnamed(state), true
	case flags.Value()&flagRadio == 0 && !several: // a box, which may be shown more than once
		if no := strings.ToLower(state); no == "no" || no == "n" || no == "false" || no == "0" {
			return unnamed(state), true
		}
		return ticked, len(kids) > 0 || alone != ""
	case len(words) > 0:
		at := slices.Index(states, state) // the words stand in the order of the buttons
		if at < 0 || at >= len(words) || code.MatchString(words[at]) || state != fmt.Sprint(at) && slices.Contains(states, "0") {
			return unnamed(state), true
		}
		return words[at], true
	case code.MatchString(state):
		return unnamed(state), true
	}
	return state, true
}

// entries gives what the chosen entries of a list are called where it is read; false where they are nothing else.
func (f *acroForm) entries(d types.Dict) (string, bool) {
	chosen := f.texts(d["V"])
	if len(chosen) == 0 {
		chosen = f.texts(types.Array{d["V"]})
	}
	coded := false
	for i, c := range chosen {
		var called []string
		for _, o := range f.array(f.inherited(d, "Opt")) {
			if pair := f.texts(o); len(pair) == 2 && (pair[0] == c || pair[1] == c) && !slices.Contains(called, pair[1]) {
				called = append(called, pair[1])
			}
		}
		if coded = coded || len(called) > 0; len(called) == 1 {
			chosen[i] = called[0]
		} else if len(called) > 1 {
			chosen[i] = unnamed(c)
		}
	}
	_, hex := f.object(d["V"]).(types.HexLiteral)
	_, several := f.object(d["V"]).(types.Array)
	return strings.Join(chosen, ", "), coded || hex || several
}

var dateScript = regexp.MustCompile(`AFDate_(?:Format|Keystroke)(?:Ex)?\(\s*["']?([^"')]*)`)

// dateFormats are those that a script may name by their number.
var dateFormats = [...]string{"m/d", "m/d/yy", "mm/dd/yy", "mm/yy", "d-mmm", "d-mmm-yy", "dd-mmm-yy", "yy-mm-dd", "mmm-yy", "mmmm-yy",
	"mmm d, yyyy", "mmmm d, yyyy", "m/d/yy h:MM tt", "m/d/yy HH:MM"}

// day gives a date as the script of its field says that it is written; false for any other text that needs nothing.
func (f *acroForm) day(d types.Dict) (string, bool) {
	texts := f.texts(types.Array{d["V"]})
	if len(texts) != 1 {
		return "", false
	}
	_, hex := f.object(d["V"]).(types.HexLiteral)
	format := ""
	for _, k := range append(types.Array{d}, f.array(d["Kids"])...) {
		widget, _ := f.object(k).(types.Dict)
		actions, _ := f.object(widget["AA"]).(types.Dict)
		for _, key := range []string{"F", "K"} {
			action, _ := f.object(actions[key]).(types.Dict)
			if m := dateScript.FindStringSubmatch(f.script(action["JS"])); m != nil && format == "" {
				format = m[1]
			}
		}
	}
	for i, known := range dateFormats {
		if format == fmt.Sprint(i) {
			format = known
		}
	}
	return inOrder(orderOf(format, 'm'), texts[0]), hex || format != ""
}

// script gives the text of a script.
func (f *acroForm) script(o types.Object) string {
	if s, ok := f.object(o).(types.StreamDict); ok {
		if s.Decode() != nil {
			return ""
		}
		return string(s.Content)
	}
	return strings.Join(f.texts(types.Array{o}), "")
}

// object gives what an object refers to; nil where it cannot be had.
func (f *acroForm) object(o types.Object) types.Object {
	got, err := f.Dereference(o)
	if err != nil {
		return nil
	}
	return got
}

// inherited gives an entry of a field, or of the nearest one that it is within.
func (f *acroForm) inherited(d types.Dict, key string) types.Object {
	for range maxAbove {
		if d[key] != nil {
			return d[key]
		}
		above, ok := f.object(d["Parent"]).(types.Dict)
		if !ok {
			return nil
		}
		d = above
	}
	return nil
}

// name gives a name, "" for anything else.
func (f *acroForm) name(o types.Object) string {
	n, _ := f.object(o).(types.Name)
	s, err := types.DecodeName(string(n))
	if err != nil {
		return ""
	}
	return s
}

func (f *acroForm) array(o types.Object) types.Array {
	a, _ := f.object(o).(types.Array)
	return a
}

// texts gives the texts of an array; of a pair in it, which is an entry with its code, what it is called.
func (f *acroForm) texts(o types.Object) (out []string) {
	for _, o := range f.array(o) {
		s, err := "", error(nil)
		switch o := f.object(o).(type) {
		case types.StringLiteral:
			s, err = types.StringLiteralToString(o)
		case types.HexLiteral:
			s, err = types.HexLiteralToString(o)
		default:
			continue
		}
		if err == nil {
			out = append(out, strings.TrimSpace(s))
		}
	}
	return out
}
