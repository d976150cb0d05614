package core_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var (
	mutations    = flag.Int("mutations", 0, "change one thing in each of so many functions, and see that its package's own tests find it")
	mutationSeed = flag.Uint64("mutation-seed", 17, "which functions, and what in them")
)

// mutated are the packages whose own tests must find a change, without the simulation.
var mutated = []string{"reconcile", "workday", "policy"}

// change is one small change of a file.
type change struct {
	file, function string
	line           int
	from, to       int // bytes of the file
	was, text      string
}

// TestMutations changes one operator, number, word or statement in each of some functions. Nine of ten changes must be found by
// the tests of the function's own package.
func TestMutations(t *testing.T) {
	functions := changes(t)
	if len(functions) < 150 {
		t.Fatalf("%d functions in %s can be changed", len(functions), mutated)
	}
	draw := rand.New(rand.NewPCG(*mutationSeed, 0))
	draw.Shuffle(len(functions), func(i, j int) { functions[i], functions[j] = functions[j], functions[i] })
	if *mutations == 0 {
		return
	}
	for _, dir := range mutated { // what fails by itself would find every change
		i := slices.IndexFunc(functions, func(possible []change) bool { return filepath.Dir(possible[0].file) == dir })
		unchanged := change{file: functions[i][0].file}
		test, ok := built(t, unchanged)
		if !ok {
			t.Fatalf("the tests of %s do not build", dir)
		}
		if out, err := tested(t, test, unchanged); err != nil {
			t.Fatalf("%s fails as it is: %s", dir, out)
		}
	}
	done, found := 0, 0
	for _, possible := range functions {
		if done == *mutations {
			break
		}
		draw.Shuffle(len(possible), func(i, j int) { possible[i], possible[j] = possible[j], possible[i] })
		for _, c := range possible {
			test, ok := built(t, c)
			if !ok {
				continue // not a program: another change of the same function
			}
			done++
			out, err := tested(t, test, c)
			switch {
			case err == nil:
				t.Logf("not found: %s:%d %s: %q becomes %q", c.file, c.line, c.function, c.was, c.text)
			case strings.Contains(out, "panic: test timed out"):
				t.Logf("found as it does not end: %s:%d %s: %q becomes %q", c.file, c.line, c.function, c.was, c.text)
				found++
			default:
				found++
			}
			break
		}
	}
	if found*10 < done*9 {
		t.Errorf("%d of %d changes found", found, done)
	}
	t.Logf("%d of %d changes found", found, done)
}

// built builds the tests of a file's package with the change in it.
func built(t *testing.T, c change) (string, bool) {
	t.Helper()
	src, err := os.ReadFile(c.file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	changed := filepath.Join(dir, "changed.go")
	if err := os.WriteFile(changed, []byte(string(src[:c.from])+c.text+string(src[c.to:])), 0o600); err != nil {
		t.Fatal(err)
	}
	real, err := filepath.Abs(c.file)
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{real: changed}})
	if err != nil {
		t.Fatal(err)
	}
	list, test := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "changed.test")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-ldflags=-s -w", "-overlay", list, "-o", test, "./"+filepath.Dir(c.file))
	return test, build.Run() == nil
}

// tested runs built tests in their package's folder, up to the first that fails. Where there are properties, a few draws of each go
// first: most changes are found by then. A property draws the same each time, and does not look for its smallest case or keep it.
func tested(t *testing.T, test string, c change) (out string, err error) {
	t.Helper()
	program, err := os.ReadFile(test)
	if err != nil {
		t.Fatal(err)
	}
	fixed := []string{"-test.failfast", "-test.timeout=10m"}
	rounds := [][]string{{}}
	if bytes.Contains(program, []byte("pgregory.net/rapid.Check")) {
		fixed = append(fixed, "-rapid.nofailfile", "-rapid.shrinktime=0s", fmt.Sprint("-rapid.seed=", *mutationSeed))
		rounds = [][]string{{"-rapid.checks=10"}, {}}
	}
	for _, round := range rounds {
		run := exec.CommandContext(t.Context(), test, append(round, fixed...)...)
		run.Dir, run.Env = filepath.Dir(c.file), append(os.Environ(), "GOGC=400")
		text, fails := run.CombinedOutput()
		if out, err = string(text), fails; err != nil {
			break
		}
	}
	if strings.Contains(out, "flag provided but not defined") {
		t.Fatal(out)
	}
	return out, err
}

// changes gives what can be changed, a list for each function.
func changes(t *testing.T) (out [][]change) {
	t.Helper()
	for _, dir := range mutated {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			fset := token.NewFileSet()
			parsed, err := parser.ParseFile(fset, file, src, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range parsed.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
					if all := changesIn(fset, file, src, f); len(all) > 0 {
						out = append(out, all)
					}
				}
			}
		}
	}
	return out
}

func changesIn(fset *token.FileSet, file string, src []byte, f *ast.FuncDecl) (out []change) {
	add := func(from, to token.Pos, text string) {
		at, until := fset.Position(from), fset.Position(to).Offset
		out = append(out, change{file: file, function: f.Name.Name, line: at.Line, from: at.Offset, to: until,
			was: string(src[at.Offset:until]), text: text})
	}
	other := map[token.Token]string{token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">", token.EQL: "!=", token.NEQ: "==",
		token.LAND: "||", token.LOR: "&&", token.ADD: "-", token.SUB: "+"}
	ast.Inspect(f.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if to := other[n.Op]; to != "" && !isText(n.X) && !isText(n.Y) {
				add(n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), to)
			}
		case *ast.UnaryExpr:
			if n.Op == token.NOT {
				add(n.OpPos, n.OpPos+1, "")
			}
		case *ast.BasicLit:
			if n.Kind == token.INT {
				add(n.Pos(), n.End(), fmt.Sprintf("(%s + 1)", n.Value))
			}
		case *ast.Ident:
			if n.Name == "true" || n.Name == "false" {
				add(n.Pos(), n.End(), map[string]string{"true": "false", "false": "true"}[n.Name])
			}
		case *ast.ExprStmt:
			add(n.Pos(), n.End(), "")
		case *ast.BranchStmt:
			if n.Tok == token.CONTINUE {
				add(n.Pos(), n.End(), "")
			}
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				add(n.Pos(), n.End(), "")
			}
		}
		return true
	})
	return out
}

// isText says whether an expression holds a text: joining two is no sum.
func isText(x ast.Expr) (text bool) {
	ast.Inspect(x, func(n ast.Node) bool {
		l, ok := n.(*ast.BasicLit)
		text = text || ok && l.Kind == token.STRING
		return !text
	})
	return text
}
