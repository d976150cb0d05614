package main

import (
	"encoding/csv"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

// A report that does not hold everything says so in its first line and in its file's name, in every format; what it is asked
// for and there is not is refused.
func TestFilteredReport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	team := "Looked after East"
	for _, kind := range []string{"overdue", "open", "quarterly"} {
		endings := []string{"json", "csv", "html", "xlsx"}
		if kind != "overdue" { // they are written by the same hand
			endings = endings[:1]
		}
		for _, ending := range endings {
			out := filepath.Join(dir, kind+"."+ending)
			args := []string{"report", kind, "--out", out, "--teams", team, "--policies", "iro-carefirst"}
			if kind == "quarterly" {
				args = append(args, "--quarter", "2026-12-01")
			}
			said := inDemo(t, args...)
			name := filepath.Join(dir, kind+"-only-iro-carefirst-looked-after-east."+ending)
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(said, name+"\n") {
				t.Errorf("%s: the console says %q", kind, said)
			}
			first := strings.SplitN(said, "\n", 2)[0]
			if !strings.HasPrefix(first, "This report holds only ") ||
				!strings.HasSuffix(strings.SplitN(first, ";", 2)[0],
					strings.TrimSuffix("the team "+team+".", map[bool]string{true: "", false: "."}[kind == "quarterly"])) {
				t.Errorf("%s: the console begins with %q", kind, first)
			}
			switch ending {
			case "json":
				var doc jsonDoc
				if err := json.Unmarshal(b, &doc); err != nil || doc.Only != first {
					t.Errorf("%s: %q, %v", kind, doc.Only, err)
				}
			case "csv":
				r := csv.NewReader(strings.NewReader(string(b)))
				if row, err := r.Read(); err != nil || row[0] != first {
					t.Errorf("%s: %q, %v", kind, row, err)
				}
			case "html":
				_, body, _ := strings.Cut(string(b), "<body")
				if i := strings.Index(body, team); i < 0 || i > strings.Index(body, "<h1") {
					t.Errorf("%s: the page does not begin with what it holds", kind)
				}
			case "xlsx":
				f, err := excelize.OpenFile(name)
				if err != nil {
					t.Fatal(err)
				}
				for _, sheet := range f.GetSheetList() {
					if a1, err := f.GetCellValue(sheet, "A1"); err != nil || a1 != first {
						t.Errorf("%s, %s begins with %q, %v", kind, sheet, a1, err)
					}
				}
				_ = f.Close()
			}
		}
	}
	for _, tt := range []struct{ flag, value, want string }{
		{"--teams", "Reviewers of nothing", `no child or holder of a role that drpd knows is of the team "Reviewers of nothing"`},
		{"--teams", "Looked after Eest", "(Looked after East?)"}, {"--teams", "looked after east", "(Looked after East?)"},
		{"--policies", "iro-carefrist", `there is no procedure "iro-carefrist" (iro-carefirst?)`},
	} {
		out := filepath.Join(dir, "none.json")
		code, said, errs := drpd(t, "--config", filepath.Join(theDemo(t), "drpd.yaml"), "report", "overdue", "--out", out, tt.flag, tt.value)
		if code != 1 || !strings.Contains(errs, tt.want) || said != "" {
			t.Errorf("%s %s: exit %d: %s%s", tt.flag, tt.value, code, said, errs)
		}
	}
	if made, err := filepath.Glob(filepath.Join(dir, "none*")); err != nil || len(made) > 0 {
		t.Errorf("%v, %v", made, err)
	}
}

// What a list shows as a dispute's team is what a report of that team holds: each row of each team, and no other.
func TestReportOfATeam(t *testing.T) {
	t.Parallel()
	rows := func(args ...string) (out []string) {
		dir := t.TempDir()
		inDemo(t, append([]string{"report", "open", "--cleared", "--out", filepath.Join(dir, "o.json")}, args...)...)
		made, err := filepath.Glob(filepath.Join(dir, "o*.json"))
		if err != nil || len(made) != 1 {
			t.Fatal(made, err)
		}
		b, err := os.ReadFile(made[0])
		if err != nil {
			t.Fatal(err)
		}
		var doc jsonDoc
		if err := json.Unmarshal(b, &doc); err != nil {
			t.Fatal(err)
		}
		for _, row := range doc.Parts[0].Tables["Open"] {
			out = append(out, row["Reference"].(string)+" of "+row["Team"].(string)) //nolint:forcetypeassert // the schema of the report
		}
		slices.Sort(out)
		return out
	}
	all := rows()
	teams := map[string]bool{}
	for _, r := range all {
		_, names, _ := strings.Cut(r, " of ")
		for _, n := range strings.Split(names, ", ") {
			teams[n] = true
		}
	}
	if len(teams) < 4 {
		t.Fatalf("teams: %v", teams)
	}
	for _, team := range slices.Sorted(maps.Keys(teams))[:4] {
		var want []string
		for _, r := range all {
			_, names, _ := strings.Cut(r, " of ")
			if slices.Contains(strings.Split(names, ", "), team) {
				want = append(want, r)
			}
		}
		if got := rows("--teams", team); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", team, got, want)
		}
	}
}

