package policy_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/strict"
	"drpd/core/workday"
	"drpd/policies"
	"drpd/testdata"
)

var update = flag.Bool("update", false, "write golden files anew")

const schemaFile = "../../policies/policy.schema.json"

// comments reads what the source says of each type and of each of its fields.
func comments(t *testing.T) map[string]string {
	t.Helper()
	out := make(map[string]string)
	var decls []ast.Decl
	for _, name := range []string{"policy.go", "rules.go", "amount.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		decls = append(decls, file.Decls...)
	}
	for _, d := range decls {
		g, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, s := range g.Specs {
			spec, ok := s.(*ast.TypeSpec)
			if !ok {
				continue
			}
			out[spec.Name.Name] = strings.Join(strings.Fields(g.Doc.Text()), " ")
			body, ok := spec.Type.(*ast.StructType)
			if !ok {
				continue
			}
			for _, f := range body.Fields.List {
				for _, n := range f.Names {
					out[spec.Name.Name+"."+n.Name] = strings.Join(strings.Fields(cmp.Or(f.Comment.Text(), f.Doc.Text())), " ")
				}
			}
		}
	}
	return out
}

type schemer struct {
	says map[string]string
	defs map[string]any
}

func (s *schemer) of(t reflect.Type) map[string]any {
	facts := func() []any {
		var out []any
		for _, k := range drp.FactKinds() {
			out = append(out, string(k))
		}
		return out
	}
	switch t {
	case reflect.TypeFor[workday.Date]():
		return map[string]any{"type": "string", "format": "date"}
	case reflect.TypeFor[policy.Amount]():
		return map[string]any{"type": "string", "description": s.says["Amount"],
			"examples": []any{"5 working days", "4 weeks", "one working week", "48 hours as 2 working days", "immediately", "set for the case",
				"none stated"}}
	case reflect.TypeFor[drp.FactKind]():
		return map[string]any{"type": "string", "enum": append(facts(), policy.AfterEntry)}
	case reflect.TypeFor[policy.Who]():
		return map[string]any{"type": "string", "enum": []any{string(policy.ByDrpd), string(policy.ByOwner)}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.of(t.Elem())
	case reflect.Slice:
		return map[string]any{"type": "array", "items": s.of(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": s.of(t.Elem())}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int:
		return map[string]any{"type": "integer"}
	case reflect.Struct:
		if _, ok := s.defs[t.Name()]; !ok {
			s.defs[t.Name()] = true
			s.defs[t.Name()] = s.object(t)
		}
		return map[string]any{"$ref": "#/$defs/" + t.Name()}
	}
	return map[string]any{"type": "string"}
}

func (s *schemer) object(t reflect.Type) map[string]any {
	props := make(map[string]any)
	var cite []any
	var walk func(reflect.Type)
	walk = func(t reflect.Type) {
		for i := range t.NumField() {
			f := t.Field(i)
			key, opts, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			switch {
			case strings.Contains(opts, "inline"):
				cite = []any{"clause"}
				walk(f.Type)
			case key != "" && key != "-":
				p := s.of(f.Type)
				if says := s.says[t.Name()+"."+f.Name]; says != "" {
					p["description"] = says
				}
				props[key] = p
			}
		}
	}
	walk(t)
	out := map[string]any{"type": "object", "additionalProperties": false, "properties": props, "description": s.says[t.Name()]}
	if cite != nil {
		out["required"] = cite
	}
	return out
}

// The schema follows from the types and what their source says of them; every policy that is known fits it.
func TestSchema(t *testing.T) {
	s := &schemer{says: comments(t), defs: make(map[string]any)}
	root := s.object(reflect.TypeFor[policy.Policy]())
	root["$schema"], root["$defs"], root["title"] = "https://json-schema.org/draft/2020-12/schema", s.defs, "A drpd policy: one procedure"
	root["required"] = []any{"policy", "code", "title", "source", "version", "effective", "forms", "owner", "duty", "raisers", "roles",
		"clauses", "stages", "ends", "hand_over", "corrections", "in_force", "ask_again"}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(root); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(schemaFile, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if policies.Schema != b.String() && !*update {
		t.Fatal("policies/policy.schema.json is not what the types say: go test ./core/policy -run TestSchema -update")
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("policy.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("policy.json")
	if err != nil {
		t.Fatal(err)
	}
	small, err := fs.Sub(testdata.FS, "policies")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, fsys := range []fs.FS{policies.FS, small} {
		names, err := fs.Glob(fsys, "*/policy*.yaml")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			src, err := fs.ReadFile(fsys, name)
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(asJSON(t, src)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			n++
		}
	}
	if n < 10 {
		t.Errorf("only %d policies were held against the schema", n)
	}
	if schema.Validate(asJSON(t, []byte("policy: x\nstagse: []\n"))) == nil {
		t.Error("an unknown key passes the schema")
	}
}

func asJSON(t *testing.T, src []byte) any {
	t.Helper()
	var v any
	if err := yaml.Load(src, &v); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Golden texts of what is shown of a policy.
func TestShow(t *testing.T) {
	set, err := policy.Load(policies.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range set {
		for ext, got := range map[string]string{"md": p.Show(), "mmd": p.Mermaid(), "dot": p.DOT()} {
			golden(t, "testdata/"+p.ID+"."+ext, got)
		}
		shown := p.Show()
		for clause := range p.Clauses {
			if !regexp.MustCompile(`\b` + clause + `\b`).MatchString(shown) {
				t.Errorf("%s: what is shown does not speak of %s", p.ID, clause)
			}
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s differs; -update writes it anew:\n%s", name, got)
	}
}

func TestDiff(t *testing.T) {
	src, err := fs.ReadFile(policies.FS, "housing/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	over := strict.Overlay{Name: "fairshire.yaml", Src: []byte(`
overlay: housing
authority: Fairshire
changes:
  - {set: stages.stage-2.clocks.convene.amount, to: 3 working days, because: agreed in May}
  - {add: raisers, to: csc-service-manager, because: managers raise them here}
  - {set: roles.housing-adviser, to: housing officer, because: our own title}
  - {remove: notify.H16, because: the panel does not want them}
  - {add: follow_ups, to: {clause: H16, after: meeting-held, stages: [stage-4], expect: minutes-uploaded, within: 2 working days, says: upload the minutes}, because: ours}
`)}
	old, err := policy.Parse("housing/policy.yaml", src)
	if err != nil {
		t.Fatal(err)
	}
	now, err := policy.Parse("housing/policy.yaml", src, over)
	if err != nil {
		t.Fatal(err)
	}
	if old.Digest == now.Digest || len(now.Local) != 5 {
		t.Errorf("%s %s %v", old.Digest, now.Digest, now.Local)
	}
	golden(t, "testdata/housing.diff", strings.Join(policy.Diff(old, now), "\n")+"\n")
	if again, err := policy.Parse("kept", now.Text); err != nil || again.Digest != now.Digest || len(policy.Diff(now, again)) > 0 {
		t.Errorf("the text that is kept is another policy: %v", err)
	}
}

// Every fault of an overlay cites the overlay's own line.
func TestOverlayFaults(t *testing.T) {
	src, err := fs.ReadFile(policies.FS, "housing/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ change, want string }{
		{"{set: stages.stage-9.title, to: x, because: y}", `o.yaml:3:5: no item of the list is called "stage-9" (stage-1?)`},
		{"{set: stages.stage-2.clocks.convene.amount, to: 3, because: y}", `o.yaml:3:53: "3" has no unit`},
		{"{set: stages.stage-2.holder, to: [nobody-at-all], because: y}", `o.yaml:3:39: no such role "nobody-at-all"`},
		{"{remove: clauses.H16, because: y}", `o.yaml:3:5: "clauses.H16" may not be removed: it is what the source says`},
		{"{remove: parallel.H6, because: y}", `clause H6 is cited by no rule`},
		{"{remove: parallel.H6}", `o.yaml:3:5: a change needs its reason: because:`},
		{"{set: a, add: b, to: x, because: y}", `o.yaml:3:5: a change is one of set:, add: or remove:`},
		{"{set: title, because: y}", `o.yaml:3:5: say what it is to be: to:`},
		{"{set: stages.stage-2.on_expiry.H10.do, to: escalate, because: y}",
			`"H10" fits more than one item: write key=value,key=value, such as clause=X1,when=no-answer`},
		{"{add: title, to: x, because: y}", `o.yaml:3:5: title is no list: write set:`},
		{"{remove: titel, because: y}", `o.yaml:3:5: no such key "titel" (title?)`},
		{"{put: title, to: x, because: y}", `o.yaml:3:6: unknown key "put"`},
	} {
		_, err := policy.Parse("p.yaml", src, strict.Overlay{Name: "o.yaml", Src: []byte("overlay: housing\nchanges:\n  - " + tt.change + "\n")})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s:\n got %v\nwant %s", tt.change, err, tt.want)
		}
	}
	for src, want := range map[string]string{"nonsense: [": "o.yaml:2:1: did not find expected node content",
		"changes: []\n": "o.yaml:1:1: it does not say what it changes: overlay: with the name of a policy"} {
		if _, err := policy.Load(policies.FS, strict.Overlay{Name: "o.yaml", Src: []byte(src)}); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", src, err)
		}
	}
	if _, err := policy.Load(policies.FS, strict.Overlay{Name: "o.yaml", Src: []byte("overlay: hausing\nchanges: []\n")}); err == nil ||
		!strings.Contains(err.Error(), `o.yaml:1:1: no such policy: "hausing" (housing?)`) {
		t.Errorf("%v", err)
	}
}
