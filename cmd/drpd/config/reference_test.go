package config

import (
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"drpd/core/strict"
	"drpd/core/strict/schematest"
	"drpd/core/workday"
)

var update = flag.Bool("update", false, "write the schemas and the reference anew")

// head begins the reference.
const head = `# The configuration

One YAML file, drpd.yaml or what --config names. A path in it is relative to the file's own folder. Secrets never stand in it: it names
files that hold them. Write a Windows path without quotes or in single ones: in double quotes \t is a tab and \n a new line. A key that is
not here is a fault.

`

const rosterHead = `
# The roster

The file that ` + "`roster`" + ` names: who holds which role, where the record system does not say.

`

func language(t *testing.T) *schematest.Language {
	t.Helper()
	says, err := schematest.Comments(os.DirFS("."), "config.go", "mail.go", "watch.go", "roster.go")
	if err != nil {
		t.Fatal(err)
	}
	return &schematest.Language{Says: says, Of: func(t reflect.Type) map[string]any {
		if t == reflect.TypeFor[workday.Date]() {
			return map[string]any{"type": "string", "format": "date"}
		}
		return nil
	}}
}

func example(t *testing.T, name string) []byte {
	t.Helper()
	b, err := Examples.ReadFile("example/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func examplesOf(t *testing.T, of reflect.Type, names ...string) map[string]string {
	t.Helper()
	var all []map[string]string
	for _, name := range names {
		x, err := schematest.Examples(example(t, name), of)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, x)
	}
	return schematest.Merged(all...)
}

// The schemas and the reference follow from the types, their comments and the examples; -update writes them anew.
func TestReference(t *testing.T) {
	l := language(t)
	of, holders := reflect.TypeFor[Config](), reflect.TypeFor[roster]()
	l.Default = reflect.ValueOf(*defaults())
	schema, err := l.Schema(of, "The configuration of drpd")
	if err != nil {
		t.Fatal(err)
	}
	text := l.Reference(of, head, examplesOf(t, of, "drpd.yaml", "trial.yaml", "microsoft365.yaml"))
	l.Default = reflect.Value{}
	rosters, err := l.Schema(holders, "The roster of drpd")
	if err != nil {
		t.Fatal(err)
	}
	text += l.Reference(holders, rosterHead, examplesOf(t, holders, "roster.yaml"))
	for _, x := range []struct{ file, is, want string }{{"drpd.schema.json", Schema, string(schema)},
		{"roster.schema.json", RosterSchema, string(rosters)}, {"reference.md", Reference, text}} {
		if *update {
			if err := os.WriteFile(x.file, []byte(x.want), 0o600); err != nil {
				t.Fatal(err)
			}
		} else if x.is != x.want {
			t.Errorf("%s is not what the types say: go test ./cmd/drpd/config -run TestReference -update", x.file)
		}
	}
	for name, s := range map[string][]byte{"drpd.yaml": schema, "trial.yaml": schema, "microsoft365.yaml": schema, "roster.yaml": rosters} {
		if err := schematest.Fits(s, example(t, name)); err != nil {
			t.Errorf("%s does not fit the schema: %v", name, err)
		}
	}
	for _, bad := range []string{"authorty: x\n", "authority: x\nwatch: {log_level: loud}\n", "poll_every_minutes: 0\n", "authority: x\n"} {
		if schematest.Fits(schema, []byte(bad)) == nil {
			t.Errorf("passes the schema: %s", bad)
		}
	}
}

