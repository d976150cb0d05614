package records_test

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"drpd/adapters/records"
	"drpd/core/drp"
	"drpd/core/workday"
	"drpd/mapping"
	"drpd/testdata"
)

func london(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// load gives one of the small record systems in a database of its own.
func load(t *testing.T, e engine, name string) (*records.System, *mapping.System, *sqlx.DB) {
	t.Helper()
	schema, err := fs.ReadFile(testdata.FS, "systems/"+name+".sql")
	if err != nil {
		t.Fatal(err)
	}
	db, with := e.fresh(t, e)
	t.Cleanup(func() { _ = db.Close() })
	for _, statement := range strings.Split(string(schema), ";\n") {
		if e.name == "postgres" {
			statement = strings.ReplaceAll(statement, " DATETIME", " TIMESTAMP")
		}
		if e.name == "sqlserver" {
			statement = tsqlSystem(statement)
		}
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%v in %s", err, statement)
		}
	}
	m, err := mapping.LoadSystem(mapping.Shipped, "systems/"+name+".yaml", london(t))
	if err != nil {
		t.Fatal(err)
	}
	s, err := with(m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, m, db
}

// tsqlSystem puts a statement of a schema into SQL Server's words.
func tsqlSystem(s string) string {
	s = strings.ReplaceAll(s, "NOTE_TEXT TEXT", "NOTE_TEXT NVARCHAR(MAX)")
	return strings.ReplaceAll(s, " TEXT ", " NVARCHAR(400) ")
}

// said gives what drpd understands of evidence, without the names of the system that it came from.
func said(m *mapping.System, batch []drp.Evidence) (forms, people string) {
	var f, p strings.Builder
	for _, ev := range batch {
		r := m.ReadRow(ev, workday.DateOf(noon))
		if r.Child != nil {
			fmt.Fprintf(&p, "%s %s %s restricted %v\n", r.Child.Ref, r.Child.Initials.Reveal(), r.Child.Team, r.Child.Restricted)
			slices.SortFunc(r.Holders, func(a, b drp.Holder) int { return strings.Compare(a.Role, b.Role) }) // some have another code for one
			for _, h := range r.Holders {
				fmt.Fprintf(&p, "  %s %s %s %s %s from %s until %s\n", h.Role, worker(h.Person), h.Name.Reveal(), h.Address.Reveal(), h.Team, h.From, h.Until)
			}
		} else {
			fmt.Fprintf(&f, "%s %s %s about %v raised %s", ev.Key, r.Subject.Form, r.Subject.Ground+r.Subject.Theme, r.Subject.Children,
				r.Subject.Raised)
			fmt.Fprintf(&f, " held by %s authorised %v\n", worker(r.Record.Holder.Worker), r.Record.Authorised)
			for _, x := range r.Statements() {
				fmt.Fprintf(&f, "  %s %s %s by %s%s", x.Kind, x.Stage, x.On, x.By.Role, worker(x.By.Worker))
				for _, to := range x.To {
					fmt.Fprintf(&f, " to %s", worker(to.Worker))
				}
				fmt.Fprintf(&f, " denied %v obstacle %v\n", x.Denied, x.Obstacle)
			}
			for _, x := range r.Fields {
				fmt.Fprintf(&f, "  %s: %s\n", x.Name, x.Value.Reveal())
			}
		}
		for _, d := range r.Doubts {
			fmt.Fprintf(&f, "  doubt: %s at %s\n", d.What, d.Position)
		}
	}
	return f.String(), p.String()
}

// worker gives a worker's number: some systems have it by itself, others as part of a name.
func worker(id string) string { return strings.TrimPrefix(id, "w-") }

// What each of the small systems holds, written by hand.
const (
	theForms = `form/5001 carefirst-drp drift about [20401] raised 2026-03-02 held by 201 authorised false
  raised  2026-03-02 by 101 denied false obstacle false
  discussed stage-1 2026-03-03 by iro denied false obstacle false
  responded stage-1 2026-03-05 by 131 denied false obstacle true
  finished-and-saved stage-1 2026-03-05 by 131 denied false obstacle false
  reassigned  2026-03-09 by 101 to 201 denied false obstacle false
  desired: Therapy to begin
form/5002 carefirst-drp placement about [20402 20403] raised 2026-03-04 held by 102 authorised true
  authorised  2026-03-11 by 102 denied false obstacle false
  raised  2026-03-04 by 102 denied false obstacle false
  resolved  2026-03-10 by 102 denied false obstacle false
`
	thePeople = `20401 AB East restricted false
  iro 101 Ines Rowan ines.rowan@fairshire.example Reviewing from 2025-01-06 until no date
  social-worker 121 Sam Wyke sam.wyke@fairshire.example East from 2025-01-06 until no date
  team-manager 131 Tess Mallory tess.mallory@fairshire.example East from 2025-01-06 until no date
20402 CD West restricted true
  iro 102 Ivor Reed ivor.reed@fairshire.example Reviewing from 2025-01-06 until no date
20403 ED West restricted false
  iro 102 Ivor Reed ivor.reed@fairshire.example Reviewing from 2025-01-06 until no date
`
)

// What one of them does not say, or says besides.
var otherwise = map[string]struct {
	forms, people *strings.Replacer
	more          string
}{
	"mosaic": {forms: strings.NewReplacer("by 101 to 201", "by  to 201"), // of those who had it before nothing is kept
		people: strings.NewReplacer("20403 ED West", `  social-worker 122 Kit Lowe kit.lowe@fairshire.example West from 2025-01-06 until no date
20403 ED `)}, // a child's team is that of the allocated worker
	"casenotes": {forms: strings.NewReplacer(" drift ", "  ", " placement ", "  ", "held by 201", "held by ", "held by 102", "held by ",
		"obstacle true", "obstacle false", "  reassigned  2026-03-09 by 101 to 201 denied false obstacle false\n", "",
		"  desired: Therapy to begin\n", ""), people: strings.NewReplacer()}, // their types say no more
	"liquidlogic": {more: `form/5005 carefirst-drp  about [] raised 2026-03-04 held by  authorised false
  raised  2026-03-04 by  denied false obstacle false
  doubt: the record names no child at the query of forms
`},
}

func shippedSystems(t *testing.T) (out []string) {
	t.Helper()
	files, err := fs.Glob(mapping.Shipped, "systems/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if name := strings.TrimSuffix(path.Base(f), ".yaml"); name != "demo" {
			out = append(out, name)
		}
	}
	return out
}

