package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"drpd/adapters/ledger"
	"drpd/core/strict"
	"drpd/core/workday"
	"drpd/testdata"
)

// drpd runs a command as its user does.
func drpd(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = realMain(&app{ctx: t.Context(), out: &o, err: &e, now: time.Now}, args)
	return code, o.String(), e.String()
}

var demo struct {
	sync.Once
	dir, out string
	code     int
}

func TestMain(m *testing.M) {
	switches()
	if len(os.Args) > 1 && os.Args[1] == readCommand { // drpd starts itself, and here that is the tests
		os.Exit(realMain(&app{ctx: context.Background(), out: os.Stdout, err: os.Stderr, now: time.Now}, os.Args[1:]))
	}
	code := m.Run()
	if demo.dir != "" {
		_ = os.RemoveAll(filepath.Dir(demo.dir))
	}
	os.Exit(code)
}

// theDemo runs the demo once for all tests and gives its folder.
func theDemo(t *testing.T) string {
	t.Helper()
	demo.Do(func() {
		base, err := os.MkdirTemp("", "drpd-test-")
		if err != nil {
			t.Fatal(err)
		}
		demo.dir = filepath.Join(base, "demo")
		demo.code, demo.out, _ = drpd(t, "demo", "--out", demo.dir)
	})
	if demo.code != 0 {
		t.Fatal("the demo failed: ", demo.out)
	}
	return demo.dir
}

func inDemo(t *testing.T, args ...string) string {
	t.Helper()
	code, out, errs := drpd(t, append([]string{"--config", filepath.Join(theDemo(t), "drpd.yaml")}, args...)...)
	if !well(code, errs, args) {
		t.Fatalf("%v: exit %d: %s%s", args, code, out, errs)
	}
	return out
}

// The dates of the demo's disputes, counted on paper from the clauses and the story, agree with explain.
func TestDatesByHand(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile("testdata/dates_by_hand.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var hand struct {
		Disputes []struct {
			Child  string       `yaml:"child"`
			Raised workday.Date `yaml:"raised"`
			Stages [][]string   `yaml:"stages"`
		} `yaml:"disputes"`
	}
	if err := strict.Load("dates_by_hand.yaml", src, &hand).Err(); err != nil {
		t.Fatal(err)
	}
	var all []ledger.Listed
	if err := json.Unmarshal([]byte(inDemo(t, "list", "--all", "--json")), &all); err != nil {
		t.Fatal(err)
	}
	if len(hand.Disputes) != 28 || len(all) < 60 {
		t.Errorf("%d disputes by hand, want 28; %d in the demo, want 60 or more", len(hand.Disputes), len(all))
	}
	for _, h := range hand.Disputes {
		i := slices.IndexFunc(all, func(d ledger.Listed) bool {
			return slices.Contains(d.Children, h.Child) && d.Summary.Raised == h.Raised
		})
		if i < 0 {
			t.Errorf("no dispute about %s raised on %s", h.Child, h.Raised)
			continue
		}
		var explained struct {
			Result struct {
				Standing struct {
					Visits []struct {
						Stage   string
						Entered workday.Date
						Limit   struct {
							None  bool
							Proof workday.Proof
						}
					}
				}
			} `json:"result"`
		}
		if err := json.Unmarshal([]byte(inDemo(t, "explain", all[i].Ref, "--json")), &explained); err != nil {
			t.Fatal(err)
		}
		var got [][]string
		for _, v := range explained.Result.Standing.Visits {
			due := "none"
			if !v.Limit.None {
				due = v.Limit.Proof.Due.String()
			}
			got = append(got, []string{v.Stage, v.Entered.String(), due})
		}
		if !slices.EqualFunc(got, h.Stages, slices.Equal) {
			t.Errorf("%s about %s: drpd says %v, by hand %v", all[i].Ref, h.Child, got, h.Stages)
		}
	}
}

