package report

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"drpd/core/drp"
	"drpd/core/layout"
	"drpd/core/policy"
	"drpd/core/reconcile"
	"drpd/core/workday"
	"drpd/policies"
)

// said is a fact in a test: on a day of November 2026 and after, by a role.
type said struct {
	kind  drp.FactKind
	on    int // days after 2 November 2026, a Monday
	by    string
	stage string // of drpd's own alerts: the stage that is entered
}

// The procedures and the calendar are read once.
var (
	shipped = sync.OnceValues(func() (policy.Set, error) { return policy.Load(policies.FS) })
	england = sync.OnceValues(func() (*workday.Calendar, error) { return workday.EnglandAndWales() })
)

var begin = workday.NewDate(2026, time.November, 2)

// lived is a dispute under a shipped policy, with drpd's alerts as given, as it stands on a day.
func lived(t *testing.T, ref, id string, today int, facts ...said) Dispute {
	t.Helper()
	set, err := shipped()
	if err != nil {
		t.Fatal(err)
	}
	cal, err := england()
	if err != nil {
		t.Fatal(err)
	}
	p := set[slices.IndexFunc(set, func(p *policy.Policy) bool { return p.ID == id })]
	var readings []drp.Reading
	for i, f := range facts {
		on := begin.AddDays(f.on)
		if f.on > today {
			continue
		}
		x := drp.Fact{Kind: f.kind, On: on, By: drp.Actor{Role: f.by}, Learned: on, Evidence: fmt.Sprintf("e%02d", i), Source: "console",
			Attached: true}
		if f.kind == drp.Alerted {
			x.By, x.Stage, x.Source = drp.Actor{Role: "drpd"}, f.stage, "drpd"
			for _, r := range p.Stage(f.stage).Alert.To {
				x.To = append(x.To, drp.Actor{Role: r.Role})
			}
		}
		readings = append(readings, drp.Reading{Evidence: drp.Evidence{ID: x.Evidence, Source: x.Source, Kind: drp.Attestation}, Sent: on,
			Subject: drp.Subject{Form: p.Forms[0], Children: []string{"1"}}, Facts: []drp.Fact{x}})
	}
	c := reconcile.Case{Ref: ref, Policy: p, Calendar: cal, File: drp.Fold(readings, nil), Today: begin.AddDays(today)}
	return Dispute{Case: c, Result: reconcile.Decide(c), Children: []drp.Child{{Ref: "1"}}}
}

// What was done at a stage is what belongs to it, by stage and author: two stages share the day on which one gives way to the
// other, and a word that comes late is still its author's.
func TestWhatWasDone(t *testing.T) {
	ladder := []said{{drp.Raised, 0, "iro", ""}, {drp.Discussed, 0, "iro", ""}, {drp.Alerted, 0, "", "stage-1"},
		{drp.Alerted, 8, "", "stage-2"}, {drp.Alerted, 16, "", "stage-3"}, {drp.Alerted, 24, "", "stage-4"}, {drp.Alerted, 32, "", "stage-5"}}
	for name, tt := range map[string]struct {
		facts []said
		want  map[string]string // by the title of the stage
	}{
		"advice on the day of the next alert": {append(slices.Clone(ladder), said{drp.AdvisedToEscalate, 36, "director", ""},
			said{drp.Alerted, 36, "", "stage-6"}, said{drp.Determined, 39, "chief-executive", ""}, said{drp.Resolved, 39, "iro", ""}),
			map[string]string{"Director": "advised to escalate 2026-12-08 (Director)",
				"Chief Executive": "resolved 2026-12-11 (Independent Reviewing Officer); determined 2026-12-11 (Chief Executive)"}},
		"advice that is dated after it": {append(slices.Clone(ladder), said{drp.Alerted, 36, "", "stage-6"},
			said{drp.AdvisedToEscalate, 37, "director", ""}),
			map[string]string{"Director": "advised to escalate 2026-12-09 (Director)", "Chief Executive": "nothing is recorded"}},
		"an answer after the next alert": {append(slices.Clone(ladder[:5]), said{drp.Responded, 18, "team-manager", ""},
			said{drp.Responded, 17, "group-manager", ""}, said{drp.MeetingHeld, 19, "service-manager", ""}),
			map[string]string{"1": "discussed 2026-11-02 (Independent Reviewing Officer); responded 2026-11-20 (team manager / consultant " +
				"social worker)", "2": "responded 2026-11-19 (group manager)", "3": "meeting held 2026-11-21 (service manager, social care)"}},
	} {
		d := lived(t, "W-AAAAAA", "iro-carefirst", 60, tt.facts...)
		got := map[string]string{}
		var all []string
		for row := range d.stages().Tables[0].Rows {
			got[row[0].Text] = row[len(row)-1].Text
			all = append(all, row[0].Text+": "+row[len(row)-1].Text)
		}
		for stage, want := range tt.want {
			found := false
			for title, text := range got {
				found = found || strings.Contains(title, stage) && text == want
			}
			if !found {
				t.Errorf("%s: %s should say %q\n%s", name, stage, want, strings.Join(all, "\n"))
			}
		}
	}
}

