// Package schematest says what a YAML file may hold, from the types that read it and the comments in their source: as a JSON Schema, for
// editors, and as a page that people read. Tests keep the files true that are made by it.
package schematest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"math"
	"reflect"
	"strings"

	"drpd/core/strict"
)

// Language is that of one kind of file.
type Language struct {
	Says map[string]string // what the source says of a type, and of a field as Type.Field: see Comments
	// Of gives the schema of a type that is written otherwise than its Go type says; nil where it is not.
	Of func(reflect.Type) map[string]any
	// Default is what the file's type holds where the file says nothing; not valid: nothing.
	Default reflect.Value

	defs     map[string]any
	defaults map[string]any // by Type.Field
}

// Comments reads what Go source says of each type and of each of its fields, as Type and Type.Field.
func Comments(fsys fs.FS, files ...string) (map[string]string, error) {
	out := make(map[string]string)
	words := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	for _, name := range files {
		src, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			g, ok := n.(*ast.GenDecl)
			if !ok || g.Tok != token.TYPE {
				return true
			}
			for _, s := range g.Specs {
				spec := s.(*ast.TypeSpec)
				out[spec.Name.Name] = words(g.Doc.Text())
				if body, ok := spec.Type.(*ast.StructType); ok {
					for _, f := range body.Fields.List {
						for _, n := range f.Names {
							out[spec.Name.Name+"."+n.Name] = words(cmp.Or(f.Comment.Text(), f.Doc.Text()))
						}
					}
				}
			}
			return false
		})
	}
	return out, nil
}

// Schema is the JSON Schema of files that the type reads. Of the type itself these keys must be there, besides those whose tags say so.
func (l *Language) Schema(t reflect.Type, title string, required ...string) ([]byte, error) {
	l.defs, l.defaults = make(map[string]any), make(map[string]any)
	l.keepDefaults(l.Default)
	root := l.object(t)
	root["$schema"], root["$defs"], root["title"] = "https://json-schema.org/draft/2020-12/schema", l.defs, title
	if len(required) > 0 {
		root["required"] = required
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(root)
	return b.Bytes(), err
}

// keepDefaults keeps what is not zero of a value and of the structs in it.
func (l *Language) keepDefaults(v reflect.Value) {
	if !v.IsValid() || v.Kind() != reflect.Struct {
		return
	}
	for i := range v.NumField() {
		sf, f := v.Type().Field(i), v.Field(i)
		switch {
		case strict.Key(sf) == "" || f.IsZero():
		case f.Kind() == reflect.Struct:
			l.keepDefaults(f)
		default:
			l.defaults[v.Type().Name()+"."+sf.Name] = f.Interface()
		}
	}
}

func (l *Language) of(t reflect.Type) map[string]any {
	if l.Of != nil {
		if s := l.Of(t); s != nil {
			return s
		}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return l.of(t.Elem())
	case reflect.Slice:
		return map[string]any{"type": "array", "items": l.of(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": l.of(t.Elem())}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int:
		return map[string]any{"type": "integer"}
	case reflect.Struct:
		if _, ok := l.defs[t.Name()]; !ok {
			l.defs[t.Name()] = true
			l.defs[t.Name()] = l.object(t)
		}
		return map[string]any{"$ref": "#/$defs/" + t.Name()}
	}
	return map[string]any{"type": "string"}
}

func (l *Language) object(t reflect.Type) map[string]any {
	props := make(map[string]any)
	var required []any
	var walk func(reflect.Type)
	walk = func(t reflect.Type) {
		for i := range t.NumField() {
			f := t.Field(i)
			key := strict.Key(f)
			switch _, opts, _ := strings.Cut(f.Tag.Get("yaml"), ","); {
			case strings.Contains(opts, "inline"):
				walk(f.Type)
			case key != "":
				props[key] = l.property(t, f)
				if needed(f) {
					required = append(required, key)
				}
			}
		}
	}
	walk(t)
	out := map[string]any{"type": "object", "additionalProperties": false, "properties": props, "description": l.Says[t.Name()]}
	if required != nil {
		out["required"] = required
	}
	return out
}

// needed says whether a file must hold a field: its tag says so, or that of something in it.
func needed(f reflect.StructField) bool {
	if f.Tag.Get("need") != "" {
		return true
	}
	if f.Type.Kind() == reflect.Struct {
		for i := range f.Type.NumField() {
			if needed(f.Type.Field(i)) {
				return true
			}
		}
	}
	return false
}

func (l *Language) property(t reflect.Type, f reflect.StructField) map[string]any {
	p := l.of(f.Type)
	if says := l.Says[t.Name()+"."+f.Name]; says != "" {
		p["description"] = says
	}
	if d, ok := l.defaults[t.Name()+"."+f.Name]; ok {
		p["default"] = d
	}
	if least, most, ok := strict.Range(f.Tag); ok {
		p["minimum"] = least
		if most != math.MaxInt64 {
			p["maximum"] = most
		}
	}
	if words := strings.Fields(f.Tag.Get("enum")); len(words) > 0 {
		one := p
		if items, ok := p["items"].(map[string]any); ok {
			one = items
		}
		one["enum"] = words
	}
	return p
}
