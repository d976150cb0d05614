package records_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"drpd/core/workday"
)

// step is a form with its step, as people have filled it in.
type step struct {
	id        int
	template  string
	status    string
	started   workday.Date
	completed workday.Date
	filler    bool // its completion stands as the first day of 1900
	children  []string
	worker    string // the social worker of the children
	answers   []answer
}

// answer is one that was given; an earlier one to the same question stays where it is.
type answer struct {
	question, text, child string
	at                    time.Time
}

// answerTables hold answers, one for each type.
var answerTables = []struct{ table, kind string }{{"MO_FORM_DATE_ANSWERS", "date"}, {"MO_FORM_SHORT_TEXT_ANSWERS", "text"},
	{"MO_FORM_BOOLEAN_ANSWERS", "yes"}}

// questions are asked by the form.
var questions = []string{"DRP_RAISED_BY", "DRP_S1_DISCUSSED", "DRP_S1_RESPONSE_ON", "DRP_S1_RESPONSE_BY", "DRP_S1_SAVED_ON",
	"DRP_S2_RESPONSE_ON", "DRP_S2_RESPONSE_BY", "DRP_MEETING_HELD", "DRP_RESOLVED", "DRP_RESOLVED_ON", "DRP_RESOLVED_BY", "DRP_DESIRED", "DRP_AUTHORISED_BY"}

// workers have a row; -1 and 0 stand for nobody.
var workers = []string{"101", "121", "131", "201"}

// happens is what must happen in some of the worlds: else nothing is tested.
var happens = []string{"polls that failed", "not begun", "started", "cancelled", "sent back", "completed", "reopened", "another type", "a state that nobody knows",
	"answered again", "changed back", "answered for each child", "nobody as worker", "nobody as child", "left out", "not left out any more", "tables are emptied",
	"the copy is not loaded", "a title is renamed", "no date of 1900", "escalated", "has vanished", "questions", "about nobody who is known", "told of a title"}

func kindOf(question string) string {
	switch {
	case question == "DRP_RESOLVED":
		return "yes"
	case strings.HasSuffix(question, "_BY"), question == "DRP_DESIRED":
		return "text"
	}
	return "date"
}

func (o *office) today() workday.Date { return workday.DateOf(o.clock.In(o.zone)) }

func (o *office) chance(one int) bool { return o.rng.IntN(one) == 0 }

func one[T any](o *office, of ...T) T { return of[o.rng.IntN(len(of))] }

// live lets people work, and then shows in the database what there is; or something keeps it from that.
func (o *office) live() {
	switch {
	case o.emptied > 0: // nothing else happens in the middle of a load
		return
	case o.emptied == 0 && o.shown != nil:
		o.render()
	}
	if !o.frozen && o.shown != nil && o.believed == o.shown && o.chance(9) {
		o.empties()
		return
	}
	switch {
	case !o.frozen && o.chance(40):
		o.frozen = true
		o.count["the copy is not loaded"]++
	case o.frozen && o.clock.Sub(o.loaded) > 7*24*time.Hour:
		o.frozen = false
	}
	for range 1 + o.rng.IntN(3) {
		o.act()
	}
	if !o.frozen {
		o.render()
	}
}

// empties empties some tables, as a load does before it fills them. It leaves alone those which a query joins with LEFT JOIN, such as
// MO_FORM_ANSWER_ROWS and WORKERS: without them all rows are there, and drpd cannot tell that a column of theirs is blank for a load.
func (o *office) empties() {
	tables := []string{"MO_FORMS", "MO_WORKFLOW_STEPS", "MO_SUBGROUP_SUBJECTS", "MO_QUESTIONS", "DM_PROF_RELATIONSHIPS", "DM_PERSONS", "DRP_LEFT_OUT"}
	for _, a := range answerTables {
		tables = append(tables, a.table)
	}
	o.rng.Shuffle(len(tables), func(i, j int) { tables[i], tables[j] = tables[j], tables[i] })
	if o.empty = tables[:1+o.rng.IntN(4)]; o.chance(4) {
		o.empty = []string{"DRP_LEFT_OUT"}
	}
	for _, table := range o.empty {
		o.exec("DELETE FROM " + table)
	}
	o.emptied = 1 + o.rng.IntN(2)
	o.count["tables are emptied"]++
}