// Each fact that moved something, or was said in a stage, stands under one stage, and under one only; under none where a person
// is asked to which it belongs.
func TestDoneOnce(t *testing.T) {
	facts := []said{{drp.Raised, 0, "iro", ""}, {drp.Alerted, 0, "", "stage-1"}, {drp.Alerted, 8, "", "stage-2"},
		{drp.Alerted, 16, "", "stage-3"}}
	for on := 1; on < 20; on++ {
		for _, kind := range []drp.FactKind{drp.Responded, drp.Consulted, drp.MeetingHeld, drp.LegalAdviceTaken, drp.AdvisedToEscalate} {
			for _, by := range []string{"iro", "team-manager", "group-manager", "service-manager", "director"} {
				d := lived(t, "W-AAAAAA", "iro-carefirst", 30, append(slices.Clone(facts), said{kind, on, by, ""})...)
				n := 0
				for _, stay := range d.done() {
					for _, s := range stay {
						if strings.HasPrefix(s, policy.Spaced(string(kind))+" "+begin.AddDays(on).String()) {
							n++
						}
					}
				}
				want := 1
				if slices.ContainsFunc(d.Idle, func(x reconcile.Idle) bool { return x.Fact.Kind == kind }) {
					want = 0
				}
				if n != want {
					t.Fatalf("%s by %s on day %d stands under %d stages", kind, by, on, n)
				}
			}
		}
	}
}

// What somebody writes in words of their own answers nothing that the stage asks for, and is not printed as an answer.
func TestFreeWordsAreNotDone(t *testing.T) {
	for kind, want := range map[drp.FactKind]string{drp.MessageCame: "message came 2", drp.Responded: "responded 2"} {
		d := lived(t, "W-AAAAAA", "iro-carefirst", 5, said{drp.Raised, 0, "iro", ""}, said{kind, 2, "team-manager", ""})
		if done := d.done()[0]; len(done) != 1 || !strings.HasPrefix(done[0], want) {
			t.Errorf("%s: %q, want %q", kind, done, want)
		}
	}
}

// The share of a quarter is over what is old enough: those that are still open past the limit of their own procedure, or
// ended otherwise, are in it; those that are young, and procedures without a limit, are not.
func TestJudged(t *testing.T) {
	const today = 40
	var all []Dispute
	add := func(ref, id string, facts ...said) Dispute {
		d := lived(t, ref, id, today, facts...)
		all = append(all, d)
		return d
	}
	raised := func(on int, by string) said { return said{drp.Raised, on, by, ""} }
	for i := range 6 {
		add(fmt.Sprint("W-GOOD", i), "iro-carefirst", raised(0, "iro"), said{drp.Resolved, 10 + i, "iro", ""})
	}
	add("W-LATE1", "iro-carefirst", raised(0, "iro"), said{drp.Resolved, 35, "iro", ""})
	add("W-OPEN1", "iro-carefirst", raised(0, "iro"))
	add("W-OPEN2", "iro-carefirst", raised(1, "iro"))
	add("W-GONE1", "iro-carefirst", raised(0, "iro"), said{drp.Withdrawn, 3, "iro", ""})
	add("W-YOUNG", "iro-carefirst", raised(30, "iro"))
	add("W-YGOOD", "iro-carefirst", raised(30, "iro"), said{drp.Resolved, 32, "iro", ""})
	hidden := add("W-HIDE1", "iro-carefirst", raised(0, "iro"))
	hidden.Children = []drp.Child{{Ref: "2", Restricted: true}}
	all[len(all)-1] = hidden
	add("C-OPEN1", "cp-chair", raised(0, "chair"))
	add("C-LONG1", "cp-chair", raised(0, "chair"), said{drp.Resolved, 38, "chair", ""})
	in := Input{Authority: "x", At: begin.AddDays(today).Midnight(), Today: begin.AddDays(today), Disputes: all, Calendar: all[0].Calendar}
	doc := Quarterly(in, begin.Quarter())
	want := "In Q4 2026 15 disputes were raised, 9 resolved so far. Of the 11 whose procedure's limit for the whole has passed, 6 were " +
		"resolved within it; still open past it: W-OPEN1, W-OPEN2, 1 about restricted records."
	if doc.Lead[0] != want {
		t.Errorf("it says %q\nwant    %q", doc.Lead[0], want)
	}
	figures := map[string]string{}
	for row := range doc.Parts[0].Tables[0].Rows {
		figures[row[0].Text] = row[len(row)-1].String()
	}
	for label, want := range map[string]string{"Old enough: the procedure's limit for the whole has passed": "11", "Resolved within it": "6",
		"Resolved within it, share of those old enough": "55%", "Still open past it": "3"} {
		if figures[label] != want {
			t.Errorf("%s: %q, want %q", label, figures[label], want)
		}
	}
	var rows []string
	for _, part := range doc.Parts {
		if part.Title == "Against the whole limit" {
			for row := range part.Tables[0].Rows {
				var cells []string
				for _, v := range row[1:] {
					cells = append(cells, v.String())
				}
				rows = append(rows, strings.Join(cells, " | "))
			}
		}
	}
	if want := []string{"20 working days (W16) | 13 | 11 | 6 | 55% | 1 | 1 | 3: W-OPEN1, W-OPEN2, 1 about restricted records",
		"none | 2 |  |  |  |  |  | "}; !slices.Equal(rows, want) {
		t.Errorf("%q, want %q", rows, want)
	}
	if text := layout.Plain(doc); strings.Contains(text, "W-HIDE1") || strings.Contains(text, "against 20") {
		t.Error("a restricted record is named, or a limit that is not the procedure's")
	}
	in.Reader.Cleared = true
	if cleared := Quarterly(in, begin.Quarter()); !strings.Contains(cleared.Lead[0], "W-HIDE1, W-OPEN1, W-OPEN2.") {
		t.Errorf("for a reader who is cleared: %q", cleared.Lead[0])
	}
}
