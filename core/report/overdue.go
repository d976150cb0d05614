package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

const soon = 2 // working days: what falls due within them stands on its own sheet

// figures are the counts of a report.
type figures struct {
	open, overdue, step, whole, breach, soon, cafcass, person, findings int
	worstStep, worstWhole                                               int // working days
}

func count(all []Dispute) figures {
	var f figures
	for i := range all {
		d := &all[i]
		if !d.open() {
			continue
		}
		f.open++
		f.findings += len(d.Findings)
		if d.withCafcass() {
			f.cafcass++
		}
		if len(d.Conflicts) > 0 {
			f.person++
		}
		if d.overdue() {
			f.overdue++
			f.step += boolean(d.Standing.Step.Passed)
			f.whole += boolean(d.Standing.Whole.Passed)
			f.worstStep, f.worstWhole = max(f.worstStep, d.Standing.Step.Overdue()), max(f.worstWhole, d.Standing.Whole.Overdue())
			if slices.ContainsFunc(d.Standing.Passed, breach) {
				f.breach++
			}
		} else if d.dueSoon() {
			f.soon++
		}
	}
	return f
}

// dueSoon says whether the step's limit falls due in the next working days.
func (d *Dispute) dueSoon() bool {
	r := d.Standing.Step
	if !r.Dated() || d.overdue() || !r.Met.IsZero() {
		return false
	}
	n, err := d.Calendar.Between(d.Today, r.Proof.Due)
	return err == nil && n <= soon
}

// Overdue is the report of a service manager: what is overdue, whose turn it is, what happens next.
func Overdue(in Input) Doc {
	all, restricted, others := in.seen(in.Disputes)
	before, _, _ := in.seen(in.Before)
	all = order(all)
	now, then := count(all), count(before)
	doc := Doc{Name: "overdue-" + in.Today.String() + in.Reader.FileSuffix(), Title: "Disputes: what is overdue", About: in.about(),
		Warning: in.warning(), Only: in.only()}
	doc.Subject = fmt.Sprintf("Disputes: %d overdue, %d due soon, %d open", now.overdue, now.soon, now.open)
	switch {
	case in.unknown() != "":
		doc.Subject = fmt.Sprintf("Disputes: a source could not be read; %d known to be overdue", now.overdue)
	case doc.Warning != "":
		doc.Subject = fmt.Sprintf("Disputes: the report asks for a procedure or team that does not exist; %d known to be overdue", now.overdue)
	}
	if doc.Only != "" {
		doc.Subject += "; only " + in.selection()
	}
	doc.Lead = append(in.lead(all, now), in.ending()...)
	doc.Parts = []Part{
		in.summary(all, now, then, restricted),
		{Title: "Overdue", Text: []string{limits},
			Tables: []Table{in.list("Overdue", all, (*Dispute).overdue, "Nothing is overdue"+in.asFarAs())}},
		{Title: "Due soon", Text: []string{fmt.Sprintf("What falls due within %d working days.", soon)},
			Tables: []Table{in.list("DueSoon", all, (*Dispute).dueSoon, "Nothing falls due"+in.asFarAs())}},
		{Title: "All open", Text: []string{limits}, Tables: []Table{in.list("Open", all, (*Dispute).open, "No dispute is open"+in.asFarAs())}},
		in.closed(all),
		in.person(all),
		in.findings(all),
		in.working(all),
		in.sources(restricted, others),
	}
	return doc
}

// Open is the list of all open disputes.
func Open(in Input) Doc {
	all, restricted, others := in.seen(in.Disputes)
	all = order(all)
	now := count(all)
	return Doc{Name: "open-" + in.Today.String() + in.Reader.FileSuffix(), Title: "Disputes that are open", About: in.about(),
		Warning: in.warning(), Only: in.only(), Lead: append(in.lead(all, now), in.ending()...), Parts: []Part{
			{Title: "All open", Text: []string{limits}, Tables: []Table{in.list("Open", all, (*Dispute).open, "No dispute is open"+in.asFarAs())}},
			in.working(all), in.sources(restricted, others),
		}}
}

func (in *Input) about() string {
	who := ""
	if in.Reader.Title != "" {
		who = "For the " + in.Reader.Title + ". "
	}
	return who + in.Authority + ", as of " + clock(in.At) + "."
}

