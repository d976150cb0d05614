package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/workday"
)

const quartersBefore = 4

// quarter is the disputes that were raised in one quarter of the year.
type quarter struct {
	from workday.Date
	all  []Dispute
}

func (q quarter) name() string {
	m := q.from.Midnight()
	return fmt.Sprintf("Q%d %d", (int(m.Month())-1)/3+1, m.Year())
}

// Quarterly is the report for those who look at the disputes of a quarter together (H17, L8): its figures beside those of
// the four quarters before. A dispute belongs to the quarter in which it was raised. Restricted records are in the
// counts, of which the report is made, and are named nowhere.
func Quarterly(in Input, first workday.Date) Doc {
	everyone := in
	everyone.Reader.Cleared = true
	all, _, others := everyone.seen(in.Disputes)
	quarters := make([]quarter, 0, quartersBefore+1)
	for from := first; len(quarters) <= quartersBefore; from = (from - 1).Quarter() {
		q := quarter{from: from}
		for _, d := range all {
			if d.Standing.Raised.Quarter() == from {
				q.all = append(q.all, d)
			}
		}
		quarters = append([]quarter{q}, quarters...)
	}
	now := quarters[quartersBefore]
	doc := Doc{Name: "quarterly-" + first.String() + in.Reader.FileSuffix(), Title: "Disputes raised in " + now.name(), About: in.about(),
		Warning: in.warning(), Only: in.onlyOf(now)}
	doc.Lead = []string{fmt.Sprintf("In %s %s raised, %d resolved so far. %s", now.name(),
		plural(len(now.all), "dispute was", "disputes were"), len(only(now.all, (*Dispute).resolved)), in.judgement(now.all))}
	doc.Parts = []Part{
		{Title: "Figures", Tables: []Table{measures(quarters)}, Series: []Series{raisedIn(quarters), resolvedIn(now.all, first)}},
		byQuarter("Themes", "Theme", quarters, func(d *Dispute) string { return cmp.Or(d.theme(), "none stated") }),
		byQuarter("Stage reached", "Stage", quarters, func(d *Dispute) string { return d.Policy.Code + ": " + d.Standing.Title }),
		byQuarter("Teams", "Team", quarters, (*Dispute).team),
		byQuarter("Agencies", "Raised by", quarters, (*Dispute).agency),
		stays(now.all),
		before(now.all),
		in.wholes(now.all),
		in.sources(0, others),
	}
	return doc
}

func (d *Dispute) resolved() bool { return d.Standing.EndedBy == drp.Resolved }

func measures(quarters []quarter) Table {
	columns := []Column{{Title: "Figure", Width: 44, Brief: true}}
	for _, q := range quarters {
		columns = append(columns, Column{Title: q.name(), Width: 11, Brief: true})
	}
	var rows [][]Value
	row := func(label string, of func([]Dispute) Value) {
		line := []Value{Text(label)}
		for _, q := range quarters {
			line = append(line, of(q.all))
		}
		rows = append(rows, line)
	}
	number := func(which func(*Dispute) bool) func([]Dispute) Value {
		return func(all []Dispute) Value { return Number(len(only(all, which))) }
	}
	row("Raised", func(all []Dispute) Value { return Number(len(all)) })
	row("Ended", number(func(d *Dispute) bool { return !d.open() }))
	row("Resolved", number((*Dispute).resolved))
	row("Still open", number((*Dispute).open))
	row("Old enough: the procedure's limit for the whole has passed", number((*Dispute).judged))
	row("Resolved within it", number((*Dispute).inTime))
	row("Resolved within it, share of those old enough", func(all []Dispute) Value {
		old := only(all, (*Dispute).judged)
		if len(old) == 0 {
			return Value{}
		}
		return Percent(float64(len(only(old, (*Dispute).inTime))) / float64(len(old)))
	})
	row("Still open past it", number((*Dispute).past))
	row("Working days to resolve, median", func(all []Dispute) Value {
		var days []int
		for _, d := range only(all, (*Dispute).resolved) {
			if n, ok := d.since(); ok {
				days = append(days, n)
			}
		}
		if len(days) == 0 {
			return Value{}
		}
		slices.Sort(days)
		return Decimal(quantile(days, 2))
	})
	row("With a time out", number(func(d *Dispute) bool { return d.timeOuts() != "" }))
	row("With somebody not reached", number(func(d *Dispute) bool { return len(d.notReached()) > 0 }))
	row("CAFCASS: asked, agreed or decided",
		number(func(d *Dispute) bool { c := d.cafcass(); return c != "no" && c != "not in this procedure" }))
	row("CAFCASS: referred", number(func(d *Dispute) bool { _, ok := d.Referred(); return ok }))
	row("Legal advice taken", number(func(d *Dispute) bool { return d.has(drp.LegalAdviceTaken) }))
	row("Lessons noted", number(func(d *Dispute) bool { return d.has(drp.LessonNoted) }))
	return table("Figures", columns, rows, "")
}

func (d *Dispute) has(kind drp.FactKind) bool {
	return slices.ContainsFunc(d.File.Facts, func(f drp.Fact) bool { return f.Kind == kind })
}

