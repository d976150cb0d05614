package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"drpd/adapters/ledger"
	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/port"
	"drpd/mapping"
)

// moveLook is what became of a move on a copy of the ledger.
type moveLook struct {
	disputes []movedDispute // those that are open
	problems []string
	systems  []string // that say who works with a child after the move
	notes    int      // case notes that are still to be written
}

// movedDispute is an open dispute in both systems.
type movedDispute struct {
	ledger.Listed
	before, record string            // its record's key, in either system; "": none
	children       map[string]string // the number in the new one; "": not found
	people         bool              // the new one names somebody for each child
	changes        []string
}

// stood is how things stand before a move, or after it.
type stood struct {
	list      map[string]ledger.Listed
	order     []ledger.Listed
	effects   map[string][]drp.Past
	records   map[string]string // of each dispute
	vacancies map[daemon.Vacancy]bool
}

// lookAtMove goes through a cycle with the system of today and then through one with the new one, on a copy of the ledger.
func lookAtMove(a *app, c *moveCmd, last move) (look moveLook, err error) {
	p, err := prepare(a.config)
	if err != nil {
		return look, err
	}
	end, err := onCopy(a, p)
	if err != nil {
		return look, err
	}
	defer end()
	state := p.config.State
	d, err := wireDry(a, p, slog.New(slog.DiscardHandler))
	if err != nil {
		return look, err
	}
	if look.systems = []string{c.To}; p.config.People != nil {
		look.systems = append(look.systems, p.config.People.Name)
	}
	before, err := standsAfterCycle(a, d, look.systems)
	if err == nil && last.State != moveBegun {
		err = keepMove(a, d.ledger, move{From: c.From, To: c.To, State: moveBegun})
	}
	if err = errors.Join(err, d.close()); err != nil {
		return look, err
	}
	if p, err = prepare(a.config); err != nil {
		return look, err
	}
	p.config.State = state
	if d, err = wireDry(a, p, slog.New(slog.DiscardHandler)); err != nil {
		return look, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	after, err := standsAfterCycle(a, d, look.systems)
	if err != nil {
		return look, err
	}
	return look, look.compare(a, d, c, before, after)
}

// standsAfterCycle goes through a cycle in which the record systems alone are read, and what says who works with a child. It says how
// things stand after it.
func standsAfterCycle(a *app, d *wired, also []string) (s stood, err error) {
	for i, f := range d.Feeds {
		if !slices.Contains(also, f.Name) && !slices.ContainsFunc(d.Records, func(r daemon.RecordSystem) bool { return r.Feed == f.Name }) {
			d.Feeds[i].Source = nil
		}
	}
	if _, err := d.Cycle(a.ctx); err != nil {
		return s, err
	}
	health, err := d.ledger.Sources(a.ctx)
	if err != nil {
		return s, err
	}
	for _, h := range health {
		if h.FailedSince > 0 && slices.ContainsFunc(d.Feeds, func(f daemon.Feed) bool { return f.Name == h.Name && f.Source != nil }) {
			return s, fmt.Errorf("%s cannot be read: %s", h.Name, h.Why)
		}
	}
	s = stood{list: make(map[string]ledger.Listed), effects: make(map[string][]drp.Past), records: make(map[string]string),
		vacancies: make(map[daemon.Vacancy]bool)}
	if s.order, err = d.ledger.List(a.ctx); err != nil {
		return s, err
	}
	for _, x := range s.order {
		s.list[x.Ref] = x
	}
	known, err := d.ledger.Disputes(a.ctx)
	if err != nil {
		return s, err
	}
	for _, k := range known {
		s.records[k.Ref] = k.Record
	}
	effects, err := d.ledger.Effects(a.ctx, "")
	if err != nil {
		return s, err
	}
	for _, e := range effects {
		if e.Life != drp.Cancelled {
			s.effects[e.Dispute] = append(s.effects[e.Dispute], e)
		}
	}
	vacancies, err := d.Vacancies(a.ctx)
	for _, v := range vacancies {
		s.vacancies[v] = true
	}
	return s, err
}

// compare holds what stood before a move against what stands after it.
func (m *moveLook) compare(a *app, d *wired, c *moveCmd, before, after stood) error {
	for _, x := range before.order {
		if x.Closed {
			for _, changed := range changes(x, before, after) {
				m.problems = append(m.problems, x.Ref+", which is closed: "+changed)
			}
			continue
		}
		one, err := m.one(a, d, c, x)
		if err != nil {
			return err
		}
		one.before = before.records[x.Ref]
		one.changes = changes(x, before, after)
		m.disputes = append(m.disputes, one)
		m.say(c, one)
		for _, e := range before.effects[x.Ref] {
			if e.Kind == drp.CaseNote && e.Life != drp.Accepted && e.Life != drp.Failed {
				m.notes++
			}
		}
	}
	for _, x := range after.order {
		if _, known := before.list[x.Ref]; !known {
			m.problems = append(m.problems, fmt.Sprintf("%s: form %s of %s would begin it, about %s, raised on %s: is it a dispute that %s does not have?",
				x.Ref, strings.TrimPrefix(after.records[x.Ref], c.To+"/"), c.To, strings.Join(x.Children, ", "), x.Summary.Raised, c.From))
		}
	}
	for _, v := range slices.SortedFunc(maps.Keys(after.vacancies), func(a, b daemon.Vacancy) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }) {
		if !before.vacancies[v] {
			m.problems = append(m.problems, fmt.Sprintf("%s: nobody holds the role %s on %s: %s names nobody for it", v.Dispute, v.Role, v.On, c.To))
		}
	}
	return m.waits(a, d, c)
}

