package policy_test

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/strict"
	"drpd/core/workday"
	"drpd/policies"
)

// of parses the small policy with some of its text replaced.
func of(t *testing.T, replace ...string) *policy.Policy {
	t.Helper()
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(small, replace[i]) {
			t.Fatalf("the sample does not hold %q", replace[i])
		}
	}
	p, err := policy.Parse("s.yaml", []byte(strings.NewReplacer(replace...).Replace(small)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// second puts a stage behind the first one, which the manager's manager owns and ends.
var second = []string{"roles: {", "roles: {head: head of service, ", "do: prompt}]\nends:", `do: prompt, to: second}]
    moves: [{clause: S1, on: meeting-requested, by: [manager], to: third}]
  - id: second
    title: Second
    holder: [manager]
    owner: [head, raiser]
    alert: {by: drpd, to: [{clause: S1, role: head}], cc: [{clause: S1, role: manager}], attach: [{clause: S1, what: record}]}
    limit: answer
    clocks: [{clause: S1, id: answer, from: entered, until: ended, amount: 5 working days, severity: target}]
    on_expiry: [{clause: S1, when: no-answer, do: prompt, to: third, or: [first]}]
    ends: [{clause: S2, fact: withdrawn, by: [head]}]
  - id: third
    title: Third
    holder: [head]
    opens: {clause: S1, stage: fourth}
  - id: fourth
    title: Fourth
    holder: [head]
    alert: {by: owner, to: [{clause: S1, role: head}], attach: [{clause: S1, what: record}, {clause: S1, what: form}]}
    limit: answer
    clocks: [{clause: S1, id: answer, from: entered, until: ended, amount: 5 working days, severity: maximum}]
    on_expiry: [{clause: S1, when: no-answer, do: prompt}]
ends:`}

// Who owns a stage, what ends it and where it leads: the stage's own word goes before the policy's.
func TestWhatAStageSays(t *testing.T) {
	p := of(t, second...)
	for _, tt := range []struct {
		stage, owners, ends, next string
		leads                     []string
	}{
		{"first", "[raiser]", "resolved", "second", []string{"second", "third"}},
		{"second", "[head raiser]", "withdrawn", "third", []string{"third", "first"}},
		{"third", "[raiser]", "resolved", "fourth", []string{"fourth"}},
		{"fourth", "[raiser]", "resolved", "", nil},
	} {
		s := p.Stage(tt.stage)
		if got := fmt.Sprint(p.Owners(tt.stage)); got != tt.owners {
			t.Errorf("%s is owned by %s", tt.stage, got)
		}
		if ends := p.EndsAt(s); len(ends) != 1 || string(ends[0].Fact) != tt.ends {
			t.Errorf("%s is ended by %v", tt.stage, ends)
		}
		if s.Next() != tt.next {
			t.Errorf("after %s comes %q", tt.stage, s.Next())
		}
		for _, to := range p.Stages {
			if got := s.Leads(to.ID); got != slices.Contains(tt.leads, to.ID) {
				t.Errorf("%s leads to %s is %v", tt.stage, to.ID, got)
			}
		}
	}
	if got := fmt.Sprint(p.OwnersOfAny()); got != "[raiser head]" {
		t.Errorf("somewhere it is owned by %s", got)
	}
	if s := p.Stage("first"); !s.MovesOn(drp.MeetingRequested) || s.MovesOn(drp.MeetingHeld) ||
		p.Stage("second").MovesOn(drp.MeetingRequested) {
		t.Error("a request for a meeting sends it on from the first stage, and from no other")
	}
	if p.Stage("fifth") != nil || p.Order("fifth") != -1 || p.Order("second") != 1 || p.Owners("fifth")[0] != "raiser" {
		t.Error("a stage that is none has a place")
	}
	for stage, carries := range map[string]bool{"first": false, "second": false, "fourth": true} {
		if got := p.Stage(stage).Alert.CarriesForm(); got != carries {
			t.Errorf("the form goes along with the alert of %s is %v", stage, got)
		}
	}
	if got := fmt.Sprint(p.Stage("second").Alert.Roles(), p.Stage("third").Alert.Roles()); got != "[head manager] []" {
		t.Errorf("told are %s", got)
	}
	if p.RoleTitle("head") != "head of service" || p.RoleTitle("nobody") != "nobody" {
		t.Errorf("%q, %q", p.RoleTitle("head"), p.RoleTitle("nobody"))
	}
}

// A copy goes from its first stage on, and until its last where it has one.
func TestCopied(t *testing.T) {
	p := of(t, second...)
	for until, want := range map[string]string{"": "second third fourth", "second": "second", "third": "second third"} {
		var got []string
		for _, s := range p.Stages {
			if p.Copied(policy.Copy{From: "second", Until: until}, s.ID) {
				got = append(got, s.ID)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("until %q: copied at %v", until, got)
		}
	}
}

// A referral is decided by an owner's yes or no, and by nobody else's and nothing else.
func TestWhoDecidesOnAReferral(t *testing.T) {
	p := of(t, second...)
	for _, tt := range []struct {
		kind drp.FactKind
		by   string
		want bool
	}{{drp.ReferralConfirmed, "raiser", true}, {drp.ReferralDeclined, "raiser", true}, {drp.ReferralDeclined, "head", true},
		{drp.ReferralConfirmed, "manager", false}, {drp.ReferralDeclined, "manager", false}, {drp.ReferralAgreed, "raiser", false},
		{drp.Resolved, "raiser", false}} {
		if got := p.Refers(drp.Fact{Kind: tt.kind, ByRoles: []string{tt.by}}); got != tt.want {
			t.Errorf("%s by the %s decides is %v", tt.kind, tt.by, got)
		}
	}
	for to, want := range map[string]string{"head": "head", "": policy.CAFCASS} {
		p.Referral = &policy.Referral{To: to}
		if got := p.ReferredTo(); got != want {
			t.Errorf("it goes to %q, want %q", got, want)
		}
	}
	if p.Referral = nil; p.ReferredTo() != policy.CAFCASS {
		t.Error("without a rule it goes to somebody")
	}
}

// A dispute begins with its raising, or with the event that raises one; each side notes it where two are to say that they raised it.
func TestHowADisputeBegins(t *testing.T) {
	for name, tt := range map[string]struct {
		change   func(*policy.Policy)
		facts    int
		eachSide bool
	}{
		"somebody raises it": {func(*policy.Policy) {}, 1, false},
		"or an event does":   {func(p *policy.Policy) { p.Trigger = &policy.Trigger{Fact: drp.PlanChanged} }, 2, false},
		"each side notes it": {func(p *policy.Policy) {
			p.FollowUps = []policy.FollowUp{{Expect: drp.Raised, By: []string{"raiser", "manager"}}, {Expect: drp.Resolved, By: []string{"raiser"}}}
		}, 1, true},
		"one side notes it": {func(p *policy.Policy) { p.FollowUps = []policy.FollowUp{{Expect: drp.Raised, By: []string{"raiser"}}} }, 1, false},
		"each side does something else": {func(p *policy.Policy) {
			p.FollowUps = []policy.FollowUp{{Expect: drp.LessonShared, By: []string{"raiser", "manager"}}}
		}, 1, false},
	} {
		p := of(t)
		tt.change(p)
		if b := p.Begins(); len(b.Facts) != tt.facts || b.Facts[0] != drp.Raised || b.EachSide != tt.eachSide || b.Code != "S" {
			t.Errorf("%s: %+v", name, b)
		}
	}
}

// A dispute is about a child unless the policy says otherwise; a role's stand-in is the one that its fallback names; an agenda is that of
// its stages, or of all.
func TestSmallWords(t *testing.T) {
	p := of(t)
	if !p.NeedsChild() || len(p.StandIns()) > 0 || p.AgendaFor("first") != nil {
		t.Errorf("%v %v", p.NeedsChild(), p.StandIns())
	}
	p.About = &policy.About{Of: policy.AboutTheme}
	p.Fallbacks = []policy.Fallback{{Role: "manager", By: "head"}, {Role: "raiser", By: "manager"}}
	p.Agenda = []policy.Agenda{{Stages: []string{"second"}, Items: []string{"a"}}, {Items: []string{"b"}}}
	if p.NeedsChild() || !reflect.DeepEqual(p.StandIns(), map[string]string{"manager": "head", "raiser": "manager"}) ||
		p.AgendaFor("second").Items[0] != "a" || p.AgendaFor("first").Items[0] != "b" {
		t.Errorf("%v %v %v", p.NeedsChild(), p.StandIns(), p.AgendaFor("second"))
	}
}

// A policy that is past its own review, or that the authority has changed, says so; on the day of the review it is not past it.
func TestWarnings(t *testing.T) {
	p := of(t, "ask_again:", "review_by: {clause: S2, on: 2026-09-30}\nask_again:")
	p.Local = []string{"title"}
	day := workday.NewDate(2026, time.September, 30)
	if got := p.Warnings(day); len(got) != 1 || got[0] != "changed by the authority: title" {
		t.Errorf("on the day: %q", got)
	}
	if got := p.Warnings(day + 1); len(got) != 2 || got[0] != "S2: the procedure was to be reviewed by 2026-09-30; it stays in force" {
		t.Errorf("the day after: %q", got)
	}
}

// Of the versions of a policy a dispute keeps the one under which it started; where nothing says that it does, today's counts.
func TestVersionOfADispute(t *testing.T) {
	on := func(month time.Month) workday.Date { return workday.NewDate(2026, month, 1) }
	for keeps, want := range map[bool]int{true: 1, false: 2} {
		set := policy.Set{{Version: 1, Forms: []string{"f"}, Effective: on(1)}, {Version: 2, Forms: []string{"f"}, Effective: on(6)}}
		if keeps {
			set[0].InForce = &policy.InForce{}
		}
		if got := set.ForDispute("f", on(3), on(9)); got.Version != want {
			t.Errorf("it keeps its version is %v: version %d", keeps, got.Version)
		}
		if set.ForDispute("other", on(3), on(9)) != nil {
			t.Error("another form has a policy")
		}
	}
}

// Policies are chosen by the form types of the configuration; one that no policy is for is a fault, with the nearest name.
func TestUsing(t *testing.T) {
	set := policy.Set{{ID: "a", Version: 1, Forms: []string{"form-a"}}, {ID: "a", Version: 2, Forms: []string{"form-a", "form-b"}},
		{ID: "c", Forms: []string{"form-c"}}}
	for _, tt := range []struct {
		forms []string
		want  int
		err   string
	}{{[]string{"form-a"}, 2, ""}, {[]string{"form-b"}, 1, ""}, {[]string{"form-c", "form-b"}, 2, ""}, {nil, 0, ""},
		{[]string{"form-cc"}, 0, `no policy is for the form type "form-cc" (form-c?)`}} {
		got, err := set.Using(tt.forms)
		if len(got) != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%v: %d, %v", tt.forms, len(got), err)
		}
	}
}

// All faults of all files come together; a policy has the name of its folder.
func TestFaultsOfAFolder(t *testing.T) {
	fsys := fstest.MapFS{"small/policy.yaml": {Data: []byte(small)},
		"bad/policy.yaml":   {Data: []byte(strings.Replace(small, "version: 1", "version: first", 1))},
		"worse/policy.yaml": {Data: []byte(strings.NewReplacer("small-form", "other-form").Replace(small))}}
	_, err := policy.Load(fsys)
	for _, want := range []string{`bad/policy.yaml:5:10: "first": a number is wanted here`,
		`worse/policy.yaml:1:9: the policy is called "small" but its folder "worse": give both one name`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
	if err != nil && strings.Contains(err.Error(), `"small/`) {
		t.Errorf("the one without a fault is named: %v", err)
	}
}

// A version's own overlay changes nothing of another version, and one without a version changes each.
func TestOverlaysOfAVersion(t *testing.T) {
	later := strings.NewReplacer("version: 1", "version: 2", "2026-01-01", "2026-06-01").Replace(small)
	fsys := fstest.MapFS{"small/policy.yaml": {Data: []byte(small)}, "small/policy-2.yaml": {Data: []byte(later)}}
	for head, want := range map[string][2]bool{"": {true, true}, "version: 1\n": {true, false}, "version: 2\n": {false, true}} {
		set, err := policy.Load(fsys, strict.Overlay{Name: "o.yaml",
			Src: []byte("overlay: small\n" + head + "changes:\n  - {set: title, to: Ours, because: ours}\n")})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range set {
			if got := p.Title == "Ours"; got != want[p.Version-1] {
				t.Errorf("%q: version %d is changed is %v", head, p.Version, got)
			}
		}
	}
}

// cited counts the rules under a value by their clause.
func cited(v reflect.Value, count map[string]int) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			cited(v.Elem(), count)
		}
	case reflect.Slice:
		for i := range v.Len() {
			cited(v.Index(i), count)
		}
	case reflect.Struct:
		if c, ok := v.Interface().(policy.Cite); ok {
			count[c.Clause]++
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				cited(v.Field(i), count)
			}
		}
	}
}

