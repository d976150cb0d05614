package strict

import (
	"strings"
	"testing"
)

type sample struct {
	Name  string            `yaml:"name"`
	Count int               `yaml:"count"`
	Parts []part            `yaml:"parts"`
	Words map[string]string `yaml:"words"`
}

type part struct {
	Common `yaml:",inline"`
	Role   string `yaml:"role"`
}

// Common is inlined in part.
type Common struct {
	Clause string `yaml:"clause"`
}

func TestEveryFaultAtOnce(t *testing.T) {
	src := "name: x\ncuont: 3\ncount: many\nparts:\n  - {role: a, clause: W1}\n  - {rol: b, clause: W2}\n  - {role: nobody}\n"
	var into sample
	f := Load("a.yaml", []byte(src), &into)
	f.Fault([]any{"parts", 2, "role"}, "no such role %q%s", "nobody", Suggest("nobodi", []string{"nobody-else", "somebody"}))
	got := f.Err().Error()
	for _, want := range []string{
		`a.yaml:2:1: unknown key "cuont" (count?)`,
		`a.yaml:3:8: `,
		`a.yaml:6:6: unknown key "rol" (role?)`,
		`a.yaml:7:12: no such role "nobody"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("missing %q in:\n%s", want, got)
		}
	}
	if n := strings.Count(got, "\n") + 1; n != 4 {
		t.Errorf("%d faults, want 4:\n%s", n, got)
	}
}

func TestRefused(t *testing.T) {
	for name, src := range map[string]string{
		"empty":         "",
		"syntax":        "name: [",
		"repeated key":  "name: a\nname: b\n",
		"two documents": "name: a\n---\nname: b\n",
	} {
		var into sample
		if err := Load("a.yaml", []byte(src), &into).Err(); err == nil {
			t.Errorf("%s: taken without a fault", name)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte("name: x\nparts: [{role: a}]\n"))
	f.Add([]byte("- a\n- b: {c: d}\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		var into sample
		file := Load("f", src, &into)
		file.Fault([]any{"parts", 0, "role"}, "x")
		if file.Err() == nil {
			t.Fatal("a fault was lost")
		}
	})
}
