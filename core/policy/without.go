package policy

import (
	"maps"
	"reflect"
	"slices"
)

// Without returns a copy of the policy in which every rule that rests on the clause is gone. A policy of which a clause
// can be taken away without any of its cases failing does not really have that clause; `drpd policy test` and the tests
// look for one.
func (p *Policy) Without(clause string) *Policy {
	out := without(reflect.ValueOf(p).Elem(), clause).Interface().(Policy)
	return &out
}

func without(v reflect.Value, clause string) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || cites(v.Elem(), clause) {
			return reflect.Zero(v.Type())
		}
		out := reflect.New(v.Type().Elem())
		out.Elem().Set(without(v.Elem(), clause))
		return out
	case reflect.Slice:
		out := reflect.Zero(v.Type())
		for i := range v.Len() {
			if !cites(v.Index(i), clause) {
				out = reflect.Append(out, without(v.Index(i), clause))
			}
		}
		return out
	case reflect.Struct:
		out := reflect.New(v.Type()).Elem()
		out.Set(v)
		for i := range v.NumField() {
			out.Field(i).Set(without(v.Field(i), clause))
		}
		return out
	}
	return v
}

func cites(v reflect.Value, clause string) bool {
	if v.Kind() != reflect.Struct {
		return false
	}
	cite, ok := citeOf(v)
	return ok && cite.Clause == clause
}

// Cited returns every clause of the policy, in the order of its numbers.
func (p *Policy) Cited() []string {
	out := slices.Collect(maps.Keys(p.Clauses))
	slices.SortFunc(out, func(a, b string) int {
		if a[0] != b[0] {
			return int(a[0]) - int(b[0])
		}
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		if a < b {
			return -1
		}
		return 1
	})
	return out
}

// Sought is a field of the form that a rule looks for.
type Sought struct {
	Clause string
	Field  string
}

// LooksFor lists the fields of the form that the policy's rules look for, each once, with the first clause that does.
func (p *Policy) LooksFor() []Sought {
	var out []Sought
	add := func(clause, field string) {
		if field != "" && !slices.ContainsFunc(out, func(s Sought) bool { return s.Field == field }) {
			out = append(out, Sought{clause, field})
		}
	}
	sought(reflect.ValueOf(p).Elem(), "", add)
	return out
}

// sought finds the fields in a rule and in what stands under it; the clause is that of the nearest rule around.
func sought(v reflect.Value, clause string, add func(clause, field string)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			sought(v.Elem(), clause, add)
		}
	case reflect.Slice:
		for i := range v.Len() {
			sought(v.Index(i), clause, add)
		}
	case reflect.Struct:
		if cite, ok := citeOf(v); ok {
			clause = cite.Clause
		}
		for i := range v.NumField() {
			f := v.Type().Field(i)
			switch x := v.Field(i).Interface().(type) {
			case string:
				if f.Name == "Field" || v.Type() == reflect.TypeFor[Scope]() && f.Name == "Other" {
					add(clause, x)
				}
			case []string:
				if f.Name == "Field" {
					for _, one := range x {
						add(clause, one)
					}
				}
			default:
				sought(v.Field(i), clause, add)
			}
		}
	}
}
