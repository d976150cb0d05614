package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/layout"
	"drpd/core/policy"
	"drpd/core/reconcile"
)

// One is the report of one dispute, from its beginning. A restricted record is an error for a reader who is not cleared.
func One(in Input, ref string) (Doc, error) {
	i := slices.IndexFunc(in.Disputes, func(d Dispute) bool { return d.Ref == ref })
	if i < 0 {
		return Doc{}, fmt.Errorf("no dispute %q: drpd list shows them", ref)
	}
	d := &in.Disputes[i]
	if d.restricted() && !in.Reader.Cleared {
		return Doc{}, fmt.Errorf("dispute %s is about a restricted record: only a reader who may see it may have it (--cleared)", ref)
	}
	doc := Doc{Name: "dispute-" + ref, Title: "Dispute " + ref + ": " + d.Policy.Title, About: in.about(), Warning: in.unknown(),
		Lead: []string{d.summary()}}
	doc.Parts = []Part{
		{Title: "Where it stands", Tables: []Table{layout.Pairs(d.facts())}},
		d.chronology(), d.stages(), d.told(), d.counts(),
	}
	if len(d.Findings) > 0 {
		one := in
		doc.Parts = append(doc.Parts, one.findings([]Dispute{*d}))
	}
	return doc, nil
}

// summary says in a sentence where a dispute stands.
func (d *Dispute) summary() string {
	if !d.open() {
		return fmt.Sprintf("Raised on %s, ended on %s: %s, after %s.", d.Standing.Raised.Long(), d.Standing.Ended.Long(),
			policy.Spaced(string(d.Standing.EndedBy)), d.long())
	}
	if d.withCafcass() {
		return fmt.Sprintf("Raised on %s. With CAFCASS since %s, from: %s. Next: %s, on %s.", d.Standing.Raised.Long(),
			d.Standing.Referred.Long(), d.Standing.Title,
			d.Standing.Next, d.Standing.NextOn.Long())
	}
	role, names := d.turn()
	out := fmt.Sprintf("Raised on %s, since %s in: %s. It is the turn of the %s (%s).", d.Standing.Raised.Long(), d.Standing.Since.Long(),
		d.Standing.Title, role, names)
	for _, l := range []struct {
		name string
		reconcile.Limit
	}{{"step", d.Standing.Step}, {"whole", d.Standing.Whole}} {
		switch {
		case l.Passed:
			out += fmt.Sprintf(" The %s is overdue by %s (%s): it was due by the end of %s.", l.name,
				plural(l.Overdue(), "working day", "working days"), l.Clock.Late(), l.Proof.Due.Long())
		case l.Dated():
			out += fmt.Sprintf(" The %s is due by the end of %s.", l.name, l.Proof.Due.Long())
		}
	}
	return out
}

func (d *Dispute) facts() [][]Value {
	role, names := d.turn()
	out := [][]Value{
		{Text("Child"), Text(d.child())}, {Text("Procedure"), Text(fmt.Sprintf("%s, version %d", d.Policy.Title, d.Policy.Version))},
		{Text("Theme"), Text(cmp.Or(d.theme(), "none stated"))},
		{Text("Raised"), Day(d.Standing.Raised)}, {Text("Stage"), Text(d.Standing.Title)}, {Text("In stage since"), Day(d.Standing.Since)},
	}
	if d.open() {
		stepLate, _ := overdueBy(d.Standing.Step)
		wholeLate, _ := overdueBy(d.Standing.Whole)
		out = append(out, []Value{Text("Step due"), dueOn(d.Standing.Step)}, []Value{Text("Step overdue, working days"), stepLate},
			[]Value{Text("Whole due"), dueOn(d.Standing.Whole)}, []Value{Text("Whole overdue, working days"), wholeLate})
		out = append(out, []Value{Text("Whose turn"), Text(role + ": " + names)}, []Value{Text("Their turn since"), Day(d.Standing.TurnFrom)},
			[]Value{Text("Team"), Text(strings.Join(d.teams(), ", "))}, []Value{Text("Next"), Text(d.Standing.Next)},
			[]Value{Text("Next on"), Day(d.Standing.NextOn)}, []Value{Text("Somebody is told next on"), d.tellOn()})
	} else {
		out = append(out, []Value{Text("Ended"), Day(d.Standing.Ended)}, []Value{Text("By"), Text(policy.Spaced(string(d.Standing.EndedBy)))})
	}
	out = append(out, []Value{Text("Working days since raised"), d.lasted()}, []Value{Text("CAFCASS"), Text(d.cafcass())})
	if t := d.timeOuts(); t != "" {
		out = append(out, []Value{Text("Time outs"), Text(t)})
	}
	if f := d.flags(); f != "" {
		out = append(out, []Value{Text("To know"), Text(f)})
	}
	return out
}

// tellOn is the day on which somebody is told next, or why nobody is.
func (d *Dispute) tellOn() Value {
	if d.Standing.TellOn.IsZero() {
		return Text(d.Standing.Silent)
	}
	return Day(d.Standing.TellOn)
}

