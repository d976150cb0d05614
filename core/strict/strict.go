// Package strict reads YAML files that people write: policies, mappings, the configuration.
//
// It promises that every fault of a file is reported in one go, as file:line:col with what would be right; that a key
// nobody reads is a fault; and that a checker which knows only the path of a value can name its line.
package strict

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Fault is one thing that is wrong at one place of a file.
type Fault struct {
	File      string
	Line, Col int
	Message   string // the thing, and what would be right
}

func (f Fault) String() string {
	if f.Line == 0 {
		return fmt.Sprintf("%s: %s", f.File, f.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Col, f.Message)
}

// Faults are all faults of one or more files, in the order of their lines. A nil or empty value is no error.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, one := range f {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// Err returns f as an error, sorted, or nil where there is none.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	slices.SortStableFunc(f, func(a, b Fault) int {
		if a.File != b.File {
			return strings.Compare(a.File, b.File)
		}
		return (a.Line-b.Line)*1000 + a.Col - b.Col
	})
	return f
}

// File is a loaded file that can say where each of its values stands.
type File struct {
	Name      string
	root      *yaml.Node
	elsewhere map[*yaml.Node]string // values that an overlay put there, with its name
	changes   []string
	faults    Faults
}

// Load reads src into the struct that into points to and collects what is wrong with its form: syntax, types,
// repeated and unknown keys. Further faults are added by Fault; Err ends the reading.
func Load(name string, src []byte, into any) *File { return LoadWith(name, src, into, nil) }

// LoadWith is Load of a file with overlays over it. Nothing under the keys in keep may be removed by one.
func LoadWith(name string, src []byte, into any, overlays []Overlay, keep ...string) *File {
	f := &File{Name: name}
	src, err := Text(name, src)
	if err != nil {
		errors.As(err, &f.faults)
		return f
	}
	var doc yaml.Node
	if !blank(src) {
		if err := yaml.Load(src, &doc); err != nil {
			f.add(err)
			f.explain(src)
			return f
		}
	}
	if len(doc.Content) == 0 { // and all that must be there is missing
		f.faults = append(f.faults, Fault{name, 1, 1, "the file is empty"})
		f.root = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: 1, Column: 1}
		return f
	}
	f.root = doc.Content[0]
	for _, o := range overlays {
		f.merge(o, keep)
	}
	f.unknownKeys(f.root, reflect.TypeOf(into))
	if err := f.root.Load(into); err != nil {
		f.add(err)
	}
	return f
}

// Changes says what overlays changed, a line each, with the reason.
func (f *File) Changes() []string { return f.changes }

// Source is the file's text with its overlays in it.
func (f *File) Source() ([]byte, error) { return yaml.Dump(f.root) }

func (f *File) add(err error) {
	var many *yaml.LoadErrors
	if errors.As(err, &many) {
		for _, e := range many.Errors {
			f.faults = append(f.faults, Fault{f.fileAt(e.Mark.Line, e.Mark.Column), e.Mark.Line, e.Mark.Column, message(e)})
		}
		return
	}
	var one *yaml.LoadError
	if errors.As(err, &one) {
		f.faults = append(f.faults, Fault{f.fileAt(one.Mark.Line, one.Mark.Column), one.Mark.Line, one.Mark.Column, message(one)})
		return
	}
	f.faults = append(f.faults, Fault{f.Name, 1, 1, err.Error()})
}

// fileAt is the file of a value that could not be read: an overlay's, where it has one at that place.
func (f *File) fileAt(line, col int) string {
	for n, name := range f.elsewhere {
		if n.Line == line && n.Column == col {
			return name
		}
	}
	return f.Name
}

func message(e *yaml.LoadError) string {
	if e.Message == "" {
		return e.Error()
	}
	found := wrongShape.FindStringSubmatch(e.Message)
	if found == nil {
		return e.Message
	}
	kind, value, into := found[1], found[2], found[3]
	var want string
	switch {
	case strings.HasPrefix(into, "[]") && value != "":
		want = "a list is wanted here: [" + value + "]"
	case strings.HasPrefix(into, "[]"):
		want = "a list is wanted here: begin each item with - or write [ ] around them"
	case into == "bool":
		want = "true or false is wanted here"
	case strings.HasPrefix(into, "int"):
		want = "a number is wanted here"
	case into == "string":
		want = "one value is wanted here, not " + shapes[kind]
	default:
		want = "keys with their values are wanted here: {key: value}"
	}
	if value != "" {
		return fmt.Sprintf("%q: %s", value, want)
	}
	return want
}

