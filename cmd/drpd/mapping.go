package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"drpd/adapters/ledger"
	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
	"drpd/mapping"
)

type mappingCmd struct {
	New  mappingNewCmd  `cmd:"" help:"A council's own mapping, from a shipped one and the council's database."`
	Show mappingShowCmd `cmd:"" help:"What drpd makes of a few forms of the record system, cell by cell. Values are masked unless asked for."`
	Test mappingTestCmd `cmd:"" help:"Run the cases of a mapping: rows in, disputes, facts and questions out."`
}

type mappingShowCmd struct {
	Sample int    `default:"3" help:"How many forms: those with the highest keys."`
	Form   string `help:"One form, by its key."`
	System string `help:"Of which record system: the one under moving_to, by its name. Left out: the one in use." placeholder:"NAME"`
	Values bool   `help:"Print what stands there. It is what people wrote about a child."`
}

// Run reads the record system as a first poll does, keeps nothing, and shows what becomes of some of its forms.
func (c *mappingShowCmd) Run(a *app) error {
	p, err := prepare(a.config)
	if err != nil {
		return err
	}
	if err := withMoves(a, p, func(*ledger.Ledger) error { return nil }); err != nil {
		return err
	}
	records, m := p.config.Records, p.mapping.System
	switch {
	case c.System == "" || c.System == records.Name:
	case p.next != nil && p.next.Name == c.System:
		records, m = p.next.Records, p.next.mapping
	default:
		return fmt.Errorf("--system %s: the configuration names no such record system that is read", c.System)
	}
	s, err := openRecordSystem(p.config, records, m)
	if err != nil {
		return err
	}
	batch, _, err := s.Poll(a.ctx, nil, a.now())
	err = errors.Join(err, s.Close())
	var remark port.Remark
	if err != nil && !errors.As(err, &remark) {
		return err
	}
	if remark.Err != nil {
		a.printf("%s\n", remark)
	}
	forms := slices.DeleteFunc(batch, func(ev drp.Evidence) bool {
		key, ok := mapping.FormOf(ev.Key)
		return !ok || c.Form != "" && key != c.Form
	})
	if len(forms) == 0 {
		return errors.New("no form is read: drpd check --online counts what is there")
	}
	if n := len(forms) - c.Sample; c.Form == "" && n > 0 {
		forms = forms[n:]
	}
	for _, ev := range forms {
		if err := c.show(a, m, ev); err != nil {
			return err
		}
	}
	return nil
}

// show prints one form: what stands under each name that the mapping asks for, what nothing asks for, and what all of it says.
func (c *mappingShowCmd) show(a *app, m *mapping.System, ev drp.Evidence) error {
	var rec mapping.Record
	if err := json.Unmarshal(ev.Body, &rec); err != nil {
		return fmt.Errorf("%s: what was read cannot be shown: %w", ev.Key, err)
	}
	r := m.ReadRow(ev, workday.DateOf(a.now().In(london())))
	key, _ := mapping.FormOf(ev.Key)
	a.printf("form %s: %s, about %s\n", key, r.Subject.Form, children(len(r.Subject.Children)))
	asked := m.Questions()
	for _, name := range asked {
		says := rec.Form[name]
		if says == "" {
			says = rec.Answers[name]
		}
		if says != "" {
			a.printf("  %-32s %s\n", name, c.masked(says))
		}
		for _, child := range sortedKeys(rec.Each[name]) {
			a.printf("  %-32s %s, about child %s\n", name, c.masked(strings.Join(rec.Each[name][child], " / ")), c.masked(child))
		}
		if several := rec.Several[name]; len(several) > 1 {
			a.printf("  %-32s %s\n", name, c.masked(strings.Join(several, " / ")))
		}
	}
	var other []string
	for _, name := range sortedKeys(rec.Answers) {
		if !slices.Contains(asked, name) {
			other = append(other, name)
		}
	}
	if len(other) > 0 {
		a.printf("  nothing asks for: %s\n", strings.Join(other, ", "))
	}
	a.printf("  it says:\n")
	for _, f := range r.Statements() {
		what := string(f.Kind)
		if f.Denied {
			what = "not " + what
		}
		if f.Stage != "" {
			what += " at " + f.Stage
		}
		who := f.By.Role
		if f.By.Worker != "" {
			who = "worker " + c.masked(f.By.Worker)
		}
		if who == "" {
			who = "nobody who is named"
		}
		a.printf("    %s, %s, by %s (%s)\n", what, f.On, who, f.Position)
	}
	for _, d := range r.Doubts {
		a.printf("    a question: %s (%s)\n", d.What, d.Position)
	}
	return nil
}

// masked gives a value, or how long it is.
func (c *mappingShowCmd) masked(text string) string {
	if c.Values {
		return fmt.Sprintf("%q", text)
	}
	return "(" + plural(utf8.RuneCountInString(text), "character") + ")"
}

func children(n int) string {
	if n == 1 {
		return "1 child"
	}
	return fmt.Sprintf("%d children", n)
}