// Every shipped mapping reads its own system, on every engine, and all of them give the same disputes and people; test
// people, duplicates and deleted forms give none.
func TestSystems(t *testing.T) {
	names := shippedSystems(t)
	if len(names) < 5 {
		t.Fatalf("%v", names)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, e engine) {
				s, m, _ := load(t, e, name)
				if !m.HasForms() {
					s.Also = func(context.Context, bool) ([]string, error) { return []string{"20401", "20402", "20403"}, nil }
				}
				batch, cursor, err := s.Poll(t.Context(), nil, noon)
				if err != nil {
					t.Fatal(err)
				}
				forms, people := said(m, batch)
				want, whom := theForms, thePeople
				if x := otherwise[name]; x.forms != nil {
					want, whom = x.forms.Replace(want), x.people.Replace(whom)
				}
				if want += otherwise[name].more; m.HasForms() && forms != want {
					t.Errorf("forms\n%swant\n%s", forms, want)
				}
				if people != whom {
					t.Errorf("people\n%swant\n%s", people, whom)
				}
				if again, _, err := s.Poll(t.Context(), cursor, noon.Add(25*time.Hour)); err != nil || len(again) != 0 {
					t.Errorf("nothing has changed: %v, %v", keys(again), err)
				}
				if found := s.CheckOnline(t.Context()); slices.ContainsFunc(found.Problems,
					func(p string) bool { return !strings.Contains(p, "which drpd never does") }) {
					t.Errorf("the check finds %q", found.Problems)
				}
			})
		})
	}
}