// asFarAs ends a sentence that says "nothing" where something is not known.
func (in *Input) asFarAs() string {
	here := ""
	if in.selection() != "" {
		here = " in what this report holds"
	}
	switch {
	case in.unknown() != "":
		return here + " as far as is known; a source could not be read."
	case in.warning() != "":
		return here + " as far as is known; what it asks for is not there."
	}
	return here + "."
}

// lead says in a few sentences what the report says.
func (in *Input) lead(all []Dispute, now figures) []string {
	if now.overdue == 0 {
		return []string{fmt.Sprintf("Nothing is overdue%s %s, %d due within %d working days.", in.asFarAs(),
			plural(now.open, "dispute is", "disputes are")+" open", now.soon, soon)}
	}
	out := []string{fmt.Sprintf("%s overdue, %s against a limit that is a maximum: the step of %d, the whole of %d. %d open in all, %d due "+
		"within %d working days.",
		plural(now.overdue, "dispute is", "disputes are"), upTo(now.breach, now.overdue), now.step, now.whole, now.open, now.soon, soon)}
	if d := all[0]; d.Standing.Step.Passed {
		role, _ := d.turn()
		out = append(out, longest("step", d)+fmt.Sprintf(" It is the turn of the %s. Next: %s.", role, d.Standing.Next))
	}
	if now.whole > 0 {
		out = append(out, longest("whole",
			slices.MaxFunc(all, func(a, b Dispute) int { return a.Standing.Whole.Overdue() - b.Standing.Whole.Overdue() })))
	}
	return out
}

// longest says of which dispute the step, or the whole, is overdue the longest.
func longest(name string, d Dispute) string {
	l := d.Standing.Step
	if name == "whole" {
		l = d.Standing.Whole
	}
	return fmt.Sprintf("The %s that is overdue the longest is of %s, by %s: it was due on %s.", name, d.Ref,
		plural(l.Overdue(), "working day", "working days"), l.Proof.Due.Long())
}

