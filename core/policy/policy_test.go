package policy_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"drpd/core/policy"
	"drpd/core/strict"
	"drpd/core/workday"
	"drpd/policies"
)

const small = `policy: small
code: S
title: A small procedure
source: made up for this test
version: 1
effective: 2026-01-01
forms: [small-form]
owner: [raiser]
duty: raiser
raisers: [raiser]
roles: {raiser: raiser, manager: manager, operator: operator, practice-lead: practice lead}
clauses: {S1: the manager answers, S2: the raiser ends it}
stages:
  - id: first
    title: First
    holder: [manager]
    enter_on: [raised]
    alert: {by: drpd, to: [{clause: S1, role: manager}]}
    limit: answer
    clocks: [{clause: S1, id: answer, from: entered, until: ended, amount: 5 working days, severity: maximum}]
    on_expiry: [{clause: S1, when: no-answer, do: prompt}]
ends: [{clause: S2, fact: resolved, by: [raiser]}]
corrections: {clause: S2}
in_force: {clause: S2, version: started}
hand_over: {clause: S1, id: hand-over, from: ended, until: ended, amount: none stated, severity: guidance}
ask_again: 5 working days
`

func TestSmall(t *testing.T) {
	p, err := policy.Parse("s.yaml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Digest) != 12 {
		t.Errorf("digest %q: disputes that started under it name it by 12 characters", p.Digest)
	}
}