// Every key of the types is in the reference with its meaning and an example, and none that is not.
func TestReferenceWhole(t *testing.T) {
	l := language(t)
	lines := regexp.MustCompile("(?m)^- `([^`]+)` \\(.*$").FindAllStringSubmatch(Reference, -1)
	told, same := make(map[string]string), make(map[string]string)
	for _, m := range lines {
		told[m[1]] = m[0]
		if as := regexp.MustCompile(schematest.As + " `([^`]+)`$").FindStringSubmatch(m[0]); as != nil {
			same[m[1]] = as[1]
		}
	}
	known := make(map[string]bool)
	for _, of := range []reflect.Type{reflect.TypeFor[Config](), reflect.TypeFor[roster]()} {
		for _, path := range schematest.Paths(of) {
			known[path] = true
			if told[path] != "" {
				if !strings.Contains(told[path], "keys") && !strings.Contains(told[path], "Example: ") {
					t.Errorf("no example sets %s", path)
				}
				if !strings.Contains(told[path], "): ") {
					t.Errorf("nothing says what %s means", path)
				}
				continue
			}
			if at := followed(path, same); told[at] == "" {
				t.Errorf("the reference does not have %s, nor %s", path, at)
			}
		}
	}
	for path := range told {
		if !known[path] {
			t.Errorf("the reference has %s, which no type reads", path)
		}
	}
	for name, says := range l.Says {
		if strings.Contains(says, "`") {
			t.Errorf("%s: the comment would break the line of the reference", name)
		}
	}
}

// followed is where the reference tells of a key whose type it has told of already.
func followed(path string, same map[string]string) string {
	for at, as := range same {
		for _, list := range []string{".", "[]."} {
			if rest, ok := strings.CutPrefix(path, at+list); ok {
				return followed(as+"."+rest, same)
			}
		}
	}
	return path
}