// wrongShape is what the YAML library says of a value that is of another shape than the type that reads it.
var wrongShape = regexp.MustCompile("^cannot construct !!(\\w+)(?: `(.*)`)? into (\\S+)$")

var shapes = map[string]string{"seq": "a list", "map": "keys with their values"}

// Fault adds what is wrong with the value at a path of keys and indexes. Of a file that cannot be read nothing more is wrong than that.
func (f *File) Fault(path []any, format string, args ...any) {
	if f.root == nil && len(f.faults) > 0 {
		return
	}
	n := f.at(path)
	if n == nil {
		n = &yaml.Node{Line: 1, Column: 1}
	}
	f.faults = append(f.faults, Fault{f.fileOf(n), n.Line, n.Column, fmt.Sprintf(format, args...)})
}

// Where says where the value at a path stands, as file:line:col.
func (f *File) Where(path []any) string {
	n := f.at(path)
	if n == nil {
		return f.Name
	}
	return fmt.Sprintf("%s:%d:%d", f.fileOf(n), n.Line, n.Column)
}

// Err returns all faults, or nil.
func (f *File) Err() error { return f.faults.Err() }

// at finds the value at a path; where the path ends early it gives the last place that exists.
func (f *File) at(path []any) *yaml.Node {
	n := f.root
	if n == nil {
		return nil
	}
	for _, step := range path {
		next := child(n, step)
		if next == nil {
			break
		}
		n = next
	}
	return n
}

func (f *File) fileOf(n *yaml.Node) string {
	if name := f.elsewhere[n]; name != "" {
		return name
	}
	return f.Name
}

func child(n *yaml.Node, step any) *yaml.Node {
	if n == nil {
		return nil
	}
	switch step := step.(type) {
	case int:
		if n.Kind == yaml.SequenceNode && step < len(n.Content) {
			return n.Content[step]
		}
	case string:
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == step {
				return n.Content[i+1]
			}
		}
	}
	return nil
}

func (f *File) unknownKeys(n *yaml.Node, t reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case n.Kind == yaml.SequenceNode && t.Kind() == reflect.Slice:
		for _, item := range n.Content {
			f.unknownKeys(item, t.Elem())
		}
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Map:
		for i := 1; i < len(n.Content); i += 2 {
			f.unknownKeys(n.Content[i], t.Elem())
		}
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Struct:
		known := Keys(t)
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			field, ok := known[key.Value]
			if !ok {
				names := make([]string, 0, len(known))
				for name := range known {
					names = append(names, name)
				}
				f.faults = append(f.faults, Fault{f.fileOf(n.Content[i+1]), key.Line, key.Column,
					fmt.Sprintf("unknown key %q%s", key.Value, Suggest(key.Value, names))})
				continue
			}
			f.unknownKeys(n.Content[i+1], field)
		}
	}
}

// Keys returns the YAML keys that a struct type reads, with their types; inlined structs give theirs.
func Keys(t reflect.Type) map[string]reflect.Type {
	out := make(map[string]reflect.Type)
	for i := range t.NumField() {
		sf := t.Field(i)
		name, opts, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		switch {
		case strings.Contains(opts, "inline"):
			for k, v := range Keys(sf.Type) {
				out[k] = v
			}
		case name == "-" || !sf.IsExported():
		case name == "":
			out[strings.ToLower(sf.Name)] = sf.Type
		default:
			out[name] = sf.Type
		}
	}
	return out
}

// Near gives the candidate that is a slip of the pen away from word, two letters at most; "" where none is.
func Near(word string, candidates []string) (best string) {
	far := 3
	for _, c := range candidates {
		if d := Distance(word, c); d < far {
			best, far = c, d
		}
	}
	return best
}

// Suggest returns " (nearest?)" for the candidate nearest to word, or the whole list where none is near.
func Suggest(word string, candidates []string) string {
	slices.Sort(candidates)
	best, far := "", len(word)/2+2
	for _, c := range candidates {
		if d := Distance(word, c); d < far {
			best, far = c, d
		}
	}
	if best != "" {
		return fmt.Sprintf(" (%s?)", best)
	}
	if len(candidates) == 0 {
		return ""
	}
	return fmt.Sprintf(" (known: %s)", strings.Join(candidates, ", "))
}

// Distance is the number of single letters to change, add or leave out between two words.
func Distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diag := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diag
			if a[i-1] != b[j-1] {
				cost++
			}
			diag = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
