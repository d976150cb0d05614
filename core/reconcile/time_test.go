package reconcile_test

import (
	"slices"
	"strings"
	"testing"

	"drpd/core/drp"
	"drpd/core/reconcile"
)

// Of somebody who was never told no finding and no question says that no answer came from them; where they were told in time,
// it does.
func TestNobodyIsBlamedBeforeTheyWereTold(t *testing.T) {
	w := load(t)
	findings := func(r reconcile.Result) (out []string) {
		for _, f := range r.Findings {
			out = append(out, f.What)
		}
		return out
	}
	alerted := func() drp.Reading { return told(drp.Alerted, start, "drpd", "team-manager", "social-worker") }
	late := func() drp.Reading { return told(drp.Alerted, start+7, "drpd", "team-manager", "social-worker") }
	for _, tt := range []struct {
		name        string
		facts       []drp.Reading
		says, never string
	}{
		{"told in time", []drp.Reading{alerted()}, "no answer from the team manager", "nothing shows that the team manager"},
		{"never told", nil, "nothing shows that the team manager / consultant social worker was told", "no answer from"},
		{"told late", []drp.Reading{late()}, "was told on Monday 23 November 2026 only, and had time until Monday 30 November 2026",
			"no answer from"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			readings := append([]drp.Reading{told(drp.Raised, start, "iro"), at(told(drp.Escalated, start+8, "iro"), "stage-2"),
				at(told(drp.Alerted, start+8, "drpd", "group-manager"), "stage-2")}, tt.facts...)
			for i := range readings {
				readings[i].Evidence.ID += readings[i].Facts[0].Stage
				readings[i].Facts[0].Evidence = readings[i].Evidence.ID
			}
			r := w.decide(w.policy(t, "iro-carefirst"), readings, nil, start+9)
			got := strings.Join(findings(r), "\n")
			if r.Standing.Stage != "stage-2" || !strings.Contains(got, tt.says) || strings.Contains(got, tt.never) {
				t.Errorf("in %s:\n%s", r.Standing.Stage, got)
			}
		})
	}
	readings := []drp.Reading{told(drp.Raised, start, "social-worker"), told(drp.Raised, start, "housing-adviser")}
	for day := start; day < start+12; day++ {
		for _, e := range w.decide(w.policy(t, "housing"), readings, nil, day).Effects {
			if e.Reason == drp.ReasonAsk && strings.HasPrefix(e.Rule, "on_expiry ") && slices.Contains(e.To, "csc-service-manager") &&
				!strings.Contains(e.Says, "nothing shows that") {
				t.Errorf("%s: %s", day, e.Says)
			}
		}
	}
}