// The examples load, and set every key between them.
func TestExamples(t *testing.T) {
	for _, name := range []string{"drpd.yaml", "trial.yaml", "microsoft365.yaml"} {
		if err := loaded(t, example(t, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	var in roster
	f := strict.Load("roster.yaml", example(t, "roster.yaml"), &in)
	f.Hold(&in)
	if err := f.Err(); err != nil {
		t.Error(err)
	}
	if err := loaded(t, append(example(t, "trial.yaml"), []byte("extra: 1\n")...)); err == nil {
		t.Error("a key that no type reads passes")
	}
}

func loaded(t *testing.T, src []byte) error {
	t.Helper()
	file := filepath.Join(t.TempDir(), "drpd.yaml")
	if err := os.WriteFile(file, src, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(file)
	return err
}

// What the schema refuses of a single value the loading refuses too, and each word that the schema names is taken by both.
func TestSchemaAsLoaded(t *testing.T) {
	n := 0
	for _, name := range []string{"drpd.yaml", "trial.yaml", "microsoft365.yaml"} {
		var doc yaml.Node
		if err := yaml.Load(example(t, name), &doc); err != nil {
			t.Fatal(err)
		}
		vary(doc.Content[0], reflect.TypeFor[Config](), func(value *yaml.Node, f reflect.StructField) {
			was := *value
			try := func(to, tag string, bad bool) {
				n++
				value.Value, value.Tag, value.Style = to, tag, 0
				b, err := yaml.Dump(&doc)
				if err != nil {
					t.Fatal(err)
				}
				err = loaded(t, b)
				if refused := err != nil && strings.Contains(err.Error(), fmt.Sprintf("%q", to)); tag == "!!str" && refused != bad {
					t.Errorf("%s, %s: %q: %v", name, f.Tag.Get("yaml"), to, err)
				}
				if tag == "!!int" && (err != nil) != bad {
					t.Errorf("%s, %s: %s: %v", name, f.Tag.Get("yaml"), to, err)
				}
				*value = was
			}
			for _, word := range strings.Fields(f.Tag.Get("enum")) {
				try(word, "!!str", false)
			}
			if f.Tag.Get("enum") != "" {
				try("nonsense", "!!str", true)
			}
			if least, most, ok := strict.Range(f.Tag); ok {
				try(fmt.Sprint(least-1), "!!int", true)
				if most != math.MaxInt64 {
					try(fmt.Sprint(most+1), "!!int", true)
				}
			}
		})
	}
	if n < 60 {
		t.Errorf("only %d values were tried", n)
	}
}

// vary visits each scalar of a file with the field that reads it.
func vary(n *yaml.Node, t reflect.Type, visit func(*yaml.Node, reflect.StructField)) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return
	}
	for i := range t.NumField() {
		f := t.Field(i)
		for j := 0; j+1 < len(n.Content); j += 2 {
			if key := strict.Key(f); key == "" || n.Content[j].Value != key {
				continue
			}
			value, of := n.Content[j+1], f.Type
			values := []*yaml.Node{value}
			if value.Kind == yaml.SequenceNode {
				values, of = value.Content, of.Elem()
			}
			for _, v := range values {
				if v.Kind == yaml.ScalarNode {
					visit(v, f)
				} else {
					vary(v, of, visit)
				}
			}
		}
	}
}

// Each piece of configuration that the README shows loads, in a configuration that has all else.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	keys := strict.Keys(reflect.TypeFor[Config]())
	n := 0
	for _, block := range regexp.MustCompile(`(?m)(^    .*\n|^\n)+`).FindAllString(string(readme), -1) {
		src := regexp.MustCompile(`(?m)^    `).ReplaceAllString(block, "")
		var shown yaml.Node
		first := regexp.MustCompile(`^\s*([a-z_]+):`).FindStringSubmatch(src)
		if first == nil || keys[first[1]] == nil {
			continue
		}
		if err := errors.Join(yaml.Load([]byte(src), &shown), yaml.Load([]byte(src), &map[string]any{})); err != nil { // a key once
			t.Errorf("%v in:\n%s", err, src)
			continue
		}
		var whole yaml.Node
		if err := yaml.Load(example(t, "drpd.yaml"), &whole); err != nil {
			t.Fatal(err)
		}
		root, from := whole.Content[0], shown.Content[0]
		for i := 0; i+1 < len(from.Content); i += 2 {
			at := slices.IndexFunc(root.Content, func(x *yaml.Node) bool { return x.Value == from.Content[i].Value })
			if at < 0 {
				t.Errorf("README: no such key %q", from.Content[i].Value)
				continue
			}
			root.Content[at+1] = from.Content[i+1]
		}
		b, err := yaml.Dump(&whole)
		if err != nil {
			t.Fatal(err)
		}
		if err := loaded(t, b); err != nil {
			t.Errorf("%v with what the README shows:\n%s", err, src)
		}
		n++
	}
	if n < 4 {
		t.Errorf("only %d pieces of configuration were found", n)
	}
}

// What the README and the messages call a key is one: a key with its section before it, and one with its value behind it.
func TestKeysNamed(t *testing.T) {
	paths, last := make(map[string]bool), make(map[string]bool)
	for _, of := range []reflect.Type{reflect.TypeFor[Config](), reflect.TypeFor[roster]()} {
		for _, p := range schematest.Paths(of) {
			p = strings.ReplaceAll(p, "[]", "")
			paths[p], last[p[strings.LastIndex(p, ".")+1:]] = true, true
		}
	}
	var sections []string
	for key := range strict.Keys(reflect.TypeFor[Config]()) {
		sections = append(sections, key)
	}
	dotted := regexp.MustCompile(`(?:^|[^\w./@-])((?:` + strings.Join(sections, "|") + `)(?:\.[a-z_]+)+)`)
	file := regexp.MustCompile(`\.(db|dsn|key|yaml|yml|md|txt|eml|xlsx|password|url|secret|pem|sql)(\.|$)`)
	n := 0
	look := func(where, text string) {
		for _, m := range dotted.FindAllStringSubmatch(text, -1) {
			if key := strings.TrimSuffix(m[1], "."); !file.MatchString(key) {
				if n++; !paths[key] {
					t.Errorf("%s speaks of %q, and there is no such key", where, key)
				}
			}
		}
	}
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	look("README.md", string(readme))
	for _, m := range regexp.MustCompile("`([a-z]+_[a-z_]+):").FindAllStringSubmatch(string(readme), -1) {
		if n++; !last[m[1]] {
			t.Errorf("README.md speaks of %q, and there is no such key", m[1])
		}
	}
	for _, dir := range []string{"..", "."} {
		names, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(x ast.Node) bool {
				if s, ok := x.(*ast.BasicLit); ok && s.Kind == token.STRING && !strings.Contains(s.Value, `yaml:"`) {
					if text, err := strconv.Unquote(s.Value); err == nil {
						look(name, text)
					}
				}
				return true
			})
		}
	}
	if n < 40 {
		t.Errorf("only %d keys are spoken of", n)
	}
}