// The report that goes by email says what it holds in its subject, its first line and its file's name. A team that there is
// not is a problem to the check, and a warning in the report, which then never says that nothing is overdue.
func TestFilteredByEmail(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "copy")
	copyTree(t, theDemo(t), dir)
	reconfigure(t, dir, "    - {name: housing,", "    - {name: east, to: cssu-service-manager, on: [monday], hour: 7, teams: [Looked after "+
		"East]}\n    - {name: typo, to: cssu-service-manager, on: [monday], hour: 7, teams: [Reviewing things]}\n    - {name: housing,")
	at := time.Date(2027, 1, 18, 9, 0, 0, 0, london())
	run := func(args ...string) (int, string) {
		var out strings.Builder
		code := realMain(&app{ctx: t.Context(), out: &out, err: &out, now: func() time.Time { return at }},
			append([]string{"--config", filepath.Join(dir, "drpd.yaml")}, args...))
		return code, out.String()
	}
	if code, out := run("check"); code != 1 ||
		!strings.Contains(out, `report "typo": no child or holder of a role that drpd knows is of the team "Reviewing things"`) ||
		strings.Contains(out, `report "east"`) {
		t.Errorf("check: exit %d: %s", code, out)
	}
	if code, out := run("run", "--once"); code != 0 {
		t.Fatal(out)
	}
	mails, err := filepath.Glob(filepath.Join(dir, "mail", "out", "2027-01-18__report_*"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, name := range mails {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		mail := strings.NewReplacer("=\r\n", "", "\r\n ", " ").Replace(string(b))
		_, text, _ := strings.Cut(mail, "Content-Type: text/plain")
		for report, want := range map[string][]string{
			"housing": {"; only the procedure ", "This report holds only the procedure ", "-only-housing-cleared.xlsx|-only-housing.xlsx"},
			"east": {"; only the team Looked after East", "This report holds only the team Looked after East; ",
				"-only-looked-after-east-cleared.xlsx|-only-looked-after-east.xlsx"},
			"typo": {"the report asks for a procedure or team that does not exist; 0 known to be overdue; only the team Reviewing things",
				"For the operator: no child or holder of a role that drpd knows is of the team",
				"-only-reviewing-things-cleared.xlsx|-only-reviewing-things.xlsx"},
			"iro-serv": {"Subject: Disputes: ", "Disputes: what is overdue",
				"iro-service-overdue-2027-01-18-cleared.xlsx|iro-service-overdue-2027-01-18.xlsx"},
		} {
			if !strings.Contains(mail, "filename="+report) && !strings.Contains(mail, "filename=\""+report) {
				continue
			}
			seen[report] = true
			_, subject, _ := strings.Cut(mail, "\nSubject:")
			subject = "Subject:" + subject
			_, words, _ := strings.Cut(text, "\r\n\r\n")
			first := strings.TrimSpace(words)
			a, b, _ := strings.Cut(want[2], "|")
			if !strings.Contains(strings.SplitN(subject, "\r\n", 2)[0], want[0]) || !strings.HasPrefix(first, want[1]) ||
				!strings.Contains(mail, a) && !strings.Contains(mail, b) {
				t.Errorf("%s: %.300s\n%.400s", report, subject, first)
			}
			if report == "typo" && strings.Contains(first, "Nothing is overdue in what this report holds.") {
				t.Errorf("%s: says that nothing is overdue", report)
			}
			if (report == "iro-serv") == strings.Contains(mail, "This report holds only") {
				t.Errorf("%s: says what it holds: %v", report, report != "iro-serv")
			}
		}
	}
	if len(seen) != 4 {
		t.Errorf("reports by email: %v of %v", seen, mails)
	}
	told := 0 // the operator is told of it too
	attention, err := filepath.Glob(filepath.Join(dir, "mail", "out", "2027-01-18__*_operator_*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range attention {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if mail := strings.NewReplacer("=\r\n", "", "\r\n ", " ").Replace(string(b)); strings.Contains(mail, "eport typo may hold nothing of what it is to hold") {
			told++
		}
	}
	if told != 1 {
		t.Errorf("the operator is told %d times: %v", told, attention)
	}
}