// Between them the disputes of the demo were in every stage of W and C, and in some of each other procedure; the same
// story gives the same mail.
func TestDemo(t *testing.T) {
	t.Parallel()
	dir := theDemo(t)
	if !strings.Contains(demo.out, "between them they were in 23 stages") {
		t.Errorf("%s", demo.out)
	}
	again := filepath.Join(t.TempDir(), "again")
	if code, _, errs := drpd(t, "demo", "--out", again); code != 0 {
		t.Fatal(errs)
	}
	for _, sub := range []string{"mail/out", "mail/in", "documents", "drpd.log"} {
		if a, b := tree(t, filepath.Join(dir, sub)), tree(t, filepath.Join(again, sub)); !maps.Equal(a, b) {
			maps.DeleteFunc(a, func(name, text string) bool { return b[name] == text })
			maps.DeleteFunc(b, func(name, text string) bool { return tree(t, filepath.Join(dir, sub))[name] == text })
			t.Errorf("%s differs between two runs of one story: %q and %q", sub, a, b)
		}
	}
	mine := filepath.Join(t.TempDir(), "mine")
	if err := os.MkdirAll(mine, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(mine, "letter.txt"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, _ := drpd(t, "demo", "--out", mine); code != 1 {
		t.Error("the demo writes over somebody's folder")
	}
}

func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	out := make(map[string]string)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(root, path)
		out[rel] = keyed.ReplaceAllString(string(b), "$1")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// keyed is the tag in a Message-ID: each ledger has a secret of its own.
var keyed = regexp.MustCompile(`(<drpd\.\S+)\.[0-9a-f]{10}@`)

// No name of the whole story stands in a log, a subject, a file name, a case note, or what a command prints; no payload
// stands in clear in the ledger; every file is private.
func TestNoNameWhereNoneBelongs(t *testing.T) {
	t.Parallel()
	dir := theDemo(t)
	s, err := loadStory(testdata.FS)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, id := range sortedKeys(s.Workers) {
		names = append(names, s.Workers[id].Name, s.Workers[id].Address)
	}
	names = append(names, "No therapy since June", "Core groups missed")
	look := func(where, text string) {
		for _, name := range names {
			if strings.Contains(text, name) {
				t.Errorf("%s holds %q", where, name)
			}
		}
	}
	for name, text := range tree(t, dir) {
		look("the name of "+name, name)
		switch {
		case name == "drpd.log", strings.HasPrefix(name, "state.db"), strings.HasPrefix(name, "documents") && strings.HasSuffix(name, ".json"):
			look(name, text)
		case strings.HasPrefix(name, "mail/out"):
			_, subject, _ := strings.Cut(text, "\r\nSubject: ")
			subject, _, _ = strings.Cut(subject, "\r\n")
			look("the subject of "+name, subject)
			_, body, _ := strings.Cut(text, "\r\n\r\n")
			if !strings.Contains(text, "dispute-") { // the Director's alert carries the record
				look("the body of "+name, body)
			}
		}
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v (%v)", name, info.Mode(), err)
		}
	}
	for _, args := range [][]string{{"list", "--all"}, {"status"}, {"outbox", "list"}, {"outbox", "list", "--json"}, {"conflict", "list"},
		{"quarantine", "list"}, {"quarantine", "list", "--json"}} {
		look(strings.Join(args, " "), inDemo(t, args...))
	}
	var all []ledger.Listed
	if err := json.Unmarshal([]byte(inDemo(t, "list", "--all", "--json")), &all); err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		look("explain "+d.Ref, inDemo(t, "explain", d.Ref))
		look("explain --json "+d.Ref, inDemo(t, "explain", d.Ref, "--json"))
	}
	db, err := openRecords(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var notes []string
	if err := db.SelectContext(t.Context(), &notes, `SELECT NOTE_TEXT || ' ' || ENTERED_BY FROM CF_OBSERVATIONS`); err != nil {
		t.Fatal(err)
	}
	if len(notes) < 20 {
		t.Errorf("%d case notes", len(notes))
	}
	for _, n := range notes {
		look("a case note", n)
		if strings.Contains(n, "20405") || strings.Contains(n, "20406") {
			t.Errorf("a case note names a child, perhaps a sibling: %s", n)
		}
	}
}

func TestCalendarDue(t *testing.T) {
	_, out, _ := drpd(t, "calendar", "due", "2026-12-23", "4")
	first, rest, _ := strings.Cut(out, "\n")
	if first != "2026-12-31" || !strings.Contains(rest, "2026-12-25 Fri  not counted: Christmas Day\n") ||
		!strings.Contains(rest, "2026-12-28 Mon  not counted: Boxing Day (substitute day)\n") {
		t.Errorf("%s", out)
	}
	for _, args := range [][]string{{"calendar", "due", "23/12/2026", "4"}, {"calendar", "due", "2028-12-28", "9"},
		{"calendar", "due", "2026-12-23", "0"}, {"calendar", "show", "2031"}} {
		if code, _, errs := drpd(t, args...); code != 1 || !strings.HasPrefix(errs, "drpd: ") {
			t.Errorf("%v: exit %d: %s", args, code, errs)
		}
	}
}

func TestMisuse(t *testing.T) {
	for _, args := range [][]string{{"lits"}, {"calendar", "due"}, {"explain"}, {"--confg", "x", "list"}, {"fact", "add", "X", "raised"}} {
		if code, _, errs := drpd(t, args...); code != 2 || errs == "" {
			t.Errorf("%v: exit %d: %s", args, code, errs)
		}
	}
}

// Configuration, roster: every fault at its line, all at once, exit 78 for a service manager, and nothing is touched.
func TestBrokenConfiguration(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	bad := write("bad.yaml", "authority: X\nstate: {file: s.db}\nrecords: {name: a, engine: access, file: f, mapping: carefirst}\n"+
		"mailbox: {name: a, folder: in, addrss: x}\nsend_window: {from: 9, until: 8}\nmost_emails: {cycle: 0}\n")
	code, _, errs := drpd(t, "--config", bad, "run", "--once")
	for _, want := range []string{
		`bad.yaml:2:8: "state.key_file" is missing`, `bad.yaml:3:28: "access" is no engine (sqlite, postgres, mariadb, sqlserver, oracle)`,
		`bad.yaml:4:32: unknown key "addrss" (address?)`,
		`"go_live" is missing`, `bad.yaml:5:14: from 9 until 8 is no window`, `bad.yaml:6:22: 0 messages: give 1 or more`, `two sources are called "a"`,
	} {
		if !strings.Contains(errs, want) {
			t.Errorf("missing %q in\n%s", want, errs)
		}
	}
	if entries, _ := os.ReadDir(dir); code != 78 || len(entries) != 1 {
		t.Errorf("exit %d, and %d files", code, len(entries))
	}
	roster := write("roster.yaml", "holders:\n  - {role: directr, person: p, address: a@b.example}\n"+
		"  - {role: director, person: p, address: a@b.example, from: 2026-02-01, until: 2026-01-01}\n")
	src, err := fs.ReadFile(testdata.FS, "demo/drpd.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, _, errs = drpd(t, "--config", write("drpd.yaml", string(src)), "check")
	for _, want := range []string{roster + `:2:12: no such role "directr" (director?)`, `2026-01-01 lies before 2026-02-01`,
		`nobody can hold the role "chief-executive": add a holder`} {
		if !strings.Contains(errs, want) {
			t.Errorf("missing %q in\n%s", want, errs)
		}
	}
	if code, _, errs := drpd(t, "--config", filepath.Join(dir, "none.yaml"), "list"); code != 1 ||
		!strings.Contains(errs, "name another with --config") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// The console is a source: what a person says goes in as evidence, and the next cycle acts on it.
func TestConsole(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "d")
	setStage(t, dir)
	config := filepath.Join(dir, "drpd.yaml")
	now := at(workday.NewDate(2026, time.November, 19), 10)
	run := func(args ...string) string {
		t.Helper()
		var o, e bytes.Buffer
		if code := realMain(&app{ctx: t.Context(), out: &o, err: &e, now: func() time.Time { return now }},
			append([]string{"--config", config}, args...)); !well(code, e.String(), args) {
			t.Fatalf("%v: exit %d: %s%s", args, code, o.String(), e.String())
		}
		return o.String()
	}
	if out := run("check"); !strings.Contains(out, "all well") {
		t.Error(out)
	}
	if out := run("run", "--dry-run"); !strings.Contains(out, "would go") {
		t.Error(out)
	}
	if mails, _ := filepath.Glob(filepath.Join(dir, "mail/out/*")); len(mails) > 0 {
		t.Error("a dry run sent something")
	}
	run("pause")
	run("run", "--once")
	if mails, _ := filepath.Glob(filepath.Join(dir, "mail/out/*")); len(mails) > 0 {
		t.Error("paused, and something was sent")
	}
	if out := run("status"); !strings.Contains(out, "held by paused") {
		t.Error(out)
	}
	run("resume")
	run("run", "--once")
	mails, _ := filepath.Glob(filepath.Join(dir, "mail/out/*"))
	if len(mails) == 0 {
		t.Error("resumed, and nothing was sent")
	}
	var all []ledger.Listed
	if err := json.Unmarshal([]byte(run("list", "--json")), &all); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(d ledger.Listed) bool { return slices.Contains(d.Children, "20403") })
	ref := all[i].Ref
	minutes := filepath.Join(dir, "minutes.docx")
	if err := os.WriteFile(minutes, []byte("made-up minutes"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if out := run("fact", "add", ref, "minutes-uploaded", "--on", "2026-11-19", "--by", "iro", "--because", "they were agreed", "--attach",
			minutes); !strings.Contains(out, "the minutes are in the document store, on the file of 1 children") {
			t.Error(out)
		}
	}
	kept, err := filepath.Glob(filepath.Join(dir, "documents", "20403", ref+"_minutes-*"))
	if err != nil || len(kept) != 2 {
		t.Errorf("the minutes and what they are: %v", kept)
	}
	if out := run("fact", "add", ref, "responded", "--on", "2026-11-19", "--by", "team-manager", "--because", "telephone call",
		"--not"); !strings.Contains(out, `"responded: no" on 2026-11-19 is noted`) ||
		strings.Contains(out, "acts on it") {
		t.Error(out)
	}
	if out := run("fact", "add", ref, "resolved", "--on", "2026-11-19", "--by", "iro", "--because", "telephone call"); !strings.Contains(out,
		"noted as evidence") {
		t.Error(out)
	}
	now = now.Add(time.Hour)
	run("run", "--once")
	if out := run("explain", ref); !strings.Contains(out, "Ended on 2026-11-19: resolved.") {
		t.Error(out)
	}
	if out := run("explain", ref, "--as-of", "2026-11-18"); strings.Contains(out, "Ended") {
		t.Error("known before it was said")
	}
	if out := run("audit", "verify"); !strings.Contains(out, "the chain is whole") {
		t.Error(out)
	}
	for _, args := range [][]string{
		{"fact", "add", ref, "resolved", "--on", "2026-11-19", "--by", "iro", "--because", "x", "--attach", minutes},
		{"fact", "add", ref, "minutes-uploaded", "--on", "2026-11-19", "--by", "iro", "--because", "x", "--attach", "none.docx"},
		{"fact", "add", ref, "resolvd", "--on", "2026-11-19", "--by", "iro", "--because", "x"},
		{"fact", "add", ref, "resolved", "--on", "19/11", "--by", "iro", "--because", "x"},
		{"fact", "add", ref, "resolved", "--on", "2026-11-19", "--by", "boss", "--because", "x"}, {"explain", "X-ZZZZZZ"},
		{"conflict", "settle", ref, "nothing", "accept"}, {"quarantine", "accept", "nothing"}, {"outbox", "show", "nothing"},
	} {
		if code, _, errs := drpd(t, append([]string{"--config", config}, args...)...); code != 1 || errs == "" {
			t.Errorf("%v: exit %d: %s", args, code, errs)
		}
	}
}

// An overlay changes the text for new disputes; what is open keeps the one under which it started, until a person moves
// it: shown first, and then with one correction and nothing sent again.
func TestOverlayAndMigrate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "d")
	setStage(t, dir)
	config := filepath.Join(dir, "drpd.yaml")
	now := at(workday.NewDate(2026, time.November, 19), 10)
	run := func(want int, args ...string) string {
		t.Helper()
		var o, e bytes.Buffer
		if code := realMain(&app{ctx: t.Context(), out: &o, err: &e, now: func() time.Time { return now }},
			append([]string{"--config", config}, args...)); code != want {
			t.Fatalf("%v: exit %d: %s%s", args, code, o.String(), e.String())
		}
		return o.String() + e.String()
	}
	sent := func() int {
		mails, err := filepath.Glob(filepath.Join(dir, "mail/out/*"))
		if err != nil {
			t.Fatal(err)
		}
		return len(mails)
	}
	run(0, "run", "--once")
	var all []ledger.Listed
	if err := json.Unmarshal([]byte(run(0, "list", "--json")), &all); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(d ledger.Listed) bool { return slices.Contains(d.Children, "20403") })
	ref, before := all[i].Ref, sent()
	if out := run(0, "explain", ref); !strings.Contains(out, "due 2026-11-23") {
		t.Error(out)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	old, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	write("drpd.yaml", string(old)+"overlays: overlays\n")
	write("overlays/fairshire.yaml", "overlay: iro-carefirst\nauthority: Fairshire\nchanges:\n"+
		"  - {set: version, to: 2, because: changed in November}\n"+
		"  - {set: stages.stage-1.clocks.complete.amount, to: 10 working days, because: agreed with the IROs}\n")
	now = now.Add(time.Hour)
	run(0, "run", "--once")
	if out := run(0, "explain", ref); !strings.Contains(out, "due 2026-11-23") || !strings.Contains(out, "version 1") || sent() != before {
		t.Errorf("the overlay moved an open dispute, %d emails more: %s", sent()-before, out)
	}
	if out := run(0, "policy", "migrate", "--policy", "iro-carefirst", "--to", "2", ref); !strings.Contains(out,
		"the limit was 2026-11-23 and becomes 2026-11-30") || !strings.Contains(out, "nothing was changed") {
		t.Error(out)
	}
	run(0, "run", "--once")
	if out := run(0, "explain", ref); !strings.Contains(out, "version 1") {
		t.Error("shown, and done: ", out)
	}
	run(0, "policy", "migrate", "--policy", "iro-carefirst", "--to", "2", "--apply", ref)
	now = now.Add(time.Hour)
	run(0, "run", "--once")
	out := run(0, "explain", ref)
	if !strings.Contains(out, "due 2026-11-30") || !strings.Contains(out, "version 2") || strings.Count(out, "email correction") != 1 ||
		strings.Count(out, "email alert") != 1 {
		t.Error(out)
	}
	if n := sent() - before; n != 3 { // the correction: to the team manager, the social worker, and the IRO
		t.Errorf("%d emails more, want the correction to three people", n)
	}
	if out := run(1, "policy", "migrate", "--policy", "iro-carefirst", "--to", "9"); !strings.Contains(out, "no version 9") {
		t.Error(out)
	}
}

