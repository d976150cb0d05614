package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"drpd/adapters/records/rehearsal"
	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/strict"
	"drpd/mapping"
	"drpd/mapping/cases"
)

type mappingTestCmd struct {
	Files []string `arg:"" optional:"" name:"file" type:"existingfile" help:"Files of cases; without one, those of the mappings that come with drpd."`
	Show  bool     `help:"Print what came of each look that expects nothing, as an expectation: to be looked through, and put into the file."`
}

// Help says what the cases prove.
func (c *mappingTestCmd) Help() string {
	return "Each case puts rows into tables of its own, one for each relation of the mapping, and has them read as a record system is. So it proves " +
		"the mapping's rules, and not the text of its SQL: that is what drpd check --online is for. mapping/README.md says how a case is written."
}

// Run runs the cases of files, or of all mappings that come with drpd.
func (c *mappingTestCmd) Run(a *app) error {
	files := make(map[string][]byte)
	for _, name := range c.Files {
		src, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		files[name] = src
	}
	if len(c.Files) == 0 {
		shipped, err := fs.Glob(cases.Shipped, "*.yaml")
		if err != nil {
			return err
		}
		for _, name := range shipped {
			src, err := cases.Shipped.ReadFile(name)
			if err != nil {
				return err
			}
			files[name] = src
		}
	}
	passed, failed := 0, 0
	for _, name := range sortedKeys(files) {
		good, bad, err := c.file(a, name, files[name])
		if err != nil {
			return err
		}
		passed, failed = passed+good, failed+bad
	}
	a.printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		return errProblems
	}
	return nil
}

// file runs the cases of one file.
func (c *mappingTestCmd) file(a *app, name string, src []byte) (passed, failed int, err error) {
	f := cases.Load(name, src)
	if err := f.Err(); err != nil {
		return 0, 0, err
	}
	var fsys fs.FS = mapping.Shipped
	file := "systems/" + f.Mapping + ".yaml"
	if strings.ContainsAny(f.Mapping, `./\`) {
		fsys, file = os.DirFS(filepath.Join(filepath.Dir(name), filepath.Dir(f.Mapping))), filepath.Base(f.Mapping)
	}
	m, err := mapping.LoadSystem(fsys, file, london())
	if errors.Is(err, fs.ErrNotExist) {
		return 0, 0, fmt.Errorf("%s: no such mapping %q%s", name, f.Mapping, strict.Suggest(f.Mapping, shippedSystems()))
	}
	if err != nil {
		return 0, 0, err
	}
	rows := make(map[*cases.Look]map[string][]map[string]string)
	for i := range f.Cases {
		for _, look := range f.Cases[i].Looks() {
			rows[look] = f.Place(m, look)
		}
	}
	if err := f.Err(); err != nil {
		return 0, 0, err
	}
	for i := range f.Cases {
		wrong, err := c.run(a, m, &f.Cases[i], rows)
		if err != nil {
			return passed, failed, fmt.Errorf("%s: %s: %w", name, f.Cases[i].Name, err)
		}
		if len(wrong) > 0 {
			failed++
		} else {
			passed++
			a.printf("pass %s: %s\n", m.Name, f.Cases[i].Name)
		}
		for _, w := range wrong {
			a.printf("FAIL %s: %s: %s\n", m.Name, f.Cases[i].Name, w)
		}
	}
	return passed, failed, nil
}

func shippedSystems() (out []string) {
	files, _ := fs.Glob(mapping.Shipped, "systems/*.yaml")
	for _, file := range files {
		out = append(out, strings.TrimSuffix(path.Base(file), ".yaml"))
	}
	return out
}

// run takes the looks of one case, and gives what did not come as they expect.
func (c *mappingTestCmd) run(a *app, m *mapping.System, one *cases.Case, rows map[*cases.Look]map[string][]map[string]string) (wrong []string, err error) {
	s, err := rehearsal.Open(a.ctx, m)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	seen := &cases.Seen{Forms: make(map[string]drp.Reading), People: make(map[string]drp.Reading)}
	s.Also = func(context.Context, bool) ([]string, error) { return append(seen.Children(), one.Children...), nil }
	var cursor []byte
	for _, look := range one.Looks() {
		for _, place := range sortedKeys(rows[look]) {
			if err := s.Fill(a.ctx, place, rows[look][place]); err != nil {
				return nil, err
			}
		}
		batch, next, err := s.Poll(a.ctx, cursor, look.At(london()))
		seen.Fails, seen.Remark = "", ""
		var remark port.Remark
		switch {
		case errors.As(err, &remark):
			seen.Remark, cursor = remark.Error(), next
		case err != nil:
			seen.Fails = err.Error()
		default:
			cursor = next
		}
		for _, ev := range batch {
			r := s.Mapping.ReadRow(ev, look.On)
			if key, form := mapping.FormOf(ev.Key); form {
				seen.Forms[key] = r
			} else {
				seen.People[strings.TrimPrefix(ev.Key, mapping.PeopleKey(""))] = r
			}
		}
		found, err := c.held(a, one, look, seen)
		if err != nil {
			return nil, err
		}
		wrong = append(wrong, found...)
	}
	return wrong, nil
}

// held holds what came against what a look expects. One that expects nothing proves nothing.
func (c *mappingTestCmd) held(a *app, one *cases.Case, look *cases.Look, seen *cases.Seen) (wrong []string, err error) {
	day := ""
	if len(one.Then) > 0 {
		day = fmt.Sprintf("%s: ", look.On)
	}
	if look.Expect != nil {
		for _, w := range seen.Compare(look.Expect) {
			wrong = append(wrong, day+w)
		}
		return wrong, nil
	}
	if !c.Show {
		return []string{day + "nothing is expected: drpd mapping test --show prints what came"}, nil
	}
	text, err := seen.Show()
	a.printf("# %s, %s\n%s", one.Name, look.On, text)
	return []string{day + "nothing is expected: above stands what came"}, err
}