// What each fault says, word for word, and where.
func TestFaults(t *testing.T) {
	for _, tt := range []struct{ replace, with, want string }{
		{"role: manager}]}", "role: manger}]}", `s.yaml:18:47: no such role "manger" (manager?)`},
		{"title: First\n", "titel: First\n", `s.yaml:15:5: unknown key "titel" (title?)`},
		{"amount: 5 working days, sev", "amount: 5, sev",
			`"5" has no unit: write "5 working days" or "5 calendar days", and a reading where the source does not say`},
		{"amount: 5 working days, sev", "amount: P5D, sev",
			`"P5D" is no length of time: write it as "5 working days", "28 calendar days", "4 weeks", "immediately", "set for the case" or "none stated"`},
		{"amount: 5 working days, sev", "amount: 5 fortnights, sev",
			`"5 fortnights": unknown unit "fortnights" (working days, calendar days, weeks)`},
		{"severity: maximum", "severity: hard", `s.yaml:20:102: "hard" is not one of: maximum, target, guidance`},
		{"clause: S2, fact", "clause: S9, fact", `s.yaml:22:17: no such clause "S9" (S1?)`},
		{"fact: resolved", "fact: resolvd", `s.yaml:22:27: no such fact "resolvd" (resolved?)`},
		{"clauses: {S1: the manager answers, S2", "clauses: {S1: the manager answers, S3: nobody, S2",
			`s.yaml:12:40: clause S3 is cited by no rule: give it one, or leave it out`},
		{"    on_expiry: [{clause: S1, when: no-answer, do: prompt}]\n", "",
			`stage "first" has no exit: say what happens when it does not end in time (on_expiry)`},
		{"do: prompt", "do: escalate", `stage "first" escalates to no stage: give to:`},
		{"do: prompt", "do: shout", `"shout" is not one of: escalate, prompt`},
		{"    alert: {by: drpd, to: [{clause: S1, role: manager}]}\n", "",
			`stage "first" has no alert: say who is told, and by whom (alert: {by: drpd | owner, to: [...]})`},
		{"by: drpd, to", "by: nobody, to", `"nobody" is not one of: drpd, owner`},
		{"limit: answer", "limit: other", `stage "first": limit must name one of its clocks (a clock may be "none stated")`},
		{"hand_over:", "#", `"hand_over" is missing`},
		{"ends: [", "ends: [] #", `"ends" is missing`},
		{"corrections:", "#", `"corrections" is missing`},
		{"in_force:", "#", `"in_force" is missing`},
		{"from: entered", "from: enterd", `no such start of a clock "enterd" (entered?)`},
		{"{clause: S2, fact: resolved", "{fact: resolved", `the rule cites no clause: add clause: with one of the policy's clauses`},
		{"ends: [", "  - {id: lonely, title: Lonely, holder: [manager], alert: {by: drpd, to: [{clause: S1, role: manager}]}, limit: a, " +
			"clocks: [{clause: S1, id: a, from: raised, until: ended, amount: none stated, severity: target}], on_expiry: [{clause: S1, when: " +
			"no-answer, do: prompt}]}\nends: [", `stage "lonely" cannot be reached: no on_expiry or move leads to it`},
		{"amount: 5 working days, sev", "amount: 48 hours, sev",
			`"48 hours": deadlines are days: say what the hours are defined as, such as "48 hours as 2 working days"`},
		{"amount: 5 working days, sev", "amount: 2 weeks as 10 working days, sev",
			`"2 weeks as 10 working days": only hours are defined as something else: "48 hours as 2 working days"`},
		{"limit: answer", "limit: other",
			`s.yaml:19:12: stage "first": limit must name one of its clocks (a clock may be "none stated"), or "none" where the stage has none`},
		{"severity: maximum}]", "severity: maximum, not_after: whole}]", `no such clock "whole"`},
		{"severity: maximum}]", "severity: maximum, else: answr}]", `no such clock "answr"`},
		{"severity: maximum}]", "severity: maximum, of: child}]", `"child" is not one of: dispute`},
		{"clocks: [{", "clocks: [{clause: S1, id: a, from: raised, else: b, until: ended, amount: immediately, severity: target}, {clause: S1, " +
			"id: b, from: raised, not_after: a, until: ended, amount: immediately, severity: target}, {",
			`clock "a" leans on "b", which leans on another: name one that stands by itself`},
		{"ask_again: 5 working days", "ask_again: none stated",
			`"none stated" cannot be counted here: give a length of time, such as 5 working days`},
		{"when: no-answer", "when: never", `"never" is not one of: no-answer, unsatisfactory, rejected`},
		{"do: prompt}]", "do: take-effect}]",
			`stage "first": do: take-effect and fact: go together: the fact that holds unless it was contested in time`},
		{"do: prompt}]", "do: prompt}, {clause: S1, when: no-answer, do: prompt}]",
			`s.yaml:21:60: stage "first": this exit never counts, because one for "no-answer" without if: stands before it`},
		{"do: prompt}]", "do: prompt, clock: other}]", `stage "first" has no clock "other"`},
		{"do: prompt}]", "do: prompt, on: friday}]", `"friday" is not one of: last-day`},
		{"do: prompt}]", "do: prompt, ask: [managr]}]", `no such role "managr" (manager?)`},
		{"do: prompt}]", "do: prompt, or: [secnd]}]", `no such stage "secnd" (known: first)`},
		{"    limit:", "    opens: {clause: S1, stage: first}\n    limit:", `stage "first" opens "first", which does not come after it`},
		{"    limit:", "    answer: {clause: S1, by: [manager], any: true, joint: true}\n    limit:",
			`stage "first": an answer is any of them, or joint, not both`},
		{"    limit:", "    needs: [{clause: S1, says: x}]\n    limit:",
			`stage "first": a need is one_of: some facts, or a field:, one of the two`},
		{"duty:", "about: {clause: S1, of: dogs}\nduty:", `"dogs" is not one of: theme, either`},
		{"duty:", "about: either\nduty:", `s.yaml:9:8: "either": keys with their values are wanted here: {key: value}`},
		{"operator: operator, practice-lead: practice lead", "operator: operator",
			`s.yaml:11:8: the role "practice-lead" is missing: drpd turns to it where nobody else answers`},
		{"owner: [raiser]", "owner: raiser", `s.yaml:8:8: "raiser": a list is wanted here: [raiser]`},
		{"title: A small procedure", "title: [A small procedure]", `one value is wanted here, not a list`},
		{"version: 1", "version: first", `"first": a number is wanted here`},
		{"from: entered", "from: entered, field: panel", `clock "answer" has two starts: write from: or field:, one of the two`},
		{"from: entered", "until: ended", `mapping key "until" already defined`},
		{"amount: 5 working days, sev", "amount: 5 working days before, sev",
			`"5 working days before" is counted from a date on the form: write field: in place of from:`},
		{"amount: 5 working days, sev", "amount: immediately before, sev",
			`"immediately before": only a length of time lies before a date: "3 working days before"`},
		{"duty:", "fallbacks: [{clause: S1, role: manager, by: managr}]\nduty:", `no such role "managr" (manager?)`},
		{"ends: [", "referral: {clause: S2}\nends: [", `referral: write after: with a stage, or on: with a fact, one of the two`},
		{"ends: [", "follow_ups: [{clause: S2, after: enterd, expect: resolved, within: 1 working day}]\nends: [",
			`no such fact "enterd" (entered?)`},
		{"amount: 5 working days, sev", "amount: none stated, sev",
			`s.yaml:20:14: stage "first": clock "answer" is "none stated" and does not say when somebody is asked: ` +
				`give it chase: the authority's own interval, at most ask_again (5 working days), or the stage silent: because ...`},
		{"amount: 5 working days, sev", "amount: set for the case, sev",
			`clock "answer" is "set for the case" and does not say when somebody is asked`},
		{"amount: 5 working days, sev", "amount: 1 week, amounts: [{clause: S1, if: {field: x}, amount: none stated}], sev",
			`"answer" is "none stated" and does not say when`},
		{"amount: 5 working days, sev", "amount: none stated, chase: immediately, sev",
			`"answer" is "none stated" and does not say when somebody is asked`},
		{"amount: 5 working days, sev", "amount: none stated, chase: 8 calendar days, sev",
			`s.yaml:20:96: stage "first": nobody is told for 8 calendar days, ` +
				`and ask_again is 5 working days: ask sooner, or give the stage silent: because ...`},
		{"limit: answer", "limit: none",
			`s.yaml:19:12: stage "first" has no limit and does not say when somebody is asked: give it a clock with amount: none stated and ` +
				`chase: the authority's own interval, at most ask_again (5 working days), or silent: because ...`},
		{"    limit:", "    silent: because\n    limit:",
			`s.yaml:19:13: stage "first": "because" is no reason: say in a few words why nobody is to be told meanwhile`},
		{"when: no-answer", "when: unsatisfactory",
			`s.yaml:14:5: stage "first" does not say what happens when its limit passes without an answer: ` +
				`give on_expiry: {when: no-answer, ...} without if:, or silent: because ...`},
		{"when: no-answer", "when: no-answer, if: {field: x}", `stage "first" does not say what happens when its limit passes without an answer`},
		{"    limit:", "    answer: {clause: S1, by: [manager]}\n    limit:",
			`stage "first" does not say what happens when an answer has come, or they have met, ` +
				`and no end is recorded: give on_expiry: {when: unsatisfactory, ...} without if:, or silent: because ...`},
		{"until: ended", "until: meeting-held", `stage "first" does not say what happens when an answer has come, or they have met`},
		{"ask_again: 5 working days", "ask_again: immediately",
			`"immediately": nothing can be asked again on the day on which it was asked: give 1 working day or more`},
		{"owner: [raiser]", "owner: [raisr]", `s.yaml:8:9: no such role "raisr" (raiser?)`},
	} {
		if !strings.Contains(small, tt.replace) {
			t.Fatalf("the sample does not hold %q", tt.replace)
		}
		_, err := policy.Parse("s.yaml", []byte(strings.Replace(small, tt.replace, tt.with, 1)))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q for %q:\n got %v\nwant %s", tt.with, tt.replace, err, tt.want)
		}
	}
}