// reconfigure puts one text in the place of another in the configuration of a council, and gives its name.
func reconfigure(t testing.TB, dir, from, to string) string {
	t.Helper()
	name := filepath.Join(dir, "drpd.yaml")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(b), from, to, 1)
	if text == string(b) {
		t.Fatalf("the configuration holds no %q: make this test anew", from)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// setStage fills the demo council's record system and mailbox with the story's first weeks, all at once.
func setStage(t testing.TB, dir string) {
	t.Helper()
	stage := emptyStage(t, dir)
	defer func() { _ = stage.close() }()
	for day := stageFrom; day <= stageUntil; day++ {
		playDay(t, stage, day)
	}
}

// The days of the demo's story of which its stage is set.
var stageFrom, stageUntil = workday.NewDate(2026, time.November, 9), workday.NewDate(2026, time.November, 18)

// emptyStage makes the demo's council, at which nothing has happened yet.
func emptyStage(t testing.TB, dir string) *playground {
	t.Helper()
	c := demoCmd{Out: dir}
	if err := c.folder(); err != nil {
		t.Fatal(err)
	}
	s, err := loadStory(testdata.FS)
	if err != nil {
		t.Fatal(err)
	}
	stage, err := openStage(t.Context(), dir, s)
	if err != nil {
		t.Fatal(err)
	}
	return stage
}

// playDay has a day of the story happen.
func playDay(t testing.TB, stage *playground, day workday.Date) {
	t.Helper()
	for _, d := range stage.Days {
		if d.On != day {
			continue
		}
		for _, r := range d.Records {
			if err := stage.record(t.Context(), r, day, at(day, 8)); err != nil {
				t.Fatal(err)
			}
		}
		for _, m := range d.Mail {
			if err := stage.mail(m, day, at(day, 8), nil); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// The check says which role of which open dispute nobody holds, today or on the day on which it will be wanted.
func TestVacancies(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "d")
	setStage(t, dir)
	config := filepath.Join(dir, "drpd.yaml")
	now := at(workday.NewDate(2026, time.November, 19), 10)
	run := func(args ...string) (int, string) {
		t.Helper()
		var o bytes.Buffer
		return realMain(&app{ctx: t.Context(), out: &o, err: &o, now: func() time.Time { return now }},
			append([]string{"--config", config}, args...)), o.String()
	}
	if code, out := run("run", "--once"); code != 0 {
		t.Fatal(out)
	}
	if code, out := run("check"); code != 0 {
		t.Errorf("nobody is missing: %s", out)
	}
	roster := filepath.Join(dir, "roster.yaml")
	b, err := os.ReadFile(roster)
	if err != nil {
		t.Fatal(err)
	}
	line := "address: gita.marrow@fairshire.example, from: 2020-01-01}"
	leaves := strings.Replace(string(b), line, strings.TrimSuffix(line, "}")+", until: 2026-11-20}", 1)
	if leaves == string(b) {
		t.Fatal("the roster has changed: make this test anew")
	}
	if err := os.WriteFile(roster, []byte(leaves), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out := run("check")
	if code != 1 || !strings.Contains(out, ": nobody holds the role group manager on 2026-11-") || strings.Contains(out, "on 2026-11-19") {
		t.Errorf("exit %d: %s", code, out)
	}
}

// The check says to whom of the roster nothing could go, and why; each person and reason once.
func TestUncovered(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	setStage(t, dir)
	name := reconfigure(t, dir, "mail_out: {folder: mail/out, ", `mail_out: {relays: [{name: internal, server: "relay.fairshire.example:587", tls: starttls}], routes: [
  {domains: [police.example], never: it is retired},
  {name: inside, domains: [fairshire.example, lscp.example], relay: internal, carries: papers},
  {name: health, domains: [health.example], relay: internal, carries: plain},
  {name: outside, domains: [cafcass.example], relay: internal, carries: papers}], `)
	code, out, errs := drpd(t, "--config", name, "check")
	if code != 1 {
		t.Errorf("exit %d: %s", code, errs)
	}
	for _, want := range []string{"p-304, line-manager: nothing is sent to police.example: it is retired\n",
		"p-306, safeguarding-adviser: the route health to health.example does not carry case: name one that does under mail_out.routes\n",
		"x-401, cafcass: the route outside to cafcass.example does not carry referral"} {
		if strings.Count(out, want) != 1 {
			t.Errorf("%q stands there %d times: %s%s", want, strings.Count(out, want), out, errs)
		}
	}
	if strings.Contains(out, "w-2") {
		t.Errorf("somebody inside is not covered: %s", out)
	}
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	for private, mode := range map[string]os.FileMode{"state.key": 0o600, "state.db": 0o600, "documents": 0o700, "reports": 0o700,
		"mail/in": 0o700, "mail/out": 0o700} { // a copy is as open as the process makes it
		if err := os.Chmod(filepath.Join(to, private), mode); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
}

// difference gives the lines that one text has and the other has not.
func difference(want, got string) string {
	var b strings.Builder
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for _, line := range w {
		if !slices.Contains(g, line) {
			fmt.Fprintln(&b, "missing:", line)
		}
	}
	for _, line := range g {
		if !slices.Contains(w, line) {
			fmt.Fprintln(&b, "besides:", line)
		}
	}
	return b.String()
}

// full is a disk on which nothing finds room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// What could not be written is no success: a list that was cut off looks like a whole one.
func TestFullDisk(t *testing.T) {
	config := filepath.Join(theDemo(t), "drpd.yaml")
	for _, args := range [][]string{{"list"}, {"list", "--json"}, {"status"}, {"status", "--json"}, {"conflict", "list"}, {"quarantine", "list"},
		{"policy", "show", "cp-chair"}} {
		var errs bytes.Buffer
		code := realMain(&app{ctx: t.Context(), out: full{}, err: &errs, now: time.Now}, append([]string{"--config", config}, args...))
		if code != 1 || !strings.Contains(errs.String(), syscall.ENOSPC.Error()) {
			t.Errorf("%v: exit %d: %q", args, code, errs.String())
		}
	}
}

// What somebody put into a message does nothing to the terminal of whoever looks at it; in a file it stays as it came.
func TestTerminal(t *testing.T) {
	const said = "Dear all\r\n\x1b[2J\x1b]52;c;ZHJwZA==\x07\tno\u009b1m end é\x9b\n"
	var screen, file strings.Builder
	for _, o := range []*output{{to: &screen, screen: true}, {to: &file}} {
		if n, err := o.Write([]byte(said)); n != len(said) || err != nil {
			t.Errorf("%d bytes of %d, %v", n, len(said), err)
		}
	}
	if want := "Dear all\n·[2J·]52;c;ZHJwZA==·\tno·1m end é\uFFFD\n"; screen.String() != want || file.String() != said {
		t.Errorf("on the screen %q, want %q; in a file %q", screen.String(), want, file.String())
	}
}