// chronology is what happened, from every source, in order.
func (d *Dispute) chronology() Part {
	var rows [][]Value
	var last drp.Fact
	for _, f := range d.File.Statements() {
		// one alert to several people
		if own := f.Source == "drpd" && last.Source == "drpd"; own && f.Kind == last.Kind && f.On == last.On && f.Stage == last.Stage {
			to := &rows[len(rows)-1][3]
			*to = Text(to.Text + ", " + d.who(f.ToRoles))
			continue
		}
		last = f.Fact
		what := f.Phrase()
		if f.Copy {
			what += " (a copy)"
		}
		if f.Stage != "" {
			what += " (" + d.stageTitle(f.Stage) + ")"
		}
		if f.Doubt != "" {
			what += "; doubtful: " + f.Doubt
		}
		rows = append(rows, []Value{Day(f.On), Text(what), Text(d.by(f.Fact)), Text(d.who(f.ToRoles)), Text(f.Source), Day(f.Learned)})
	}
	return Part{Title: "Chronology", Tables: []Table{table("Chronology", []Column{
		{Title: "On", Width: 12, Brief: true}, {Title: "What", Width: 44, Brief: true}, {Title: "By", Width: 26, Brief: true},
		{Title: "To", Width: 30, Brief: true}, {Title: "Seen in", Width: 12, Brief: true}, {Title: "Learned", Width: 12},
	}, rows, "Nothing is recorded.")}}
}

// by gives whose word a fact is, and who wrote it for them.
func (d *Dispute) by(f drp.Fact) string {
	return d.who(f.ByRoles) + reconcile.OnBehalf(d.Policy, f, f.ByRoles...)
}

func (d *Dispute) who(roles []string) string {
	out := make([]string, len(roles))
	for i, r := range roles {
		out[i] = d.Policy.RoleTitle(r)
	}
	return strings.Join(out, ", ")
}

// stages shows each stay with its limit and what was done in it.
func (d *Dispute) stages() Part {
	var rows [][]Value
	done := d.done()
	for i, v := range d.Standing.Visits {
		until := v.Ended
		if until.IsZero() && i+1 < len(d.Standing.Visits) {
			until = d.Standing.Visits[i+1].Entered
		}
		limit := reconcile.Limit{Running: v.Limit}
		if i == len(d.Standing.Visits)-1 && d.open() && !d.withCafcass() {
			limit = d.Standing.Step
		}
		late := Value{}
		if limit.Dated() && limit.Late > 0 {
			late = Number(limit.Late)
			late.Strong = breach(limit.Running)
		}
		due := dueOn(limit)
		rows = append(rows, []Value{Text(v.Title), Day(v.Entered), Day(until), due, late,
			Text(cmp.Or(strings.Join(done[i], "; "), "nothing is recorded"))})
	}
	return Part{Title: "Stages", Tables: []Table{table("Stages", []Column{
		{Title: "Stage", Width: 34, Brief: true}, {Title: "Entered", Width: 12, Brief: true}, {Title: "Left", Width: 12, Brief: true},
		{Title: "Step due", Width: 12, Brief: true}, {Title: "Step late, working days", Width: 10, Late: true, Brief: true},
		{Title: "What was done", Width: 50, Brief: true},
	}, rows, "No stage has been entered.")}}
}

// told shows who was told what, and when.
func (d *Dispute) told() Part {
	var rows [][]Value
	for _, e := range d.Past {
		if e.Kind != drp.Email || !e.Sent() {
			continue
		}
		rows = append(rows, []Value{Day(e.On), Text(policy.Spaced(string(e.Reason))), Text(d.who(e.To)), Text(d.who(e.Cc)), Text(e.Clause),
			Text(string(e.Life))})
	}
	return Part{Title: "Who was told", Tables: []Table{table("Told", []Column{
		{Title: "On", Width: 12, Brief: true}, {Title: "What", Width: 16, Brief: true}, {Title: "To", Width: 34, Brief: true},
		{Title: "Copy", Width: 34, Brief: true}, {Title: "Clause", Width: 8, Brief: true}, {Title: "What became of it", Width: 14, Brief: true},
	}, rows, "drpd has told nobody.")}}
}

const linesInCell = 32 // what a page across has room for

// counts shows how the date of each stage was counted.
func (d *Dispute) counts() Part {
	var rows [][]Value
	show := func(what string, r reconcile.Running) {
		if r.Open() || r.Clock.ID == "" {
			return
		}
		first := []Value{Text(what), Text(r.Clock.Amount.String() + " (" + r.Clock.Clause + ")"), Day(r.Proof.Due)}
		for some := range slices.Chunk(strings.Split(strings.TrimSpace(r.Proof.String()), "\n"), linesInCell) {
			rows = append(rows, append(first, Text(strings.Join(some, "\n"))))
			first = []Value{{}, {}, {}}
		}
	}
	for _, v := range d.Standing.Visits {
		show(v.Title, v.Limit)
	}
	for _, r := range d.Standing.Clocks {
		if r.Visit == "" {
			show("The whole", r)
		}
	}
	return Part{Title: "How the dates were counted", Tables: []Table{table("Counts", []Column{
		{Title: "What", Width: 34, Brief: true}, {Title: "Limit", Width: 26, Brief: true}, {Title: "Due", Width: 12, Brief: true},
		{Title: "The count", Width: 60, Brief: true},
	}, rows, "The procedure states no limit.")}}
}
