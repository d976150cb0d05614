package core_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// source is the non-test Go files of a tree, by folder.
type source map[string]map[string]*ast.File

func parse(t *testing.T, fsys fs.FS) source {
	t.Helper()
	out := make(source)
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		src, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ParseComments)
		if err != nil {
			return err
		}
		dir := path.Dir(name)
		if out[dir] == nil {
			out[dir] = make(map[string]*ast.File)
		}
		out[dir][name] = f
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func pure(dir string) bool {
	return strings.HasPrefix(dir, "core/") && !strings.HasPrefix(dir, "core/daemon") || dir == "mapping"
}

var (
	impureImports = []string{"context", "database/sql", "log", "log/slog", "math/rand", "math/rand/v2", "crypto/rand", "os", "os/exec", "net",
		"net/http", "net/smtp", "io/ioutil"}
	impureCalls = []string{"time.Now", "time.Since", "time.Until", "time.Local", "time.LoadLocation", "time.Sleep", "time.After",
		"time.NewTimer", "time.NewTicker", "filepath.Walk", "filepath.Glob"}
)

// violations lists what in a tree breaks the arrows of the design.
func violations(src source, ids []string) []string {
	var out []string
	for dir, files := range src {
		for name, f := range files {
			bad := func(format string, args ...any) { out = append(out, name+": "+fmt.Sprintf(format, args...)) }
			names := make(map[string]string)
			for _, im := range f.Imports {
				p, _ := strconv.Unquote(im.Path.Value)
				local := path.Base(p)
				if im.Name != nil {
					local = im.Name.Name
				}
				names[local] = p
				arrow(dir, p, im, bad)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.FuncDecl:
					if n.Name.Name == "init" && n.Recv == nil {
						bad("init(): wire by hand")
					}
				case *ast.SelectorExpr:
					if x, ok := n.X.(*ast.Ident); ok && pure(dir) && names[x.Name] != "" &&
						slices.Contains(impureCalls, path.Base(names[x.Name])+"."+n.Sel.Name) {
						bad("%s.%s in the pure core", x.Name, n.Sel.Name)
					}
				case *ast.BasicLit:
					if n.Kind == token.STRING {
						if s, err := strconv.Unquote(n.Value); err == nil && slices.Contains(ids, s) {
							bad("names %q: no code knows a policy, a stage or a clause by name", s)
						}
					}
				}
				return true
			})
			if dir == "core" || strings.HasPrefix(dir, "core/") || dir == "mapping" || strings.HasPrefix(dir, "adapters/") {
				for _, s := range globals(f) {
					bad("global variable %s that can change", s)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

// arrow holds section 3 of the design: core imports nothing above it, mapping imports core, an adapter imports core and
// mapping and no other adapter, policies and testdata import nothing of drpd.
func arrow(dir, imported string, im *ast.ImportSpec, bad func(string, ...any)) {
	inside, ok := strings.CutPrefix(imported, "drpd/")
	if !ok {
		if pure(dir) && slices.Contains(impureImports, imported) {
			bad("imports %s in the pure core", imported)
		}
		if strings.HasPrefix(imported, "github.com/rickar/cal") && dir != "core/workday" {
			bad("only core/workday uses rickar/cal")
		}
		if im.Name != nil && im.Name.Name == "_" && imported != "embed" && imported != "time/tzdata" && !strings.HasSuffix(imported, "/charset") {
			bad("blank import of %s: drivers and tzdata only", imported)
		}
		return
	}
	top, _, _ := strings.Cut(inside, "/")
	from, rest, _ := strings.Cut(dir, "/")
	adapter, _, _ := strings.Cut(rest, "/")
	other, _, _ := strings.Cut(strings.TrimPrefix(inside, "adapters/"), "/")
	allowed := map[string][]string{"core": {"core"}, "mapping": {"core", "mapping"}, "adapters": {"core", "mapping", "adapters"},
		"cmd": {"core", "mapping", "adapters", "policies", "testdata", "cmd"}}
	switch {
	case !slices.Contains(allowed[from], top):
		bad("%s imports %s", from, imported)
	case strings.HasSuffix(inside, "test") && !strings.HasSuffix(dir, "test"):
		bad("%s is for tests only", imported)
	case from == "adapters" && top == "adapters" && adapter != other && inside != "adapters/servertest":
		bad("one adapter imports another: %s", imported)
	case strings.HasSuffix(inside, "/madeup"):
		bad("made-up procedures are for tests only")
	case inside == "core/daemon" && pure(dir):
		bad("the pure core imports the daemon")
	case inside == "core/daemon" && from == "adapters":
		bad("an adapter imports the daemon: what passes between them stands in core/port")
	}
}

// globals lists package variables that are neither embedded files nor fixed values.
func globals(f *ast.File) []string {
	var out []string
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR || g.Doc != nil && strings.Contains(g.Doc.Text(), "go:embed") {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			if len(v.Values) == 0 && v.Type != nil && !embedded(f, v) {
				out = append(out, v.Names[0].Name)
			}
		}
	}
	return out
}

func embedded(f *ast.File, v *ast.ValueSpec) bool {
	for _, c := range f.Comments {
		for _, line := range c.List {
			if strings.HasPrefix(line.Text, "//go:embed") && line.End() < v.Pos() && v.Pos()-line.End() < 80 {
				return true
			}
		}
	}
	return false
}

// ids gives the ids of every shipped policy, stage and clause.
func ids(t *testing.T, root fs.FS) []string {
	t.Helper()
	names, err := fs.Glob(root, "policies/*/policy.yaml")
	if err != nil || len(names) == 0 {
		t.Fatal("no policies", err)
	}
	var out []string
	for _, name := range names {
		src, err := fs.ReadFile(root, name)
		if err != nil {
			t.Fatal(err)
		}
		var p struct {
			Policy  string            `yaml:"policy"`
			Clauses map[string]string `yaml:"clauses"`
			Stages  []struct {
				ID string `yaml:"id"`
			} `yaml:"stages"`
		}
		if err := yaml.Load(src, &p); err != nil {
			t.Fatal(err)
		}
		out = append(out, p.Policy)
		for c := range p.Clauses {
			out = append(out, c)
		}
		for _, s := range p.Stages {
			out = append(out, s.ID)
		}
	}
	return out
}

func TestArrows(t *testing.T) {
	root := os.DirFS("..")
	for _, v := range violations(parse(t, root), ids(t, root)) {
		t.Error(v)
	}
}

// chain is the longest chain of drpd's own packages that begins at one, each importing the next.
func chain(src source, dir string, known map[string][]string) []string {
	if c, ok := known[dir]; ok {
		return c
	}
	var longest []string
	for _, f := range src[dir] {
		for _, im := range f.Imports {
			p, _ := strconv.Unquote(im.Path.Value)
			inside, ok := strings.CutPrefix(p, "drpd/")
			if !ok {
				continue
			}
			if c := chain(src, inside, known); len(c) > len(longest) {
				longest = c
			}
		}
	}
	known[dir] = append([]string{dir}, longest...)
	return known[dir]
}

// No chain of imports is longer than this: a change in a small package reaches the commands in few steps, and an adapter
// builds on the words and the values of its port, not on the daemon.
func TestChain(t *testing.T) {
	const most = 7
	src, known := parse(t, os.DirFS("..")), make(map[string][]string)
	for dir := range src {
		if c := chain(src, dir, known); len(c) > most {
			t.Errorf("%d packages in a chain of imports: %s", len(c), strings.Join(c, ", "))
		}
	}
}

// The test finds violations that are planted for it.
func TestArrowsFindsPlanted(t *testing.T) {
	planted := map[string]string{
		"core/drp/a.go":                  "package drp\nimport \"drpd/mapping\"\n",
		"core/drp/b.go":                  "package drp\nimport \"context\"\n",
		"core/policy/a.go":               "package policy\nimport \"time\"\nvar x = time.Now()\n",
		"core/policy/b.go":               "package policy\nimport clock \"time\"\nvar y = clock.Now\n",
		"core/reconcile/a.go":            "package reconcile\nimport \"drpd/core/daemon\"\n",
		"core/reconcile/b.go":            "package reconcile\nfunc f(s string) bool { return s == \"stage-1\" }\n",
		"core/letter/a.go":               "package letter\nfunc init() {}\n",
		"core/letter/b.go":               "package letter\nvar counter int\n",
		"core/audit/a.go":                "package audit\nimport \"github.com/rickar/cal/v2\"\n",
		"adapters/mailer/a.go":           "package mailer\nimport \"drpd/adapters/ledger\"\n",
		"adapters/mailbox/a.go":          "package mailbox\nimport \"drpd/core/daemon/porttest\"\n",
		"adapters/mailbox/b.go":          "package mailbox\nimport \"drpd/adapters/servertest\"\n",
		"adapters/oauth/a.go":            "package oauth\nimport \"drpd/core/daemon\"\n",
		"mapping/a.go":                   "package mapping\nimport \"os\"\n",
		"policies/a.go":                  "package policies\nimport \"drpd/core/drp\"\n",
		"core/reconcile/cases/clause.go": "package cases\nvar c = \"W4\"\n",
	}
	for name, src := range planted {
		f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		got := violations(source{path.Dir(name): {name: f}}, []string{"stage-1", "W4"})
		if len(got) == 0 {
			t.Errorf("%s: the violation was not found:\n%s", name, src)
		}
	}
}

// Every package has a comment that says what it promises.
func TestEveryPackageHasADoc(t *testing.T) {
	for dir, files := range parse(t, os.DirFS("..")) {
		found := false
		for _, f := range files {
			found = found || f.Doc != nil
		}
		if !found {
			t.Errorf("%s: no package comment", dir)
		}
	}
}

// Who may reveal what is private: the writers of words, the readers of facts, and the adapters that write out.
func TestWhoReveals(t *testing.T) {
	allowed := []string{"core/daemon/porttest", "core/letter", "core/report", "mapping", "mapping/accounttest", "mapping/cases",
		"adapters/mailer", "adapters/ledger", "core/drp"}
	for dir, files := range parse(t, os.DirFS("..")) {
		if slices.Contains(allowed, dir) {
			continue
		}
		for name, f := range files {
			ast.Inspect(f, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Reveal" {
					t.Errorf("%s calls Reveal", name)
				}
				return true
			})
		}
	}
}

func TestTopLevel(t *testing.T) {
	want := []string{"README.md", "adapters", "cmd", "core", "go.mod", "go.sum", "mapping", "policies", "testdata"}
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(want, e.Name()) && e.Name() != "drpd-demo" && e.Name() != "drpd" {
			t.Errorf("%s does not belong at the top level", e.Name())
		}
	}
}
