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
			if v.Type().Field(i).IsExported() {
				out.Field(i).Set(without(v.Field(i), clause))
			}
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