func upTo(n, of int) string {
	if n == of {
		return map[bool]string{true: "and so", false: "all of them"}[of == 1]
	}
	return fmt.Sprint(n, " of them")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func (in *Input) summary(all []Dispute, now, then figures, restricted int) Part {
	var rows [][]Value
	line := func(label string, n, before int) {
		row := []Value{Text(label), Number(n)}
		if !in.Since.IsZero() {
			row = append(row, Number(before), Number(n-before))
		}
		rows = append(rows, row)
	}
	line("Open", now.open, then.open)
	line("Overdue", now.overdue, then.overdue)
	line("of these with the step overdue", now.step, then.step)
	line("of these with the whole overdue", now.whole, then.whole)
	line("of these against a maximum (breach)", now.breach, then.breach)
	line("Longest step overdue, working days", now.worstStep, then.worstStep)
	line("Longest whole overdue, working days", now.worstWhole, then.worstWhole)
	line(fmt.Sprintf("Step due within %d working days", soon), now.soon, then.soon)
	line("With CAFCASS: nobody is chased, no limit runs", now.cafcass, then.cafcass)
	line("Waiting for a person to settle a question", now.person, then.person)
	line("Departures from the procedure", now.findings, then.findings)
	columns := []Column{{Title: "Figure", Width: 44, Brief: true}, {Title: "Now", Width: 10, Brief: true}}
	if !in.Since.IsZero() {
		columns = append(columns, Column{Title: "On " + in.Since.String(), Width: 16, Brief: true},
			Column{Title: "Change", Width: 10, Brief: true})
	}
	out := Part{Title: "Summary", Tables: []Table{table("Figures", columns, rows, "")}}
	if restricted > 0 {
		out.Text = append(out.Text, fmt.Sprintf("%s about restricted records: counted nowhere in this report but here.",
			plural(restricted, "dispute is", "disputes are")))
	}
	step := only(all, func(d *Dispute) bool { return d.open() && d.Standing.Step.Passed })
	whole := only(all, func(d *Dispute) bool { return d.open() && d.Standing.Whole.Passed })
	out.Series = []Series{
		grouped("Step overdue by stage", "disputes", step, func(d *Dispute) string { return d.Policy.Code + ": " + d.Standing.Title }),
		grouped("Step overdue by team", "disputes", step, (*Dispute).team),
		grouped("Whole overdue by team", "disputes", whole, (*Dispute).team),
		resolvedIn(all, in.Today.AddYears(-1)),
	}
	return out
}

func only(all []Dispute, which func(*Dispute) bool) []Dispute {
	var out []Dispute
	for i := range all {
		if which(&all[i]) {
			out = append(out, all[i])
		}
	}
	return out
}

// grouped counts disputes by something, the most frequent first.
func grouped(title, unit string, all []Dispute, by func(*Dispute) string) Series {
	n := make(map[string]int)
	for i := range all {
		n[by(&all[i])]++
	}
	labels := slices.SortedFunc(maps.Keys(n), func(a, b string) int { return cmp.Or(n[b]-n[a], strings.Compare(a, b)) })
	s := Series{Title: title, Unit: unit, Labels: labels}
	for _, l := range labels {
		s.Values = append(s.Values, n[l])
	}
	return s
}

// resolvedIn counts the disputes that were resolved since a day by how many working days it took: weeks, held against no
// limit, since each procedure has its own.
func resolvedIn(all []Dispute, from workday.Date) Series {
	s := Series{Title: "Working days to resolve", Unit: "disputes"}
	const week, weeks = 5, 6
	for i := range weeks {
		s.Labels = append(s.Labels, fmt.Sprintf("%d to %d", i*week+1, (i+1)*week))
	}
	s.Labels[0] = fmt.Sprintf("up to %d", week)
	s.Labels = append(s.Labels, fmt.Sprintf("over %d", weeks*week))
	s.Values = make([]int, len(s.Labels))
	for i := range all {
		d := &all[i]
		if d.open() || d.Standing.EndedBy != drp.Resolved || d.Standing.Ended < from {
			continue
		}
		if n, ok := d.since(); ok {
			s.Values[min(max(0, n-1)/week, weeks)]++
		}
	}
	return s
}

// limits says what the two figures of lateness are, where they stand side by side.
const limits = "Step: the limit of the present stage, on whoever's turn it is. Whole: the limit that the procedure sets from the day of " +
	"raising to the end."

// columns of the lists of disputes: what answers at once comes first.
var columns = []Column{
	{Title: "Reference", Width: 11, Brief: true}, {Title: "Child", Width: 12, Brief: true, Names: true},
	{Title: "Step overdue, working days", Width: 13, Late: true, Brief: true}, {Title: "Step due", Width: 12, Brief: true},
	{Title: "Step late against", Width: 13, Brief: true},
	{Title: "Whole overdue, working days", Width: 14, Late: true, Brief: true}, {Title: "Whole due", Width: 12, Brief: true},
	{Title: "Whole late against", Width: 13, Brief: true},
	{Title: "Whose turn", Width: 20, Brief: true}, {Title: "Name", Width: 16, Brief: true, Names: true},
	{Title: "Stage", Width: 24, Brief: true}, {Title: "Next step", Width: 26, Brief: true},
	{Title: "Next on", Width: 12}, {Title: "Limit of the step", Width: 14}, {Title: "Their turn since", Width: 12},
	{Title: "In stage since", Width: 12}, {Title: "Working days since raised", Width: 11},
	{Title: "Left of the whole, working days", Width: 12}, {Title: "Team", Width: 18}, {Title: "Procedure", Width: 26},
	{Title: "Theme", Width: 18}, {Title: "Last action", Width: 26}, {Title: "Seen in", Width: 11},
	{Title: "Reminders", Width: 11}, {Title: "Time outs", Width: 28}, {Title: "CAFCASS", Width: 22}, {Title: "Flags", Width: 30},
}

func (in *Input) list(title string, all []Dispute, which func(*Dispute) bool, empty string) Table {
	var rows [][]Value
	for i := range all {
		if d := &all[i]; which(d) {
			rows = append(rows, d.row())
		}
	}
	return table(title, columns, rows, empty)
}

func (d *Dispute) row() []Value {
	s := d.Standing
	role, names := d.turn()
	what, where := d.last()
	ref, due := Text(d.Ref), dueOn(s.Step)
	if d.withCafcass() {
		due = Text("with CAFCASS")
	}
	if s.Step.Dated() || s.Whole.Passed {
		ref.Link = d.Ref
	}
	stepLate, stepKind := overdueBy(s.Step)
	wholeLate, wholeKind := overdueBy(s.Whole)
	return []Value{ref, Text(d.child()), stepLate, due, stepKind, wholeLate, dueOn(s.Whole), wholeKind, Text(role), Text(names), Text(s.Title),
		Text(s.Next),
		Day(s.NextOn), Text(policy.Spaced(s.Step.Clock.ID)), Day(s.TurnFrom), Day(s.Since), d.lasted(), d.left(),
		Text(strings.Join(d.teams(), ", ")),
		Text(d.Policy.Title), Text(d.theme()), Text(what), Text(where),
		Number(d.reminders()), Text(d.timeOuts()), Text(d.cafcass()), Text(d.flags())}
}

// closed lists what ended since the report before.
func (in *Input) closed(all []Dispute) Part {
	from := in.Since
	text := "What ended since the report before, on " + from.String() + "."
	if from.IsZero() {
		from, text = in.Today.AddDays(-7), "What ended in the last 7 days; there was no report before this one."
	}
	var rows [][]Value
	for i := range all {
		d := &all[i]
		if d.open() || d.Standing.Ended < from {
			continue
		}
		days := d.lasted()
		days.Strong = d.whole().late
		var stays []string
		for _, v := range d.Standing.Visits {
			stays = append(stays, v.Title+": "+plural(d.stay(v.Entered, v.Ended), "working day", "working days"))
		}
		rows = append(rows, []Value{Text(d.Ref), Text(d.child()), Text(d.Standing.Title), Day(d.Standing.Raised), Day(d.Standing.Ended),
			Text(policy.Spaced(string(d.Standing.EndedBy))), days, Text(d.theme()), Text(d.Policy.Title), Text(strings.Join(stays, "; "))})
	}
	return Part{Title: "Closed", Text: []string{text}, Tables: []Table{table("Closed", []Column{
		{Title: "Reference", Width: 11, Brief: true}, {Title: "Child", Width: 14, Brief: true}, {Title: "Stage reached", Width: 36, Brief: true},
		{Title: "Raised", Width: 12, Brief: true}, {Title: "Ended", Width: 12, Brief: true},
		{Title: "By", Width: 14, Brief: true}, {Title: "Working days", Width: 10, Brief: true}, {Title: "Theme", Width: 18},
		{Title: "Procedure", Width: 26}, {Title: "In each stage", Width: 60},
	}, rows, "Nothing has ended since"+in.asFarAs())}}
}

// stay counts the working days of a stay in a stage.
func (d *Dispute) stay(from, until workday.Date) int {
	if until.IsZero() {
		until = d.Today
		if !d.open() {
			until = d.Standing.Ended
		}
	}
	n, err := d.Calendar.Between(from, until)
	if err != nil {
		return 0
	}
	return max(0, n)
}

// person lists what only a person can settle.
func (in *Input) person(all []Dispute) Part {
	var rows [][]Value
	for i := range all {
		d := &all[i]
		for _, c := range d.Conflicts {
			rows = append(rows, []Value{Text(d.Ref), Text(d.child()), Text("question"), Text(c.What()),
				Text("drpd conflict settle " + d.Ref + " " + c.ID())})
		}
		for _, e := range d.Past {
			if e.HeldBy != "" && e.HeldBy != "window" && e.Life != drp.Cancelled {
				rows = append(rows, []Value{Text(d.Ref), Text(d.child()), Text("held: " + string(e.Reason)), Text(e.HeldBy + ": " + e.Why),
					Text("drpd outbox show " + e.Key)})
			}
		}
	}
	if in.Quarantined > 0 {
		rows = append(rows, []Value{Text("none"), {}, Text("quarantine"),
			Text(plural(in.Quarantined, "message that drpd does not act on", "messages that drpd does not act on")), Text("drpd quarantine list")})
	}
	if in.Waiting > 0 {
		rows = append(rows, []Value{Text("none"), {}, Text("untied"),
			Text(plural(in.Waiting, "piece of evidence belongs to no dispute yet", "pieces of evidence belong to no dispute yet")),
			Text("drpd quarantine list")})
	}
	return Part{Title: "Waiting for a person",
		Tables: []Table{table("Waiting", []Column{{Title: "Reference", Width: 11, Brief: true}, {Title: "Child", Width: 14, Brief: true},
			{Title: "What", Width: 16, Brief: true},
			{Title: "In words", Width: 70, Brief: true}, {Title: "The operator says", Width: 44}}, rows, "Nothing waits for a person.")}}
}

func (in *Input) findings(all []Dispute) Part {
	var rows [][]Value
	for i := range all {
		d := &all[i]
		if !d.open() {
			continue
		}
		for _, f := range d.Findings {
			grave := Text(string(f.Severity))
			grave.Strong = f.Severity == drp.Breach
			rows = append(rows, []Value{Text(d.Ref), Text(f.Clause), Text(f.What), Day(f.Since), grave, Text(d.child()), Text(d.stageTitle(f.Stage)),
				Text(d.Policy.Clauses[f.Clause])})
		}
	}
	return Part{Title: "Findings", Text: []string{"Departures of open disputes from the procedure. They move nothing."},
		Tables: []Table{table("Findings", []Column{
			{Title: "Reference", Width: 11, Brief: true}, {Title: "Clause", Width: 8, Brief: true},
			{Title: "What was found", Width: 70, Brief: true}, {Title: "Since", Width: 12, Brief: true}, {Title: "Kind", Width: 10, Brief: true},
			{Title: "Child", Width: 14}, {Title: "Stage", Width: 30}, {Title: "What the clause says", Width: 50},
		}, rows, "No departure from the procedure is known"+in.asFarAs())}}
}

func (d *Dispute) stageTitle(id string) string {
	if s := d.Policy.Stage(id); s != nil {
		return s.Title
	}
	return id
}

// working shows how each date was counted.
func (in *Input) working(all []Dispute) Part {
	var rows [][]Value
	for i := range all {
		d := &all[i]
		if !d.open() {
			continue
		}
		first := true
		for _, l := range []struct {
			name string
			reconcile.Limit
			shown bool
		}{{"Step", d.Standing.Step, d.Standing.Step.Dated()}, {"Whole", d.Standing.Whole, d.Standing.Whole.Passed}} {
			if !l.shown {
				continue
			}
			for j, line := range strings.Split(strings.TrimSpace(l.Proof.String()), "\n") {
				row := []Value{{}, {}, {}, {}, Text(line), {}}
				if j == 0 {
					ref := Text(d.Ref)
					if first {
						ref.Anchor, first = d.Ref, false
					}
					row = []Value{ref, Text(l.name + ": " + policy.Spaced(l.Clock.ID)), Text(l.Clock.Amount.String()), Day(l.Proof.Due), Text(line),
						Text(l.Clock.Clause + ": " + d.Policy.Clauses[l.Clock.Clause])}
				}
				rows = append(rows, row)
			}
			if l.Clock.Reading != "" {
				rows = append(rows, []Value{{}, {}, {}, {}, Text("as read: " + l.Clock.Reading), {}})
			}
		}
	}
	return Part{Title: "Show your working", Text: []string{"How each due date was counted, day by day."},
		Tables: []Table{table("Working", []Column{
			{Title: "Reference", Width: 11, Brief: true}, {Title: "What", Width: 18, Brief: true}, {Title: "Limit", Width: 22, Brief: true},
			{Title: "Due", Width: 12, Brief: true}, {Title: "The count", Width: 60, Brief: true}, {Title: "Clause", Width: 60},
		}, rows, "No date is running.")}}
}

// sources says on what the report rests, and what was left out and why.
func (in *Input) sources(restricted, others int) Part {
	var rows [][]Value
	add := func(what, how string) { rows = append(rows, []Value{Text(what), Text(how)}) }
	for _, s := range in.Sources {
		switch {
		case !s.FailedSince.IsZero():
			add("Source "+s.Name, "could not be read since "+clock(s.FailedSince))
		case s.Read.IsZero():
			add("Source "+s.Name, "never read")
		default:
			add("Source "+s.Name, "last read "+clock(s.Read))
		}
	}
	for _, p := range in.Policies {
		if !p.Kept {
			add("Procedure "+p.ID, fmt.Sprintf("version %d, in force from %s, %s; source: %s", p.Version, p.Effective, p.Digest, p.Source))
		}
	}
	for _, e := range in.Ending {
		what, _ := strings.CutPrefix(e.What, "the ")
		add(strings.ToUpper(what[:1])+what[1:], "ends on "+e.On.Long())
	}
	first, last := in.Calendar.Years()
	add("Calendar", fmt.Sprintf("England and Wales, %d to %d, %s", first, last, in.Calendar.Digest()))
	add("Mapping", in.Mapping)
	add("Configuration, roster, mapping and calendar", in.Inputs)
	if restricted > 0 {
		add("Left out: restricted records", fmt.Sprintf("%d; a reader who is cleared sees them", restricted))
	}
	if others > 0 {
		add("Left out: other procedures or teams", fmt.Sprint(others))
	}
	add("Times", "are of London; a due date is the end of its day")
	return Part{Title: "About", Tables: []Table{table("About",
		[]Column{{Title: "What", Width: 44, Brief: true}, {Title: "How", Width: 100, Brief: true}}, rows, "")}}
}