// Without a clause no rule is left that rests on it, the policy itself stays whole, and its clauses are listed in the order in which
// people number them.
func TestWithoutEachClause(t *testing.T) {
	set, err := policy.Load(policies.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range set {
		whole := map[string]int{}
		cited(reflect.ValueOf(p), whole)
		for _, clause := range p.Cited() {
			left, again := map[string]int{}, map[string]int{}
			cited(reflect.ValueOf(p.Without(clause)), left)
			cited(reflect.ValueOf(p), again)
			if whole[clause] == 0 || left[clause] > 0 || !reflect.DeepEqual(whole, again) {
				t.Errorf("%s without %s: %d of its rules are left of %d", p.ID, clause, left[clause], whole[clause])
			}
		}
		nothing := map[string]int{}
		if cited(reflect.ValueOf(p.Without("X99")), nothing); !reflect.DeepEqual(whole, nothing) {
			t.Errorf("%s without a clause that it has not: %v, want %v", p.ID, nothing, whole)
		}
	}
	p := policy.Policy{Clauses: map[string]string{"H10": "", "H2": "", "A11": "", "H1": "", "A2": "", "B1": "", "H2a": ""}}
	if got := fmt.Sprint(p.Cited()); got != "[A2 A11 B1 H1 H2 H10 H2a]" {
		t.Errorf("in the order of their numbers: %s", got)
	}
}

// Each way to write a length of time, and its days. Two are compared by how long they last, not by their numbers.
func TestAmounts(t *testing.T) {
	for _, tt := range []struct {
		text      string
		n         int
		unit      workday.Unit
		none, set bool
		before    bool
	}{
		{"5 working days", 5, workday.WorkingDays, false, false, false}, {"1 working day", 1, workday.WorkingDays, false, false, false},
		{"28 calendar days", 28, workday.CalendarDays, false, false, false}, {"4 weeks", 28, workday.CalendarDays, false, false, false},
		{"one working week", 5, workday.WorkingDays, false, false, false}, {"2 working weeks", 10, workday.WorkingDays, false, false, false},
		{"48 hours as 2 working days", 2, workday.WorkingDays, false, false, false}, {"immediately", 0, workday.WorkingDays, false, false, false},
		{"that day", 0, workday.CalendarDays, false, false, false}, {"none stated", 0, "", true, false, false},
		{"set for the case", 0, "", false, true, false}, {"3 working days before", 3, workday.WorkingDays, false, false, true},
	} {
		var a policy.Amount
		if err := a.UnmarshalText([]byte(" " + tt.text + " ")); err != nil || a.N != tt.n || a.Unit != tt.unit || a.None != tt.none ||
			a.Set != tt.set || a.Before != tt.before || a.String() != tt.text || a.IsZero() {
			t.Errorf("%q: %+v, %v", tt.text, a, err)
		}
	}
	for _, text := range []string{"0 working days", "-1 weeks", "5 working days before before", "48 hours as soon", "x before", "",
		"as 2 weeks"} {
		var a policy.Amount
		if err := a.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is read as %+v", text, a)
		}
	}
	const chase, again = "amount: none stated, chase: ", "ask_again: "
	for _, tt := range []struct {
		chase, again string
		longer       bool
	}{{"5 working days", "7 calendar days", false}, {"7 calendar days", "5 working days", false}, {"6 working days", "1 week", true},
		{"8 calendar days", "5 working days", true}, {"1 working day", "1 calendar day", true}, {"1 calendar day", "1 working day", false}} {
		_, err := policy.Parse("s.yaml", []byte(strings.NewReplacer("amount: 5 working days, sev", chase+tt.chase+", sev",
			"ask_again: 5 working days", again+tt.again).Replace(small)))
		if (err != nil) != tt.longer {
			t.Errorf("%s is longer than %s: %v", tt.chase, tt.again, err)
		}
	}
}

