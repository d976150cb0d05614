package core_test

import (
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
	text           string
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
	done, found := 0, 0
	for _, possible := range functions {
		if done == *mutations {
			break
		}
		draw.Shuffle(len(possible), func(i, j int) { possible[i], possible[j] = possible[j], possible[i] })
		for _, c := range possible {
			out, err := underChange(t, c)
			if strings.Contains(out, "[build failed]") {
				continue // not a program: another change of the same function
			}
			done++
			if err != nil {
				found++
			} else {
				t.Logf("not found: %s:%d %s: %s", c.file, c.line, c.function, c.text)
			}
			break
		}
	}
	if found*10 < done*9 {
		t.Errorf("%d of %d changes found", found, done)
	}
	t.Logf("%d of %d changes found", found, done)
}

// underChange runs the tests of a file's package with the change in it.
func underChange(t *testing.T, c change) (string, error) {
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
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "go", "test", "-overlay", list, "-timeout", "5m", "./"+filepath.Dir(c.file)).CombinedOutput()
	return string(out), err
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
			fset := token.NewFileSet()
			parsed, err := parser.ParseFile(fset, file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range parsed.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
					if all := changesIn(fset, file, f); len(all) > 0 {
						out = append(out, all)
					}
				}
			}
		}
	}
	return out
}

func changesIn(fset *token.FileSet, file string, f *ast.FuncDecl) (out []change) {
	add := func(from, to token.Pos, text string) {
		at := fset.Position(from)
		out = append(out, change{file: file, function: f.Name.Name, line: at.Line, from: at.Offset, to: fset.Position(to).Offset, text: text})
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
