package policy

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Diff tells in words what differs between two policies, a line each, in the order of the new one.
func Diff(old, now *Policy) []string {
	d := &differ{}
	d.compare("", reflect.ValueOf(old).Elem(), reflect.ValueOf(now).Elem())
	return d.out
}

type differ struct{ out []string }

func (d *differ) say(format string, args ...any) { d.out = append(d.out, fmt.Sprintf(format, args...)) }

func (d *differ) compare(at string, a, b reflect.Value) {
	if reflect.DeepEqual(a.Interface(), b.Interface()) {
		return
	}
	switch a.Kind() {
	case reflect.Pointer:
		switch {
		case a.IsNil():
			d.say("%s is new: %s", at, text(b.Elem()))
		case b.IsNil():
			d.say("%s is gone; it was: %s", at, text(a.Elem()))
		default:
			d.compare(at, a.Elem(), b.Elem())
		}
	case reflect.Slice:
		d.slices(at, a, b)
	case reflect.Map:
		d.maps(at, a, b)
	case reflect.Struct:
		if leaf(a) {
			d.say("%s: was %s, is %s", at, text(a), text(b))
			return
		}
		for i := range a.NumField() {
			f := a.Type().Field(i)
			key, opts, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			switch {
			case strings.Contains(opts, "inline"):
				d.compare(at, a.Field(i), b.Field(i))
			case key != "" && key != "-":
				d.compare(strings.TrimSpace(at+" "+Spaced(key)), a.Field(i), b.Field(i))
			}
		}
	default:
		d.say("%s: was %s, is %s", at, text(a), text(b))
	}
}

// slices pairs the rules of two lists by their names; plain values are added or gone.
func (d *differ) slices(at string, a, b reflect.Value) {
	if a.Type().Elem().Kind() != reflect.Struct {
		d.say("%s: was %s, is %s", at, text(a), text(b))
		return
	}
	names := func(v reflect.Value) []string {
		var out []string
		for i := range v.Len() {
			n := nameOf(v.Index(i))
			for slices.Contains(out, n) {
				n += "'"
			}
			out = append(out, n)
		}
		return out
	}
	before, after := names(a), names(b)
	for i, n := range before {
		if !slices.Contains(after, n) {
			d.say("%s %s is gone; it was: %s", at, n, text(a.Index(i)))
		}
	}
	for i, n := range after {
		j := slices.Index(before, n)
		if j < 0 {
			d.say("%s %s is new: %s", at, n, text(b.Index(i)))
			continue
		}
		d.compare(at+" "+n, a.Index(j), b.Index(i))
	}
}

func (d *differ) maps(at string, a, b reflect.Value) {
	var keys []string
	for _, k := range slices.Concat(a.MapKeys(), b.MapKeys()) {
		keys = append(keys, k.String())
	}
	slices.Sort(keys)
	for _, k := range slices.Compact(keys) {
		key := reflect.ValueOf(k)
		x, y := a.MapIndex(key), b.MapIndex(key)
		switch {
		case !x.IsValid():
			d.say("%s %s is new: %s", at, k, text(y))
		case !y.IsValid():
			d.say("%s %s is gone; it was: %s", at, k, text(x))
		case x.String() != y.String():
			d.say("%s %s: was %s, is %s", at, k, text(x), text(y))
		}
	}
}

// leaf says whether a struct is one value, such as an amount.
func leaf(v reflect.Value) bool { _, ok := v.Interface().(Amount); return ok }

// nameOf is what a rule is called in its list: its id, else what it speaks of, else its clause.
func nameOf(v reflect.Value) string {
	var parts []string
	for _, field := range []string{"ID", "Role", "Field", "Fact", "Expect", "On", "When", "What", "Clause"} {
		f := v.FieldByName(field)
		if !f.IsValid() || f.Kind() != reflect.String || f.String() == "" {
			continue
		}
		if field == "ID" {
			return f.String()
		}
		parts = append(parts, f.String())
	}
	return strings.Join(parts[:min(2, len(parts))], " ")
}

// text writes a value as the file would, without what is empty.
func text(v reflect.Value) string {
	if s, ok := v.Interface().(fmt.Stringer); ok {
		return quoted(s.String())
	}
	switch v.Kind() {
	case reflect.Pointer:
		return text(v.Elem())
	case reflect.Slice:
		var out []string
		for i := range v.Len() {
			out = append(out, text(v.Index(i)))
		}
		return "[" + strings.Join(out, ", ") + "]"
	case reflect.Struct:
		var out []string
		for i := range v.NumField() {
			f := v.Type().Field(i)
			key, opts, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			switch {
			case v.Field(i).IsZero() || key == "-":
			case strings.Contains(opts, "inline"):
				out = append(out, text(v.Field(i)))
			default:
				out = append(out, key+": "+text(v.Field(i)))
			}
		}
		return strings.Join(out, ", ")
	}
	return quoted(fmt.Sprint(v.Interface()))
}

func quoted(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}
