package reconcile_test

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"drpd/core/drp"
	"drpd/core/reconcile"
	"drpd/core/reconcile/cases"
	"drpd/core/workday"
	"drpd/policies"
	"drpd/testdata"
)

var update = flag.Bool("update", false, "write the golden files anew")

func suites(t *testing.T) []*cases.Suite {
	t.Helper()
	small, err := fs.Sub(testdata.FS, "policies")
	if err != nil {
		t.Fatal(err)
	}
	var out []*cases.Suite
	for _, fsys := range []fs.FS{policies.FS, small} {
		names, err := fs.Glob(fsys, "*/policy.yaml")
		if err != nil || len(names) == 0 {
			t.Fatalf("%d policies, %v", len(names), err)
		}
		for _, n := range names {
			s, err := cases.Load(fsys, path.Dir(n))
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, s)
		}
	}
	return out
}

func TestCases(t *testing.T) {
	cal, err := workday.EnglandAndWales()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range suites(t) {
		for _, c := range s.Cases {
			t.Run(s.Policy.ID+"/"+c.Name, func(t *testing.T) {
				for _, wrong := range s.Run(c, "", cal) {
					t.Error(wrong)
				}
			})
		}
	}
}

// Who is told what in each case of each policy, on which day and in which words, what is found, and whose turn it is: as it stands in
// testdata, where a person can read it. The name of each letter stands there too: by it drpd knows what it sent before it was renewed.
func TestStories(t *testing.T) {
	cal, err := workday.EnglandAndWales()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.MkdirAll(filepath.Join("testdata", "stories"), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range suites(t) {
		t.Run(s.Policy.ID, func(t *testing.T) {
			var got strings.Builder
			for _, c := range s.Cases {
				var before []string
				fmt.Fprintf(&got, "%s\n", c.Name)
				if err := s.Follow(c, cal, func(today workday.Date, out []drp.Effect, at reconcile.Result) {
					now := stands(at)
					lines := letters(out)
					for _, x := range now {
						if !slices.Contains(before, x) {
							lines = append(lines, x)
						}
					}
					for _, x := range before {
						if strings.HasPrefix(x, "found: ") && !slices.Contains(now, x) {
							lines = append(lines, "no more: "+x)
						}
					}
					if before = now; len(lines) > 0 {
						fmt.Fprintf(&got, "  %s\n    %s\n", today, strings.Join(lines, "\n    "))
					}
				}); err != nil {
					t.Fatal(err)
				}
			}
			name := filepath.Join("testdata", "stories", s.Policy.ID+".txt")
			if *update {
				if err := os.WriteFile(name, []byte(got.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if w, g := strings.Split(string(want), "\n"), strings.Split(got.String(), "\n"); !slices.Equal(w, g) {
				i := 0
				for i < min(len(w), len(g))-1 && w[i] == g[i] {
					i++
				}
				t.Errorf("%s:%d says\n%s\nand it is\n%s\n-update writes it anew", name, i+1, w[i], g[i])
			}
		})
	}
}

// saying joins what a line has to say after its name, without what is empty.
type saying []string

func (s *saying) put(key string, value any) {
	if text := strings.Trim(fmt.Sprint(value), "[]"); text != "" && text != "false" && text != "0" && text != workday.Date(0).String() {
		*s = append(*s, key+" "+text)
	}
}

// letters are the lines on what goes out.
func letters(out []drp.Effect) (lines []string) {
	for _, e := range out {
		var s saying
		s.put("at", e.Stage)
		s.put("on", e.On)
		s.put("cc", e.Cc)
		s.put("only", e.Only)
		s.put("clause", e.Clause)
		s.put("rule", e.Rule)
		s.put("due", e.Due)
		s.put("counted from", e.Proof.From)
		s.put("before", e.Before)
		s.put("next", e.Next)
		s.put("attached", e.Attach)
		s.put("form", e.Form.Digest)
		s.put("type", e.NoteType)
		s.put("consult", e.Consult)
		s.put("must reach", e.MustReach)
		s.put("agenda", e.Agenda)
		s.put("urgent", e.Urgent)
		s.put("at once", e.AtOnce)
		s.put("to deputies", e.Deputies)
		s.put("held:", e.Screened)
		s.put("by", e.Evidence)
		lines = append(lines, e.Slot+": "+strings.Join(s, ", "))
		for _, text := range append([]string{e.Says, e.Draft}, e.Also...) {
			if text != "" {
				lines = append(lines, "  | "+text)
			}
		}
		for _, a := range e.Asks {
			line := fmt.Sprintf("%s %s %s %s: %s", a.About, a.Choice, a.Fact, a.Stage, a.Text)
			lines = append(lines, "  > "+strings.Join(strings.Fields(line), " "))
		}
	}
	return lines
}

// stands are the lines on how a dispute stands.
func stands(r reconcile.Result) (lines []string) {
	at := r.Standing
	var s saying
	s.put("since", at.Since)
	s.put("raised", at.Raised)
	s.put("ended", at.Ended)
	s.put("by", at.EndedBy)
	s.put("with CAFCASS since", at.Referred)
	s.put("closed", r.Closed)
	s.put("counted anew from", at.Moved)
	lines = append(lines, at.Stage+": "+strings.Join(s, ", "))
	s = nil
	s.put("turn of", at.Turn)
	s.put("since", at.TurnFrom)
	s.put("next", at.Next)
	s.put("on", at.NextOn)
	s.put("told on", at.TellOn)
	s.put("silent", at.Silent)
	s.put("may be sent", r.Sendable)
	lines = append(lines, strings.Join(s, ", "))
	s = nil
	s.put("step", at.Step.Clock.ID)
	s.put("late", at.Step.Overdue())
	s.put("whole", at.Whole.Clock.ID)
	s.put("late", at.Whole.Overdue())
	for _, p := range at.Passed {
		s.put("passed", p.Clock.ID)
	}
	if len(s) > 0 {
		lines = append(lines, strings.Join(s, ", "))
	}
	for _, c := range at.Clocks {
		s = nil
		s.put("due", c.Proof.Due)
		s.put("from", c.Start.On)
		s.put("met", c.Met)
		s.put("", c.NoDate())
		s.put("doubtful:", c.Doubt)
		lines = append(lines, strings.TrimSpace("clock "+c.Clock.ID+" "+c.Visit)+": "+strings.Join(s, ", "))
	}
	for _, f := range r.Findings {
		lines = append(lines, fmt.Sprintf("found: %s %s %s since %s: %s", f.Clause, f.Severity, f.Stage, f.Since, f.What))
	}
	for _, x := range r.Recorded {
		lines = append(lines, fmt.Sprintf("recorded: %s %s: %s", x.Clause, x.On, x.What))
	}
	for _, x := range slices.Concat(r.Idle, r.Unused) {
		lines = append(lines, "counts for nothing: "+x.Words()+": "+x.Why)
	}
	for _, q := range r.Conflicts {
		lines = append(lines, "asked: "+q.What())
	}
	return lines
}

// Each clause of each policy, its rules taken away: a case that names it must fail.
func TestEveryClauseIsAlive(t *testing.T) {
	cal, err := workday.EnglandAndWales()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range suites(t) {
		alive := s.Alive(cal)
		for _, clause := range s.Policy.Cited() {
			t.Run(s.Policy.ID+"/"+clause, func(t *testing.T) {
				if len(alive[clause]) == 0 {
					t.Errorf("no case that names %s fails when its rules are taken away", clause)
				}
			})
		}
	}
}