// one finds an open dispute in the new system.
func (m *moveLook) one(a *app, d *wired, c *moveCmd, x ledger.Listed) (movedDispute, error) {
	one := movedDispute{Listed: x, children: make(map[string]string), people: true}
	stored, err := d.ledger.Load(a.ctx, x.Ref)
	if err != nil {
		return one, err
	}
	for _, ev := range stored.Evidence {
		if key, form := mapping.FormOf(ev.Key); form && ev.Source == c.To {
			one.record = key
		}
	}
	for _, child := range x.Children {
		number, held, clash, err := d.FoundIn(a.ctx, m.systems, child)
		if err != nil {
			return one, err
		}
		one.children[child], one.people = number, one.people && held
		if clash != "" {
			m.problems = append(m.problems, x.Ref+": "+clash)
		}
	}
	return one, nil
}

// say says what of a dispute is not found, or would change.
func (m *moveLook) say(c *moveCmd, one movedDispute) {
	bad := func(format string, args ...any) {
		m.problems = append(m.problems, one.Ref+": "+fmt.Sprintf(format, args...))
	}
	for _, child := range slices.Sorted(maps.Keys(one.children)) {
		if one.children[child] == "" {
			bad("no child of %s has the number %s of %s (person.formerly in its mapping)", c.To, child, c.From)
		}
	}
	if one.record == "" && one.before != "" {
		bad("its form %s is not found in %s: what is entered there does not reach drpd", one.before, c.To)
	}
	if !one.people {
		bad("%s names nobody who works with the child", c.To)
	}
	for _, x := range one.changes {
		bad("%s", x)
	}
}

// waits says what of the new system waits for a person. What waits in the old one for the same reason is the same entry.
func (m *moveLook) waits(a *app, d *wired, c *moveCmd) error {
	kept, err := d.ledger.Quarantine(a.ctx)
	same := make(map[string]int)
	for _, k := range kept {
		if k.Source == c.From {
			same[k.Reason]++
		}
	}
	rows, failed := d.ledger.Waiting(a.ctx)
	keys := make(map[string]string)
	for _, ev := range rows {
		keys[ev.ID] = ev.Key
	}
	err = errors.Join(err, failed)
	for _, k := range kept {
		if k.Source != c.To {
			continue
		}
		said, _, _ := strings.Cut(k.Reason, ". If it is") // what a person could say then
		if same[k.Reason]--; same[k.Reason] < 0 {
			m.problems = append(m.problems, strings.TrimSpace(keys[k.ID]+" of "+c.To)+" would wait for a person: "+said)
		}
	}
	remark, failed := d.ledger.Setting(a.ctx, port.RemarkOn(c.To))
	if remark != "" {
		m.problems = append(m.problems, remark)
	}
	return errors.Join(err, failed)
}

// changes says what of a dispute would be another: where it stands, its dates, and what would go.
func changes(x ledger.Listed, before, after stood) (out []string) {
	is, there := after.list[x.Ref]
	if !there {
		return []string{"it would be gone"}
	}
	was, now := x.Summary, is.Summary
	for _, of := range []struct{ what, was, now string }{
		{"stage", was.Stage, now.Stage}, {"since", was.Since.String(), now.Since.String()}, {"turn", was.Turn, now.Turn},
		{"due", was.Step.Due.String(), now.Step.Due.String()}, {"whole limit", was.Whole.Due.String(), now.Whole.Due.String()},
		{"next", was.Next, now.Next}, {"next on", was.NextOn.String(), now.NextOn.String()}, {"ended", was.Ended.String(), now.Ended.String()},
		{"questions", fmt.Sprint(was.Waiting), fmt.Sprint(now.Waiting)}, {"findings", fmt.Sprint(was.Findings), fmt.Sprint(now.Findings)},
	} {
		if of.was != of.now {
			out = append(out, fmt.Sprintf("%s: %s, and after the move %s", of.what, cmp.Or(of.was, "none"), cmp.Or(of.now, "none")))
		}
	}
	return append(out, goes(before.effects[x.Ref], after.effects[x.Ref])...)
}

// goes says what would go after a move and would not without it, and the other way round.
func goes(before, after []drp.Past) (out []string) {
	only := func(these, those []drp.Past, how string) {
		for _, e := range these {
			if !slices.ContainsFunc(those, func(p drp.Past) bool { return p.Key == e.Key }) {
				out = append(out, fmt.Sprintf("%s: %s %s of %s to %s", how, e.Kind, e.Reason, e.On, strings.Join(e.To, ", ")))
			}
		}
	}
	only(after, before, "would go besides")
	only(before, after, "would not go")
	return slices.Compact(out)
}

func (m *moveLook) print(a *app, c *moveCmd) {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(w, "DISPUTE\tFORM IN %s\tIN %s\tCHILDREN\tPEOPLE\n", strings.ToUpper(c.From), strings.ToUpper(c.To))
	for _, x := range m.disputes {
		var children []string
		for _, was := range slices.Sorted(maps.Keys(x.children)) {
			children = append(children, was+" is "+cmp.Or(x.children[was], "missing"))
		}
		people := "named"
		if !x.people {
			people = "missing"
		}
		form := cmp.Or(x.record, "missing")
		if x.before == "" && x.record == "" {
			form = "by mail"
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", x.Ref, cmp.Or(x.before, "none"), form, strings.Join(children, ", "), people)
	}
	_ = w.Flush()
	if m.notes > 0 {
		a.printf("%s still to be written: they would go to %s\n", plural(m.notes, "case note"), c.To)
	}
	for _, x := range m.problems {
		a.printf("%s\n", x)
	}
	if len(m.problems) == 0 {
		a.printf("%s, each found with its children and its people: nothing about them would change\n", plural(len(m.disputes), "open dispute"))
	}
}