// Where somebody is asked in time, or a reason is given, nothing is wrong; a policy under which disputes started is read in any case.
func TestSilence(t *testing.T) {
	for _, tt := range []struct{ replace, with string }{
		{"amount: 5 working days, sev", "amount: none stated, chase: 5 working days, sev"},
		{"amount: 5 working days, sev", "amount: set for the case, chase: 1 week, sev"},
		{"limit: answer", "silent: because nothing is asked of anybody\n    limit: none"},
		{"    limit: answer", "    silent: because they meet every month\n    answer: {clause: S1, by: [manager]}\n    limit: answer"},
		{"amount: 5 working days, sev", "amount: 10 weeks, sev"},
	} {
		if _, err := policy.Parse("s.yaml", []byte(strings.Replace(small, tt.replace, tt.with, 1))); err != nil {
			t.Errorf("%q for %q: %v", tt.with, tt.replace, err)
		}
	}
	p, err := policy.Parse("s.yaml",
		[]byte(strings.Replace(small, "limit: answer", "silent: because they meet every month\n    limit: answer", 1)))
	if err != nil || !strings.Contains(p.Show(), "- Silent: nobody is told meanwhile but by its own limit, because they meet every month.\n") {
		t.Errorf("the reason is not shown: %v", err)
	}
	if _, err := policy.ParseKept("s.yaml", []byte(strings.Replace(small, "limit: answer", "limit: none", 1))); err != nil {
		t.Errorf("as it was kept: %v", err)
	}
	if _, err := policy.ParseKept("s.yaml", []byte(strings.Replace(small, "limit: answer", "limit: other", 1))); err == nil {
		t.Error("a kept policy whose limit is no clock is read")
	}
}