// act is something that somebody does.
func (o *office) act() {
	if len(o.forms) < 4 || len(o.forms) < 8 && o.chance(8) {
		o.begins()
		return
	}
	s := one(o, o.forms...)
	switch o.rng.IntN(14) {
	case 0, 1:
		o.progress(s)
	case 2:
		o.childrenOf(s)
	case 3:
		if child := s.children[0]; o.leftOut[child] {
			delete(o.leftOut, child)
			o.count["not left out any more"]++
		} else if !nobodyAtAll(child) && o.chance(3) {
			o.leftOut[child] = true
			o.count["left out"]++
		}
	case 4:
		if o.renamed = !o.renamed && o.chance(3); o.renamed {
			o.count["a title is renamed"]++
		}
	default:
		if s.status == "STARTED" || s.status == "REOPENED" {
			o.answers(s)
		}
	}
}

// begins adds a form. Its children are nobody else's.
func (o *office) begins() {
	n := len(o.forms)
	s := &step{id: 5001 + n, template: one(o, "2160", "2160", "2161", "2161", "2199"), status: one(o, "PROPOSED", "INCOMING", "STARTED", "STARTED", "STARTED")}
	s.children, s.worker = []string{fmt.Sprint(20401 + 10*n)}, one(o, "121", "121", "121", "-1")
	if o.chance(3) {
		s.children = append(s.children, fmt.Sprint(20402+10*n))
	}
	if o.chance(5) {
		s.children = append(s.children, one(o, "-1", "0"))
		o.count["nobody as child"]++
	}
	if o.chance(12) {
		s.children = []string{"-1"}
	}
	if s.status == "STARTED" {
		s.started = o.today()
	} else {
		o.count["not begun"]++
	}
	s.answers = append(s.answers, answer{"DRP_RAISED_BY", one(o, "101", "101", "101", "-1"), "", o.clock}, answer{"DRP_DESIRED", "Therapy", "", o.clock})
	o.forms = append(o.forms, s)
}

// progress moves a step on, or somewhere else.
func (o *office) progress(s *step) {
	switch {
	case s.status == "PROPOSED" || s.status == "INCOMING":
		if s.status = "STARTED"; s.started.IsZero() {
			s.started = o.today()
		}
		o.count["started"]++
	case s.status == "PARKED" || s.status == "CANCELLED" && o.chance(2):
		s.status = "STARTED"
	case s.status == "COMPLETED":
		s.status = "REOPENED"
		o.count["reopened"]++
	case s.status != "CANCELLED":
		o.goesOn(s)
	}
}

// goesOn is what becomes of a step that is under way; of half of them nothing yet.
func (o *office) goesOn(s *step) {
	switch o.rng.IntN(12) {
	case 0, 1:
		s.status = "CANCELLED"
		o.count["cancelled"]++
	case 2:
		s.status = "PARKED"
		o.count["a state that nobody knows"]++
	case 3:
		s.status = "INCOMING"
		o.count["sent back"]++
	case 4:
		s.template = "2199"
		o.count["another type"]++
	case 5, 6:
		s.status, s.completed, s.filler = "COMPLETED", o.today(), o.chance(3)
		o.count["completed"]++
	}
}

// childrenOf changes whom a form is about.
func (o *office) childrenOf(s *step) {
	if nobody := slices.Index(s.children, "-1"); nobody >= 0 && len(s.children) > 1 {
		s.children = slices.Delete(s.children, nobody, nobody+1)
	} else if nobody < 0 {
		s.children = append(s.children, "-1")
		o.count["nobody as child"]++
	} else {
		s.children = []string{fmt.Sprint(20401 + 10*(s.id-5001))} // it was nobody's until now
	}
}

// answers answers a question: for the first time, again, or as it was before; or for each child.
func (o *office) answers(s *step) {
	q := one(o, questions...)
	text := func() string {
		switch kindOf(q) {
		case "yes":
			return one(o, "Y", "N", "N")
		case "text":
			if q == "DRP_DESIRED" {
				return one(o, "Therapy", "Contact", "School")
			}
			if o.chance(4) {
				o.count["nobody as worker"]++
				return one(o, "-1", "0")
			}
			return one(o, workers...)
		}
		if o.chance(5) {
			o.count["no date of 1900"]++
			return "1900-01-01"
		}
		return (o.today() - workday.Date(o.rng.IntN(3))).String()
	}
	had := slices.IndexFunc(s.answers, func(a answer) bool { return a.question == q })
	real := slices.DeleteFunc(slices.Clone(s.children), nobodyAtAll)
	switch {
	case had >= 0 && s.answers[had].child == "" && o.chance(2):
		first := s.answers[had]
		s.answers = append(s.answers, answer{q, text(), "", o.clock})
		if o.count["answered again"]++; o.chance(2) {
			s.answers = append(s.answers, answer{q, first.text, "", o.clock.Add(time.Minute)})
			o.count["changed back"]++
		}
	case had >= 0 && !o.timed && s.answers[had].child == "": // somebody has put it right: one answer is left
		s.answers = slices.DeleteFunc(s.answers, func(a answer) bool { return a.question == q })
		s.answers = append(s.answers, answer{q, text(), "", o.clock})
	case had < 0 && len(real) > 1 && o.chance(2):
		same := text()
		for _, child := range real {
			s.answers = append(s.answers, answer{q, one(o, same, same, text()), child, o.clock})
		}
		o.count["answered for each child"]++
	case had < 0:
		s.answers = append(s.answers, answer{q, text(), "", o.clock})
	}
}

