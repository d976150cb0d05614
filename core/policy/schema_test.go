package policy_test

import (
	"flag"
	"io/fs"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/strict"
	"drpd/core/strict/schematest"
	"drpd/core/workday"
	"drpd/policies"
	"drpd/testdata"
)

var update = flag.Bool("update", false, "write golden files anew")

const schemaFile = "../../policies/policy.schema.json"

// written is what the schema says of types that are written otherwise than their Go types say.
func written(says map[string]string) func(reflect.Type) map[string]any {
	return func(t reflect.Type) map[string]any {
		switch t {
		case reflect.TypeFor[workday.Date]():
			return map[string]any{"type": "string", "format": "date"}
		case reflect.TypeFor[policy.Amount]():
			return map[string]any{"type": "string", "description": says["Amount"],
				"examples": []any{"5 working days", "4 weeks", "one working week", "48 hours as 2 working days", "immediately", "set for the case",
					"none stated"}}
		case reflect.TypeFor[drp.FactKind]():
			var facts []any
			for _, k := range drp.FactKinds() {
				facts = append(facts, string(k))
			}
			return map[string]any{"type": "string", "enum": append(facts, policy.AfterEntry)}
		case reflect.TypeFor[policy.Who]():
			return map[string]any{"type": "string", "enum": []any{string(policy.ByDrpd), string(policy.ByOwner)}}
		}
		return nil
	}
}

// The schema follows from the types and what their source says of them; every policy that is known fits it.
func TestSchema(t *testing.T) {
	says, err := schematest.Comments(os.DirFS("."), "policy.go", "rules.go", "amount.go")
	if err != nil {
		t.Fatal(err)
	}
	s := &schematest.Language{Says: says, Of: written(says)}
	b, err := s.Schema(reflect.TypeFor[policy.Policy](), "A drpd policy: one procedure", "policy", "code", "title", "source", "version",
		"effective", "forms", "owner", "duty", "raisers", "roles", "clauses", "stages", "ends", "hand_over", "corrections", "in_force", "ask_again")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(schemaFile, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if policies.Schema != string(b) && !*update {
		t.Fatal("policies/policy.schema.json is not what the types say: go test ./core/policy -run TestSchema -update")
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
			if err := schematest.Fits(b, src); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			n++
		}
	}
	if n < 10 {
		t.Errorf("only %d policies were held against the schema", n)
	}
	if schematest.Fits(b, []byte("policy: x\nstagse: []\n")) == nil {
		t.Error("an unknown key passes the schema")
	}
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