// A text that was kept before policies said when the owner is asked what came of a referral is read as every 20 working days; a new one
// must say it.
func TestReferralWithoutACheck(t *testing.T) {
	text := small + "\nreferral: {clause: S1, after: first}\n"
	p, err := policy.ParseKept("s.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if c := p.Referral.Check; c == nil || c.Every.N != 20 || c.Every.Unit != workday.WorkingDays || c.Clause != "S1" || c.Reading == "" {
		t.Errorf("%+v", c)
	}
	const says = "say when the owner is asked what came of it"
	if _, err := policy.Parse("s.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("%v", err)
	}
}

func TestTwoPoliciesForOneForm(t *testing.T) {
	other := strings.Replace(small, "policy: small", "policy: other", 1)
	_, err := policy.Load(fstest.MapFS{"small/policy.yaml": {Data: []byte(small)}, "other/policy.yaml": {Data: []byte(other)}})
	if err == nil || !strings.Contains(err.Error(),
		`small/policy.yaml:1:1: form type "small-form" names two policies from 2026-01-01 on, other and small: a form type names one`) {
		t.Errorf("%v", err)
	}
}

// A dispute keeps the version under which it started.
func TestVersions(t *testing.T) {
	later := strings.Replace(strings.Replace(small, "version: 1", "version: 2", 1), "2026-01-01", "2026-06-01", 1)
	a, err := policy.Parse("a", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	b, err := policy.Parse("b", []byte(later))
	if err != nil {
		t.Fatal(err)
	}
	set := policy.Set{a, b}
	for on, want := range map[string]*policy.Policy{"2025-12-31": nil, "2026-01-01": a, "2026-05-31": a, "2026-06-01": b} {
		day, _ := workday.ParseDate(on)
		if got := set.For("small-form", day); got != want {
			t.Errorf("on %s: %v", on, got)
		}
	}
}

// Two versions stand side by side in one folder, each in force by date; two of one date are a fault, and an overlay may
// be for one of them.
func TestVersionsInAFolder(t *testing.T) {
	later := strings.Replace(strings.Replace(small, "version: 1", "version: 2", 1), "2026-01-01", "2026-06-01", 1)
	fsys := fstest.MapFS{"small/policy.yaml": {Data: []byte(small)}, "small/policy-2.yaml": {Data: []byte(later)}}
	over := strict.Overlay{Name: "o.yaml", Src: []byte("overlay: small\nversion: 2\nchanges:\n  - {set: title, to: Ours, because: ours}\n")}
	set, err := policy.Load(fsys, over)
	if err != nil {
		t.Fatal(err)
	}
	may, june := workday.NewDate(2026, time.May, 31), workday.NewDate(2026, time.June, 1)
	if a, b := set.For("small-form", may), set.For("small-form", june); a.Version != 1 || b.Version != 2 || a.Title == "Ours" ||
		b.Title != "Ours" {
		t.Errorf("%d %q, %d %q", a.Version, a.Title, b.Version, b.Title)
	}
	kept := set.WithKept(&policy.Policy{Digest: "old", Forms: []string{"small-form"}, Effective: june})
	if kept.For("small-form", june).Digest == "old" || kept.ByDigest("old") == nil {
		t.Error("a policy that was only kept starts new disputes")
	}
	fsys["small/policy-3.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(later, "version: 2", "version: 3", 1))}
	if _, err := policy.Load(fsys); err == nil ||
		!strings.Contains(err.Error(), `form type "small-form" names two policies from 2026-06-01 on, small and small: a form type names one`) {
		t.Errorf("%v", err)
	}
}

// Without leaves the original alone, takes every rule of the clause and nothing else.
func TestWithout(t *testing.T) {
	set, err := policy.Load(policies.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range set {
		for _, clause := range p.Cited() {
			less := p.Without(clause)
			if again := less.Without(clause); len(again.Stages) != len(less.Stages) || p.Digest != less.Digest {
				t.Errorf("%s without %s", p.ID, clause)
			}
		}
		if less := p.Without("nothing"); len(less.Stages) != len(p.Stages) || less.Show() != p.Show() || len(less.Raisers) != len(p.Raisers) ||
			len(less.Forms) != len(p.Forms) || len(less.Owner) != len(p.Owner) {
			t.Error("a clause that is not there takes something away")
		}
	}
}

func FuzzOverlay(f *testing.F) {
	f.Add([]byte("overlay: small\nchanges:\n  - {set: stages.first.title, to: x, because: y}\n  - {add: raisers, to: manager, because: y}\n" +
		"  - {remove: ends.S2, because: y}\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		p, err := policy.Parse("f", []byte(small), strict.Overlay{Name: "o", Src: src})
		if err == nil && (len(p.Owner) == 0 || len(p.Clauses) < 2) {
			t.Error("an overlay took away what a policy must have")
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	src, err := fs.ReadFile(policies.FS, "cp-chair/policy.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(src)
	f.Fuzz(func(t *testing.T, src []byte) {
		if p, err := policy.Parse("f", src); err == nil && (len(p.Owner) == 0 || len(p.Stages) == 0) {
			t.Error("taken without an owner or a stage")
		}
	})
}

// A dispute that started under a version finds that very version again, and nothing under a digest that nobody knows.
func TestByDigest(t *testing.T) {
	set := policy.Set{{ID: "one", Digest: "d1"}, {ID: "two", Digest: "d2"}}
	for _, p := range set {
		if found := set.ByDigest(p.Digest); found != p {
			t.Errorf("%s: found %+v", p.Digest, found)
		}
	}
	if found := set.ByDigest("d3"); found != nil {
		t.Errorf("a digest that nobody knows: %+v", found)
	}
}

// A stage at which a concern starts that came before is reached by that alone, though no exit leads to it.
func TestReachedByRecurrence(t *testing.T) {
	lonely := "  - {id: lonely, title: Lonely, holder: [manager], alert: {by: drpd, to: [{clause: S1, role: manager}]}, limit: a, " +
		"clocks: [{clause: S1, id: a, from: raised, until: ended, amount: none stated, severity: target}], " +
		"on_expiry: [{clause: S1, when: no-answer, do: prompt}]}\n"
	for rule, reached := range map[string]bool{"": false, "recurrence: {clause: S1, bars: first, start: lonely}\n": true,
		"recurrence: {clause: S1, bars: lonely, start: first}\n": false} {
		_, err := policy.Parse("s.yaml", []byte(strings.Replace(small, "ends: [", lonely+rule+"ends: [", 1)))
		if got := err == nil || !strings.Contains(err.Error(), "cannot be reached"); got != reached {
			t.Errorf("%q: reached is %v: %v", rule, got, err)
		}
	}
}

// Of a stage that has no exit at all one fault says so, and no other asks for each exit by itself.
func TestNoExitIsOneFault(t *testing.T) {
	_, err := policy.Parse("s.yaml", []byte(strings.Replace(small, "    on_expiry: [{clause: S1, when: no-answer, do: prompt}]\n", "", 1)))
	if err == nil || !strings.Contains(err.Error(), "has no exit") || strings.Contains(err.Error(), "does not say what happens") {
		t.Errorf("%v", err)
	}
}
