package schematest

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v4"

	"drpd/core/strict"
)

// Paths are the keys that the type reads, with those above them: mail_out.relays[].name. They come in the order of the type.
func Paths(t reflect.Type) []string {
	var out []string
	walk(t, "", func(_ reflect.Type, f reflect.StructField, path string) bool {
		out = append(out, path)
		return true
	})
	return out
}

// walk visits each key that a type reads, and what is below it where visit says so.
func walk(t reflect.Type, above string, visit func(in reflect.Type, f reflect.StructField, path string) (below bool)) {
	for i := range t.NumField() {
		f := t.Field(i)
		key := strict.Key(f)
		if strings.HasSuffix(f.Tag.Get("yaml"), ",inline") {
			walk(f.Type, above, visit)
		}
		if key == "" {
			continue
		}
		path := strings.TrimPrefix(above+"."+key, ".")
		if below, list := inside(f.Type); visit(t, f, path) && below != nil {
			walk(below, path+list, visit)
		}
	}
}

// inside is the struct that a field holds, or whose list it holds; nil: none.
func inside(t reflect.Type) (below reflect.Type, list string) {
	for {
		switch t.Kind() {
		case reflect.Pointer:
			t = t.Elem()
		case reflect.Slice:
			t, list = t.Elem(), "[]"
		case reflect.Struct:
			return t, list
		default:
			return nil, ""
		}
	}
}

// Examples gives what YAML says for each key, by its path as Paths has it, and by Type.Field: the first where there are several.
func Examples(src []byte, t reflect.Type) (map[string]string, error) {
	var doc yaml.Node
	if err := yaml.Load(src, &doc); err != nil {
		return nil, err
	}
	out, known := make(map[string]string), make(map[string]bool)
	for _, p := range Paths(t) {
		known[p] = true
	}
	var err error
	var add func(n *yaml.Node, path string)
	add = func(n *yaml.Node, path string) {
		switch {
		case n.Kind == yaml.SequenceNode && len(n.Content) > 0 && n.Content[0].Kind == yaml.MappingNode:
			for _, item := range n.Content {
				add(item, path+"[]")
			}
		case n.Kind == yaml.MappingNode && len(n.Content) > 0 && (path == "" || known[below(path, n.Content[0].Value)]):
			for i := 0; i+1 < len(n.Content); i += 2 {
				add(n.Content[i+1], below(path, n.Content[i].Value))
			}
		case out[path] == "":
			said := *n
			said.Style |= yaml.FlowStyle
			var b []byte
			if b, err = yaml.Dump(&said); err == nil {
				out[path] = strings.TrimSpace(string(b))
			}
		}
	}
	add(doc.Content[0], "")
	walk(t, "", func(in reflect.Type, f reflect.StructField, path string) bool {
		if x, of := out[path], in.Name()+"."+f.Name; x != "" && out[of] == "" {
			out[of] = x
		}
		return true
	})
	return out, err
}

func below(path, key string) string { return strings.TrimPrefix(path+"."+key, ".") }

// As ends the line of a key whose own keys stand elsewhere in the reference.
const As = "its keys are those of"

// Reference is a page that says of each key what it is, what it means, what holds without it, and an example of it.
func (l *Language) Reference(t reflect.Type, head string, examples map[string]string) string {
	l.defaults = make(map[string]any)
	l.keepDefaults(l.Default)
	var b strings.Builder
	b.WriteString(head)
	first := make(map[reflect.Type]string) // where a type is told of
	line := func(in reflect.Type, f reflect.StructField, path string) bool {
		inner, list := inside(f.Type)
		if inner != nil && !strings.Contains(path, ".") {
			fmt.Fprintf(&b, "\n## `%s`\n\n", path)
		}
		fmt.Fprintf(&b, "- `%s` (%s)", path, l.kind(f))
		if says := l.Says[in.Name()+"."+f.Name]; says != "" {
			fmt.Fprintf(&b, ": %s", says)
		}
		if d, ok := l.defaults[in.Name()+"."+f.Name]; ok {
			fmt.Fprintf(&b, ". Left out: %v", d)
		}
		if x := cmp.Or(examples[path], examples[in.Name()+"."+f.Name]); x != "" {
			fmt.Fprintf(&b, ". Example: `%s`", x)
		}
		at := first[inner]
		if inner != nil && at == "" {
			first[inner] = path + list
		}
		if at != "" {
			fmt.Fprintf(&b, "; %s `%s`", As, at)
		}
		b.WriteString("\n")
		return at == ""
	}
	flat := func(inner bool) {
		walk(t, "", func(in reflect.Type, f reflect.StructField, path string) bool {
			if s, _ := inside(f.Type); !strings.Contains(path, ".") && (s != nil) != inner {
				return false
			}
			return line(in, f, path)
		})
	}
	flat(false)
	flat(true)
	return b.String()
}

// kind says in words what a field holds, whether it must be there, and what a number counts.
func (l *Language) kind(f reflect.StructField) string {
	says := l.word(f.Type)
	if words := strings.Fields(f.Tag.Get("enum")); len(words) > 0 {
		says = strings.Join(words, ", ")
		if f.Type.Kind() == reflect.Slice {
			says = "list of " + says
		}
	}
	if unit := f.Tag.Get("unit"); unit != "" {
		says += ", " + unit
	}
	switch least, most, ok := strict.Range(f.Tag); {
	case ok && most == math.MaxInt64:
		says += fmt.Sprintf(", %d or more", least)
	case ok:
		says += fmt.Sprintf(", %d to %d", least, most)
	}
	if needed(f) {
		says += "; needed"
	}
	return says
}

func (l *Language) word(t reflect.Type) string {
	if l.Of != nil {
		if s := l.Of(t); s != nil {
			return fmt.Sprint(s["format"])
		}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return l.word(t.Elem())
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Struct {
			return "list, each with keys"
		}
		return "list of " + l.word(t.Elem())
	case reflect.Map:
		return "names with their values"
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "number"
	case reflect.Struct:
		return "keys"
	}
	return "text"
}

// Merged is the examples of several files: those of the first count where several have one.
func Merged(all ...map[string]string) map[string]string {
	out := make(map[string]string)
	for i := len(all) - 1; i >= 0; i-- {
		maps.Copy(out, all[i])
	}
	return out
}