// Each fault of a policy is found that the other tables do not hold.
func TestFaultsOfRules(t *testing.T) {
	for _, tt := range []struct{ replace, with, want string }{
		{"title: First\n", "title: \"\"\n", `stage "first": id, title and holder must be given`},
		{"holder: [manager]", "holder: []", `stage "first": id, title and holder must be given`},
		{"    limit:", "    answer: {clause: S1, by: [manager], any_reply: true}\n    limit:",
			`s.yaml:19:13: stage "first": that any written reply counts as an answer is a reading: give it in words (answer.reading)`},
		{"to: [{clause: S1, role: manager}]", "to: []", `s.yaml:18:12: stage "first" alerts nobody: give alert.to`},
		{"to: [{clause: S1, role: manager}]", "to: [{clause: S1, role: manager}], attach: [{clause: S1, what: photograph}]",
			`"photograph" is not one of: form, stage-form, record`},
		{"amount: 5 working days, sev", "sev", `clock "answer" has no amount: write "5 working days", or "none stated"`},
		{"until: ended, amount: 5", "amount: 5", `clock "answer" has no end: write until: ended, answered, or a fact`},
		{"until: ended, amount: 5", "until: endd, amount: 5", `no such end of a clock "endd" (ended?)`},
		{"from: entered, ", "", `clock "answer" has no start: write from: raised, entered, previous, answered, or a fact`},
		{"id: first\n", "id: first\n    title: First\n    holder: [manager]\n    opens: {clause: S1, stage: first}\n  - id: first\n",
			`stage "first" is given twice`},
		{"duty:", "notify: [{clause: S1, to: [manager], says: x}]\nduty:", `say when: on: a fact or entered, or if:`},
		{"duty:", "notify: [{clause: S1, on: entred, to: [manager], says: x}]\nduty:", `no such fact "entred" (entered?)`},
		{"ends: [", "referral: {clause: S2, after: first}\nends: [", `referral: say when the owner is asked what came of it: check:`},
		{"ends: [", "referral: {clause: S2, after: first, on: resolved}\nends: [",
			`write after: with a stage, or on: with a fact, one of the two`},
		{"ends: [", "referral: {clause: S2, after: first, check: {clause: S2, every: set for the case}}\nends: [",
			`"set for the case" cannot be counted here`},
		{"ends: [", "obstacle: {clause: S2, do: wait}\nends: [", `"wait" is not one of: escalate, prompt`},
		{"version: started", "version: newest", `"newest" is not one of: started`},
		{"duty: raiser", "duty: raisr", `no such role "raisr" (raiser?)`},
		{"raisers: [raiser]", "raisers: [raiser, raisr]", `s.yaml:10:19: no such role "raisr" (raiser?)`},
		{"version: 1", "version: 0", `"version" is missing`},
		{"do: prompt}]", "do: prompt, fact: resolved}]", `do: take-effect and fact: go together`},
		{"do: prompt}]", "do: prompt, to: secnd}]", `no such stage "secnd"`},
		{"ends: [", "copies: [{clause: S1, from: frst, role: manager}]\nends: [", `no such stage "frst" (first?)`},
		{"ends: [", "form_copies: [{clause: S1, on: resolvd, says: x}]\nends: [", `no such fact "resolvd" (resolved?)`},
		{"    limit:", "    moves: [{clause: S1, on: resolvd, by: [manager], to: first}]\n    limit:", `no such fact "resolvd" (resolved?)`},
		{"    limit:", "    consult: [{clause: S1, with: [managr]}]\n    limit:", `no such role "managr" (manager?)`},
		{"    limit:", "    needs: [{clause: S1, one_of: [discused], says: x}]\n    limit:", `no such fact "discused" (discussed?)`},
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

// What is shown says each kind of start, limit and exit in words that a reader of the procedure knows.
func TestShownInWords(t *testing.T) {
	exit := func(more string) []string { return []string{"when: no-answer, do: prompt}", more} }
	clock := func(with string) []string {
		return []string{"from: entered, until: ended, amount: 5 working days", with}
	}
	for _, tt := range []struct {
		replace []string
		want    string
	}{
		{nil, "| First | manager | - | 5 working days of entering the stage (S1) | no answer: the raiser decides (S1) |"},
		{[]string{"ask_again:", "trigger: {clause: S1, fact: conference-held}\nask_again:"},
			"It is also raised by an event: conference held (S1)."},
		{[]string{"ask_again:", "start: [{clause: S1, if: {field: risk, is: [high, urgent]}, at: first}]\nask_again:"},
			`It starts at First where "risk" is high or urgent (S1).`},
		{[]string{"ask_again:", "start: [{clause: S1, if: {not: true, field: risk}, at: first}]\nask_again:"},
			`It starts at First where it is not so that "risk" is given (S1).`},
		{[]string{"ask_again:",
			"start: [{clause: S1, if: {ground: [a, b], raised_by: [raiser, manager], fact: meeting-held}, at: first}]\nask_again:"},
			"where it is about a or b and it was raised by the raiser or the manager and meeting held has happened (S1)."},
		{[]string{"ask_again:", "scope: {clause: S1, grounds: [a, b]}\nask_again:"}, "Grounds: a, b (S1)."},
		{[]string{"ask_again:", "scope: {clause: S1, grounds: [a, b], other: text}\nask_again:"},
			"Grounds: a, b, or another that is written out (S1)."},
		{clock("field: review, until: ended, amount: that day"), "the date on the form: review (S1)"},
		{clock("field: next-review, until: ended, amount: 3 working days before"),
			"3 working days before the date on the form: next review (S1)"},
		{clock("field: review, until: ended, amount: 3 working days"), "3 working days of the date on the form: review (S1)"},
		{clock("from: raised, until: ended, amount: 1 week"), "1 week of being raised (S1)"},
		{clock("from: previous, until: ended, amount: 1 week"), "1 week of the stage before (the earlier of its end and its limit) (S1)"},
		{clock("from: answered, until: ended, amount: 1 week"), "1 week of the whole answer (S1)"},
		{clock("from: answered, waits: true, until: ended, amount: 1 week"), "1 week of the whole answer, once that has come (S1)"},
		{clock("from: meeting-held, waits: true, until: ended, amount: 1 week"), "1 week of the meeting, once that has come (S1)"},
		{clock("from: minutes-uploaded, until: ended, amount: 1 week"), "1 week of minutes uploaded (S1)"},
		{clock("from: entered, until: ended, amount: none stated, chase: 1 week"), "none stated, asked about after 1 week (S1)"},
		{clock("from: entered, until: ended, amount: set for the case, chase: 1 week"), "set for the case, asked about after 1 week (S1)"},
		{clock("from: entered, until: ended, amount: 1 week, amounts: [{clause: S1, if: {field: x}, amount: 2 weeks}]"),
			`1 week of entering the stage; 2 weeks where "x" is given (S1)`},
		{[]string{"severity: maximum", "severity: target"}, "5 working days of entering the stage, target (S1)"},
		{exit("when: no-answer, do: take-effect, fact: determined}"), "no answer: determined takes effect unless contested in time (S1)"},
		{exit("when: no-answer, do: prompt, ask: [manager]}"), "no answer: the manager decides (S1)"},
		{exit("when: no-answer, do: prompt, ask: [raiser, manager]}"), "no answer: the raiser and manager decide (S1)"},
		{exit("when: no-answer, do: prompt}, {clause: S1, when: rejected, do: prompt}"), "no answer or rejected: the raiser decides (S1)"},
		{exit("when: rejected, if: {field: x}, do: prompt}, {clause: S1, when: no-answer, do: prompt}"),
			`rejected and "x" is given: the raiser decides (S1); no answer: the raiser decides (S1)`},
		{[]string{"ends: [", "record: {authorise: {clause: S2, by: raiser, from: first}, returns: {clause: S1, to: raiser}}\nends: ["},
			"- The record is authorised by the raiser alone, once it ended or from First on (S2)."},
		{[]string{"fact: resolved, by: [raiser]", "fact: resolved, by: [raiser, manager], all: true"},
			"the raiser and the manager: resolved (S2)"},
		{[]string{"fact: resolved, by: [raiser]", "fact: resolved, by: [raiser, manager]"}, "the raiser or the manager: resolved (S2)"},
		{[]string{"fact: resolved, by: [raiser]", "fact: plan-changed"}, "whoever says plan changed (S2)"},
		{[]string{"ends: [", "agenda: [{clause: S1, stages: [first], items: [a]}]\nends: ["}, "First"},
		{[]string{"ends: [", "referral: {clause: S2, after: first, check: {clause: S2, every: 4 weeks}}\nends: ["},
			"- CAFCASS: the owner is asked to confirm a referral, unresolved after First (S2)."},
		{[]string{"ends: [", "referral: {clause: S2, on: referral-agreed, check: {clause: S2, every: 4 weeks}}\nends: ["},
			"- CAFCASS: the owner is asked to confirm a referral, once referral agreed is recorded (S2)."},
		{[]string{"ends: [", "follow_ups: [{clause: S2, after: entered, expect: minutes-uploaded, by: [manager], within: 1 week, says: x}]\nends: ["},
			"by the manager"},
		{[]string{"ends: [", "follow_ups: [{clause: S2, after: entered, expect: minutes-uploaded, within: 1 week, says: x}]\nends: ["},
			"the owner is reminded"},
		{nil, "- CAFCASS: no referral under this procedure."},
		{[]string{"ask_again:", "more_time: {clause: S2, by: [raiser, manager]}\nask_again:"},
			"- A stage may be given more time by the raiser and manager (S2)."},
		{[]string{"ask_again:",
			"caps: [{clause: S2, id: whole-time, from: raised, until: ended, amount: 8 weeks, severity: maximum}]\nask_again:",
			"severity: maximum}]", "severity: maximum, not_after: whole-time}]"},
			"5 working days of entering the stage; never later than whole time (S1)"},
		{second, "- Sent on to Third by: meeting requested (S1)."},
		{second, "no answer: the head of service and raiser decide, next Third or First (S1); ended by the head of service: withdrawn (S2)"},
		{second, "| Third | head of service | - | no limit | opens Fourth on the same day (S1) |"},
	} {
		if shown := of(t, tt.replace...).Show(); !strings.Contains(shown, tt.want) {
			t.Errorf("%q:\n%s\nwant %s", tt.replace, shown, tt.want)
		}
	}
}

// By when a stage ends is said in words with its clause and without its reading, and "" where the procedure states no limit.
func TestLimitOf(t *testing.T) {
	for with, want := range map[string]string{"amount: 5 working days": "5 working days of entering the stage",
		"amount: 5 working days, reading: as a week": "5 working days of entering the stage (S1)",
		"amount: none stated, chase: 1 week":         "",
		"amount: set for the case, chase: 1 week":    "set for the case, asked about after 1 week"} {
		p := of(t, "amount: 5 working days", with)
		if got := p.LimitOf(p.Stage("first")); !strings.HasPrefix(got, want) || (got == "") != (want == "") ||
			strings.Contains(got, "as a week") {
			t.Errorf("%s: %q", with, got)
		}
	}
	p := of(t, "limit: answer", "limit: none\n    silent: because they meet every month")
	if got := p.LimitOf(p.Stage("first")); got != "" {
		t.Errorf("without a limit: %q", got)
	}
}

// Each kind of difference between two versions is told, once, with what was and what is; no difference is told of one and the same.
func TestEachDifference(t *testing.T) {
	for _, tt := range []struct {
		replace []string
		want    []string
	}{
		{nil, nil},
		{[]string{"version: 1", "version: 2"}, []string{"version: was 1, is 2"}},
		{[]string{"ask_again:", "more_time: {clause: S2, by: [raiser]}\nask_again:"},
			[]string{"more_time is new: clause: S2, by: [raiser]"}},
		{[]string{"S1: the manager answers", "S1: the manager replies"}, []string{"clauses S1: was the manager answers, is the manager replies"}},
		{[]string{"roles: {", "roles: {head: head of service, "}, []string{"roles head is new: head of service"}},
		{[]string{"severity: maximum", "severity: target"}, []string{"stages first clocks answer severity: was maximum, is target"}},
		{[]string{"ask_again: 5 working days", "ask_again: 4 working days"}, []string{"ask_again: was 5 working days, is 4 working days"}},
		{[]string{"{clause: S1, role: manager}", "{clause: S1, role: manager}, {clause: S1, role: raiser}"},
			[]string{"stages first alert to raiser S1 is new: clause: S1, role: raiser"}},
		{[]string{"do: prompt}]", "do: prompt, ask: [manager]}]"}, []string{"stages first on_expiry no-answer S1 ask: was [], is [manager]"}},
		{[]string{"do: prompt}]", "do: prompt, if: {field: x}}, {clause: S1, when: no-answer, do: prompt}]"},
			[]string{"stages first on_expiry no-answer S1 if is new: field: x", "stages first on_expiry no-answer S1' is new: clause: S1, " +
				"when: no-answer, do: prompt"}},
		{[]string{"do: prompt}]", "do: prompt}, {clause: S1, when: rejected, if: {field: x}, do: prompt}]"},
			[]string{"stages first on_expiry rejected S1 is new: clause: S1, when: rejected, if: field: x, do: prompt"}},
		{[]string{"to: [{clause: S1, role: manager}]", "to: [{clause: S1, role: manager}], says: come and talk"},
			[]string{"stages first alert says: was nothing, is come and talk"}},
		{[]string{"effective: 2026-01-01", "effective: 2026-02-01"}, []string{"effective: was 2026-01-01, is 2026-02-01"}},
	} {
		old, now := of(t), of(t, tt.replace...)
		if got := policy.Diff(old, now); !slices.Equal(got, tt.want) {
			t.Errorf("%q:\n got %q\nwant %q", tt.replace, got, tt.want)
		}
		back := policy.Diff(now, old)
		if len(back) != len(tt.want) {
			t.Errorf("%q, taken back: %q", tt.replace, back)
		}
		for _, line := range tt.want {
			if is, _, isNew := strings.Cut(line, " is new: "); isNew && !slices.ContainsFunc(back,
				func(l string) bool { return strings.HasPrefix(l, is+" is gone; it was: ") }) {
				t.Errorf("%q, taken back: %q", tt.replace, back)
			}
		}
	}
}

// The drawing holds each way from one stage to another: how it starts, what each exit and move is called, and what ends it.
func TestWaysThatAreDrawn(t *testing.T) {
	p := of(t, append(slices.Clone(second), "ask_again:", "start: [{clause: S1, if: {field: risk}, at: second}]\n"+
		"recurrence: {clause: S1, bars: first, start: fourth}\nask_again:")...)
	const want = `start -> first: raised
start -> second: 'risk' is given
start -> fourth: raised before
first -> second: no answer, asked
first -> third: meeting requested
first -> ended: resolved
second -> third: no answer, asked
second -> first: no answer, asked, or
second -> ended: withdrawn
third -> fourth: same day
fourth -> ended: resolved
`
	var dot, mermaid strings.Builder
	for _, m := range regexp.MustCompile(`"?([a-z]+)"? -> "?([a-z]+)"? \[label="(.*)"\]`).FindAllStringSubmatch(p.DOT(), -1) {
		fmt.Fprintf(&dot, "%s -> %s: %s\n", m[1], m[2], m[3])
	}
	for _, m := range regexp.MustCompile(`n_([a-z]+) -- "(.*)" --> n_([a-z]+)`).FindAllStringSubmatch(p.Mermaid(), -1) {
		fmt.Fprintf(&mermaid, "%s -> %s: %s\n", m[1], m[3], m[2])
	}
	if dot.String() != want || mermaid.String() != want {
		t.Errorf("Graphviz:\n%s\nMermaid:\n%s", dot.String(), mermaid.String())
	}
}

// Only a maximum is broken, or the procedure itself where it sets no limit.
func TestLateness(t *testing.T) {
	for force, want := range map[policy.Force]drp.Severity{policy.Maximum: drp.Breach, policy.Target: drp.Target, policy.Guidance: drp.Guidance} {
		if got := (&policy.Clock{Force: force}).Late(); got != want {
			t.Errorf("late against a %s is a %s, want %s", force, got, want)
		}
	}
	if got := (*policy.Clock)(nil).Late(); got != drp.Breach {
		t.Errorf("late where there is no clock is a %s", got)
	}
}
