package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"drpd/adapters/records"
	"drpd/cmd/drpd/config"
	"drpd/core/strict"
	"drpd/core/workday"
	"drpd/mapping"
)

type mappingNewCmd struct {
	From    string `required:"" help:"The shipped mapping that is nearest: mosaic, liquidlogic, eclipse, carefirst, ssd."`
	Out     string `required:"" help:"The mapping to write. No file is overwritten." type:"path"`
	Answers string `help:"A file with answers. Left out: that beside --out, NEW.answers.yaml, where there is one." type:"path"`
	People  bool   `help:"Look at the database that the configuration names under people, not at that under records."`
	Engine  string `help:"In the place of the configuration: the engine of the database."`
	DSNFile string `name:"dsn-file" help:"With --engine: the file with the connection string." type:"path"`
	File    string `help:"With --engine sqlite: the database." type:"path"`
}

// Run compares a shipped mapping with the council's database, asks what stands in the place of what is missing, and writes the council's
// own mapping. It reads the database, and writes nothing there.
func (c *mappingNewCmd) Run(a *app) error {
	if _, err := os.Lstat(c.Out); err == nil {
		return fmt.Errorf("%s is there already, and no file is overwritten: give another name after --out", c.Out)
	}
	if dir, err := os.Stat(filepath.Dir(c.Out)); err != nil || !dir.IsDir() {
		return fmt.Errorf("there is no folder %s for --out: make it first", filepath.Dir(c.Out))
	}
	d, err := shippedDraft(c.From)
	if err != nil {
		return err
	}
	n := &newMapping{app: a, draft: d, counts: make(map[string]map[string]int), choices: &mapping.Choices{},
		kept: strings.TrimSuffix(c.Out, filepath.Ext(c.Out)) + ".answers.yaml"}
	if err := c.connection(a, n); err != nil {
		return err
	}
	if err := c.answers(n); err != nil {
		return err
	}
	if err := n.all(); err != nil {
		return err
	}
	if len(n.open) > 0 {
		a.printf("%s", n.choices.Text(c.head(n.open), n.open))
		return errProblems
	}
	return c.write(n)
}

// head says what is to be done with a file of answers.
func (c *mappingNewCmd) head(open []mapping.Question) string {
	head := "Answers for drpd mapping new --from " + c.From + ". What is likely is filled in; what is empty is to be filled in. none: there is no " +
		"such thing. keep: the shipped code is right. [A, B]: several codes stand for it. rest: {questions: keep, titles: none} answers all that is empty there. " +
		"states: {IN_PROGRESS: open} may be put in for a state that no form has yet. " +
		"Save this, and give it after --answers."
	if slices.ContainsFunc(open, func(q mapping.Question) bool {
		return q.Proposed == "" && slices.Contains([]string{"tables", "columns", "values", "types"}, q.Section)
	}) {
		head += " More is asked once tables, columns, values and types are filled in."
	}
	return head
}

// shippedDraft reads a shipped mapping.
func shippedDraft(name string) (*mapping.Draft, error) {
	file := "systems/" + name + ".yaml"
	src, err := fs.ReadFile(mapping.Shipped, file)
	if err != nil {
		names, err := shippedNames()
		return nil, errors.Join(err, fmt.Errorf("no mapping %q comes with drpd%s", name, strict.Suggest(name, names)))
	}
	return mapping.NewDraft(file, src, london())
}

func shippedNames() ([]string, error) {
	files, err := fs.Glob(mapping.Shipped, "systems/*.yaml")
	for i, f := range files {
		files[i] = strings.TrimSuffix(path.Base(f), ".yaml")
	}
	return files, err
}

// fitting gives the other shipped mapping for which answers are; "": for none.
func (c *mappingNewCmd) fitting(file string, src []byte) (string, error) {
	names, err := shippedNames()
	for _, name := range names {
		d, err := shippedDraft(name)
		if err != nil {
			return "", err
		}
		if _, f := d.ReadChoices(file, src); name != c.From && f.Err() == nil {
			return name, nil
		}
	}
	return "", err
}

// connection says where the database is: as the flags say, or as the configuration does.
func (c *mappingNewCmd) connection(a *app, n *newMapping) error {
	if c.Engine == "" && c.DSNFile+c.File != "" {
		return errors.New("--dsn-file and --file want --engine: " + strings.Join(records.Engines(), ", "))
	}
	if c.Engine != "" {
		if (c.Engine == "sqlite") != (c.File != "") || (c.File == "") == (c.DSNFile == "") {
			return errors.New("--engine sqlite wants --file, and every other engine --dsn-file")
		}
		n.config, n.at = &config.Config{}, config.Records{Name: c.From, Engine: c.Engine, File: c.File, DSNFile: c.DSNFile}
		return nil
	}
	conf, err := config.Load(a.config)
	if err != nil {
		return err
	}
	n.config, n.at = conf, conf.Records
	if c.People {
		if conf.People == nil {
			return errors.New("--people: the configuration names no database under people")
		}
		n.at = *conf.People
	}
	return nil
}

// answers reads the answers that there are.
func (c *mappingNewCmd) answers(n *newMapping) error {
	file := cmp.Or(c.Answers, n.kept)
	src, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && c.Answers == "" {
		n.file = strict.Load(n.kept, []byte("{}"), &mapping.Choices{})
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := os.Lstat(n.kept); err == nil && file != n.kept {
		return fmt.Errorf("answers stand in %s too: give that after --answers, or take it away", n.kept)
	}
	n.choices, n.file = n.draft.ReadChoices(file, src)
	if n.file.Err() == nil {
		return nil
	}
	if other, err := c.fitting(file, src); other != "" || err != nil {
		return errors.Join(err, fmt.Errorf("%s: these are answers for %s, not for %s: give --from %s, or another file", file, other, c.From, other))
	}
	return n.file.Err()
}

// write writes the mapping and the answers, and says what remains.
func (c *mappingNewCmd) write(n *newMapping) error {
	src, _, err := n.draft.Apply(n.choices, n.reason)
	if err != nil {
		return err
	}
	head := fmt.Sprintf("# Made from drpd's own mapping %s by drpd mapping new, on %s. What was put in says what it was.\n", c.From,
		workday.DateOf(n.now().In(london())))
	src = append([]byte(head), src...)
	m, err := mapping.ParseSystem(filepath.Base(c.Out), src, london()) // what is said of it names the lines of this file
	if err != nil {
		return err
	}
	if err := n.keep(); err != nil {
		return err
	}
	if err := writeOnce(c.Out, src); err != nil {
		return err
	}
	n.printf("%s is written, from %s; the answers are in %s\n", c.Out, c.From, n.kept)
	return n.report(m)
}

// writeOnce writes a file that must not be there yet.
func writeOnce(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}
