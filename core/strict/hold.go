package strict

import (
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Hold holds the file against what the tags of its type ask for, beside yaml: need says that a value must be there, and which (or yes);
// range:"1 30" that a number lies between two, which unit:"minutes" counts. No text may hold a tab, a new line or the like: it is a path in
// double quotes as a rule. Structs, lists and pointers are looked through; what a pointer that is nil would hold is not asked for.
func (f *File) Hold(into any) {
	if f.root != nil {
		f.hold(nil, reflect.ValueOf(into))
	}
}

func (f *File) hold(path []any, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			f.hold(path, v.Elem())
		}
	case reflect.String:
		if strings.ContainsFunc(v.String(), unicode.IsControl) {
			f.Fault(path, "a tab, a new line or another sign that is no letter stands in %q: in double quotes \\t is a tab and \\n a new line; write a "+
				"path without quotes, or in single ones", v.String())
		}
	case reflect.Slice:
		for i := range v.Len() {
			f.hold(append(slices.Clone(path), i), v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			sf := v.Type().Field(i)
			switch key := Key(sf); {
			case key != "":
				at := append(slices.Clone(path), any(key))
				f.holdOne(at, sf.Tag, v.Field(i))
				f.hold(at, v.Field(i))
			case strings.HasSuffix(sf.Tag.Get("yaml"), ",inline"):
				f.hold(path, v.Field(i))
			}
		}
	}
}

func (f *File) holdOne(at []any, tag reflect.StructTag, v reflect.Value) {
	need := tag.Get("need")
	switch {
	case need == "" || !v.IsZero() && (v.Kind() != reflect.Slice || v.Len() > 0):
	case need == "yes":
		f.Fault(at, "%q is missing", dotted(at))
	default:
		f.Fault(at, "%q is missing: %s", dotted(at), need)
	}
	least, most, ok := Range(tag)
	switch {
	case !ok || v.Int() >= least && v.Int() <= most:
	case most == math.MaxInt64:
		f.Fault(at, "%d %s: give %d or more", v.Int(), tag.Get("unit"), least)
	default:
		f.Fault(at, "%d %s: give %d to %d", v.Int(), tag.Get("unit"), least, most)
	}
}

// Range is what a number must lie between, as its tag says: "1 30", or "1", where it may be as large as one likes.
func Range(tag reflect.StructTag) (least, most int64, ok bool) {
	from, until, both := strings.Cut(tag.Get("range"), " ")
	least, err := strconv.ParseInt(from, 10, 64)
	if !both {
		return least, math.MaxInt64, err == nil
	}
	most, err2 := strconv.ParseInt(until, 10, 64)
	return least, most, err == nil && err2 == nil
}

// Key is the YAML key that a field reads; "" where it reads none, or is inlined.
func Key(sf reflect.StructField) string {
	key, opts, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
	if key == "-" || strings.Contains(opts, "inline") || !sf.IsExported() {
		return ""
	}
	return key
}

// dotted is a path of keys; of an item of a list only what is below it.
func dotted(path []any) string {
	s := ""
	for _, p := range path {
		switch p := p.(type) {
		case string:
			s += "." + p
		default:
			s = ""
		}
	}
	return strings.TrimPrefix(s, ".")
}