// agency names who raised it: a partner agency, else the role.
func (d *Dispute) agency() string {
	for _, f := range d.File.Facts {
		if f.Kind != drp.Raised {
			continue
		}
		if i := slices.IndexFunc(d.Roster, func(h drp.Holder) bool { return h.Agency != "" && slices.Contains(f.ByRoles, h.Role) }); i >= 0 {
			return d.Roster[i].Agency
		}
		if len(f.ByRoles) > 0 {
			return d.Policy.RoleTitle(f.ByRoles[0])
		}
	}
	return "not known"
}

func raisedIn(quarters []quarter) Series {
	s := Series{Title: "Raised in each quarter", Unit: "disputes"}
	for _, q := range quarters {
		s.Labels, s.Values = append(s.Labels, q.name()), append(s.Values, len(q.all))
	}
	return s
}

// byQuarter counts the disputes of each quarter by something, the most frequent of this quarter first.
func byQuarter(title, what string, quarters []quarter, by func(*Dispute) string) Part {
	counts := make(map[string][]int)
	for i, q := range quarters {
		for j := range q.all {
			name := by(&q.all[j])
			if counts[name] == nil {
				counts[name] = make([]int, len(quarters))
			}
			counts[name][i]++
		}
	}
	last := len(quarters) - 1
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(counts[b][last]-counts[a][last], strings.Compare(a, b))
	})
	columns := []Column{{Title: what, Width: 44, Brief: true}}
	for _, q := range quarters {
		columns = append(columns, Column{Title: q.name(), Width: 11, Brief: true})
	}
	columns = append(columns, Column{Title: "Change on the quarter before", Width: 14, Brief: true})
	var rows [][]Value
	for _, name := range names {
		row := []Value{Text(name)}
		for _, n := range counts[name] {
			row = append(row, Number(n))
		}
		rows = append(rows, append(row, Number(counts[name][last]-counts[name][last-1])))
	}
	return Part{Title: title, Tables: []Table{table(title, columns, rows, "No dispute was raised in these quarters.")}}
}

// quantile gives the n-th quartile of sorted numbers, between the two nearest where it falls between them.
func quantile(sorted []int, n int) float64 {
	at := float64((len(sorted)-1)*n) / 4
	i := int(at)
	if i+1 >= len(sorted) {
		return float64(sorted[len(sorted)-1])
	}
	return float64(sorted[i]) + (at-float64(i))*float64(sorted[i+1]-sorted[i])
}

// stays shows how long disputes were in each stage, in working days, with the quartiles.
func stays(all []Dispute) Part {
	type key struct{ policy, stage string }
	days := make(map[key][]int)
	var keys []key
	for i := range all {
		d := &all[i]
		for _, v := range d.Standing.Visits {
			k := key{d.Policy.Title, v.Title}
			if days[k] == nil {
				keys = append(keys, k)
			}
			days[k] = append(days[k], d.stay(v.Entered, v.Ended))
		}
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(strings.Compare(a.policy, b.policy), strings.Compare(a.stage, b.stage))
	})
	var rows [][]Value
	for _, k := range keys {
		n := days[k]
		slices.Sort(n)
		row := []Value{Text(k.policy), Text(k.stage), Number(len(n))}
		for q := range 5 {
			row = append(row, Decimal(quantile(n, q)))
		}
		rows = append(rows, row)
	}
	return Part{Title: "Days in each stage",
		Text: []string{"Working days, of those still there as far as today. Half of the disputes lie between the lower and the upper quartile."},
		Tables: []Table{table("Stays", []Column{
			{Title: "Procedure", Width: 34, Brief: true}, {Title: "Stage", Width: 44, Brief: true}, {Title: "Disputes", Width: 10, Brief: true},
			{Title: "Shortest", Width: 10}, {Title: "Lower quartile", Width: 10, Brief: true},
			{Title: "Median", Width: 10, Brief: true}, {Title: "Upper quartile", Width: 10, Brief: true}, {Title: "Longest", Width: 10, Brief: true},
		}, rows, "No dispute was raised in this quarter.")}}
}

// before shows which share of the disputes that have ended was resolved before each tier was asked.
func before(all []Dispute) Part {
	var rows [][]Value
	seen := make(map[string]bool)
	for i := range all {
		p := all[i].Policy
		if seen[p.ID] {
			continue
		}
		seen[p.ID] = true
		ended := only(all, func(d *Dispute) bool { return d.Policy.ID == p.ID && !d.open() })
		for order, stage := range p.Stages {
			if order == 0 || len(ended) == 0 {
				continue
			}
			n := len(only(ended, func(d *Dispute) bool { return d.resolved() && d.highest() < order }))
			rows = append(rows, []Value{Text(p.Title), Text(stage.Title), Number(n), Number(len(ended)), Percent(float64(n) / float64(len(ended)))})
		}
	}
	return Part{Title: "Resolved before",
		Text: []string{"Of the disputes that have ended: how many were resolved before this tier was asked."},
		Tables: []Table{table("Before", []Column{
			{Title: "Procedure", Width: 34, Brief: true}, {Title: "Before", Width: 44, Brief: true}, {Title: "Resolved", Width: 10, Brief: true},
			{Title: "Ended", Width: 10, Brief: true}, {Title: "Share", Width: 10, Brief: true},
		}, rows, "No dispute of this quarter has ended.")}}
}

// highest is the place of the highest stage that a dispute has reached.
func (d *Dispute) highest() int {
	n := 0
	for _, v := range d.Standing.Visits {
		n = max(n, d.Policy.Order(v.Stage))
	}
	return n
}