func nobodyAtAll(id string) bool { return id == "-1" || id == "0" || id == "" }

// render shows in the database what people have entered, its rows in no order.
func (o *office) render() {
	type row struct {
		table  string
		values []any
	}
	var rows []row
	add := func(table string, values ...any) { rows = append(rows, row{table, values}) }
	day := func(d workday.Date) any {
		if d.IsZero() {
			return nil
		}
		return d.String() + " 00:00:00"
	}
	iro := "REL.IRO"
	if o.renamed {
		iro = "REL.REVIEWING"
	}
	n := 0
	for _, s := range o.forms {
		done := day(s.completed)
		if s.filler {
			done = "1900-01-01 00:00:00"
		}
		add("MO_WORKFLOW_STEPS", s.id, s.id, 4711, s.status, nil, day(s.started), done, nil, nil, 900, s.id)
		add("MO_FORMS", s.id, s.id, s.template)
		for _, child := range s.children {
			add("MO_SUBGROUP_SUBJECTS", s.id, "PER", child)
			add("DM_PROF_RELATIONSHIPS", n+1, child, "101", iro, "2025-01-06 00:00:00", nil)
			add("DM_PROF_RELATIONSHIPS", n+2, child, "131", "REL.TM", "2025-01-06 00:00:00", "9999-12-31 00:00:00")
			add("DM_PROF_RELATIONSHIPS", n+3, child, s.worker, "REL.ALLWORK", "1900-01-01 00:00:00", nil)
			if n += 3; !nobodyAtAll(child) {
				add("DM_PERSONS", child, "Made Up", "N", "P"+child)
			}
		}
		for i, a := range s.answers {
			at := s.id*1000 + i
			add("MO_FORM_ANSWER_ROWS", at, s.id, a.child)
			for _, t := range answerTables {
				if t.kind == kindOf(a.question) {
					text := a.text
					if t.kind == "date" {
						text += " 00:00:00"
					}
					add(t.table, s.id, at, 118001+slices.Index(questions, a.question), text, a.at.UTC().Format(time.DateTime))
				}
			}
		}
	}
	add("DRP_LEFT_OUT", "99999")
	for child := range o.leftOut {
		add("DRP_LEFT_OUT", child)
	}
	o.loaded = o.clock.Add(-time.Hour)
	add("DRP_LOADED", o.loaded.In(o.zone).Format(time.DateTime))
	for i, q := range questions {
		add("MO_QUESTIONS", 118001+i, 2160, q)
	}
	o.rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	ctx := o.t.Context()
	tx := o.db.MustBeginTx(ctx, nil)
	for _, table := range []string{"MO_WORKFLOW_STEPS", "MO_FORMS", "MO_SUBGROUP_SUBJECTS", "DM_PROF_RELATIONSHIPS", "DM_PERSONS", "MO_FORM_ANSWER_ROWS",
		"MO_FORM_DATE_ANSWERS", "MO_FORM_SHORT_TEXT_ANSWERS", "MO_FORM_BOOLEAN_ANSWERS", "DRP_LEFT_OUT", "DRP_LOADED", "MO_QUESTIONS"} {
		tx.MustExecContext(ctx, "DELETE FROM "+table)
		var places []string
		var values []any
		for _, r := range rows {
			if r.table == table {
				places = append(places, "("+strings.TrimSuffix(strings.Repeat("?,", len(r.values)), ",")+")")
				values = append(values, r.values...)
			}
		}
		if len(places) > 0 {
			tx.MustExecContext(ctx, o.db.Rebind("INSERT INTO "+table+" VALUES "+strings.Join(places, ",")), values...)
		}
	}
	if err := tx.Commit(); err != nil {
		o.t.Fatal(err)
	}
	o.shown = o.says()
}
