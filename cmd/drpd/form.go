package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"drpd/adapters/document"
	"drpd/adapters/host"
	"drpd/adapters/paper"
	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/workday"
	"drpd/mapping"
)

type policyFormCmd struct {
	Policy  string   `arg:"" help:"The name of a shipped procedure, or a file."`
	Out     string   `xor:"what" required:"" help:"Write the blank form: a name that ends with .docx." type:"path"`
	Read    string   `xor:"what" required:"" help:"Say what each cell of a filled-in form is read as." type:"existingfile"`
	Mapping string   `help:"The authority's own mapping of the form; else the one that is shipped." type:"existingfile"`
	Overlay []string `help:"Overlays of the authority." type:"existingfile"`
}

// Run writes a procedure's blank form, which is read back before it is written; or it shows what is read of a form.
func (c *policyFormCmd) Run(a *app) error {
	if ending := filepath.Ext(c.Out); c.Out != "" && !strings.EqualFold(ending, ".docx") {
		return fmt.Errorf("--out %s: the form is a Word file: give a name that ends with .docx", c.Out)
	}
	p, err := readPolicy(c.Policy, c.Overlay)
	if err != nil {
		return err
	}
	form, err := c.form(p)
	if err != nil {
		return err
	}
	if c.Read != "" {
		return c.show(a, form)
	}
	b, err := blankForm(form, p)
	if err != nil {
		return err
	}
	if err := host.WriteFile(c.Out, b); err != nil {
		return err
	}
	a.printf("written to %s: the form %s, as its mapping reads it\n", c.Out, form.Form)
	return nil
}

// show says what is read of a form. Its answers are shown: they are what whoever writes a mapping has to compare.
func (c *policyFormCmd) show(a *app, form *mapping.Form) error {
	sheet, err := openApart(a.ctx, c.Read)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Read, err)
	}
	r := readLetter(form, sheet, workday.DateOf(a.now().In(london())))
	if len(r.Account) == 0 {
		return fmt.Errorf("%s: none of the titles of the form %s stands in its first lines: %s", c.Read, form.Form,
			strings.Join(form.Titles, ", "))
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, u := range mapping.Shown(r.Account) {
		_, _ = fmt.Fprintln(w, u)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, d := range r.Doubts {
		a.printf("in doubt: %s (%s)\n", d.What, d.Position)
	}
	for _, d := range r.Asides {
		a.printf("for a person to read: %s (%s)\n", d.What, d.Position)
	}
	if len(r.Doubts)+len(r.Asides) > 0 {
		return errProblems
	}
	return nil
}

// openApart opens a form that somebody has filled in, in the process of its own in which everything is opened that others have made.
func openApart(ctx context.Context, name string) (mapping.Sheet, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return mapping.Sheet{}, err
	}
	reader, err := newReader()
	if err != nil {
		return mapping.Sheet{}, err
	}
	defer reader.Rest()
	message := []byte("Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=form\r\n" +
		"Content-Transfer-Encoding: base64\r\n\r\n")
	for line := range slices.Chunk(data, 57) {
		message = append(base64.StdEncoding.AppendEncode(message, line), '\r', '\n')
	}
	l, err := reader.Read(ctx, message)
	switch {
	case err != nil:
		return mapping.Sheet{}, err
	case l.Unread != "" || len(l.Sheets) != 1:
		return mapping.Sheet{}, errors.New(cmp.Or(l.Unread, "it is an archive: give one form"))
	}
	return l.Sheets[0], nil
}

// readLetter reads a form as if it had come by mail on a day.
func readLetter(form *mapping.Form, sheet mapping.Sheet, on workday.Date) drp.Reading {
	set := mapping.Set{Forms: []*mapping.Form{form}}
	return set.ReadLetter(drp.Evidence{}, mapping.Letter{Sheets: []mapping.Sheet{sheet}}, on)
}

// form loads the mapping of the first of a policy's forms that comes by mail.
func (c *policyFormCmd) form(p *policy.Policy) (*mapping.Form, error) {
	if c.Mapping != "" {
		return mapping.LoadForm(os.DirFS(filepath.Dir(c.Mapping)), filepath.Base(c.Mapping))
	}
	for _, name := range p.Forms {
		form, err := mapping.LoadForm(mapping.Shipped, "forms/"+name+".yaml")
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		return form, err
	}
	return nil, fmt.Errorf("no mapping is shipped for the forms of %s (%s): give the authority's own with --mapping", p.ID,
		strings.Join(p.Forms, ", "))
}

// blankForm makes a blank form, and sees that it is read as what it is: this form, with nothing in it.
func blankForm(form *mapping.Form, p *policy.Policy) ([]byte, error) {
	doc, err := form.Blank(p)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := paper.Docx(&b, doc); err != nil {
		return nil, err
	}
	sheet, err := document.Read("the form", b.Bytes())
	if err != nil {
		return nil, err
	}
	r := readLetter(form, sheet, 0)
	switch {
	case len(r.Doubts) == 0 || r.Doubts[0].What == mapping.UnknownForm:
		return nil, fmt.Errorf("the mapping does not know its own form: none of its titles stands on it")
	case len(r.Facts)+len(r.Denials)+len(r.Fields) > 0 || len(r.Subject.Children) > 0:
		return nil, fmt.Errorf("the mapping reads an answer in the blank form: a label or a heading of it means two things")
	}
	if i := slices.IndexFunc(r.Doubts, func(d drp.Doubt) bool { return d.What != mapping.NothingIn }); i >= 0 {
		return nil, fmt.Errorf("the mapping does not read its own form: %s (%s)", r.Doubts[i].What, r.Doubts[i].Position)
	}
	return b.Bytes(), nil
}
