package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"drpd/core/workday"
	"drpd/mapping"
)

// Where a person keys case notes in, explain says which wait, and who keyed the others in and when. A worklist that was deleted is told of and
// listed anew, also where each cycle is a process of its own; a dry run changes nothing in the folder.
func TestWorklist(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "d")
	setStage(t, dir)
	src, err := mapping.Shipped.ReadFile("systems/demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	before, after, _ := strings.Cut(string(src), "case_notes:")
	lines := strings.SplitAfter(after, "\n")
	changed := before + "case_notes: {way: worklist}\n" + strings.Join(lines[4:], "")
	config := filepath.Join(dir, "drpd.yaml")
	said, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	said = bytes.Replace(said, []byte("mapping: demo}"), []byte("mapping: ./system.yaml, worklist: worklist}"), 1)
	if err := errors.Join(os.WriteFile(config, said, 0o600), os.WriteFile(filepath.Join(dir, "system.yaml"), []byte(changed), 0o600)); err != nil {
		t.Fatal(err)
	}
	now := at(workday.NewDate(2026, time.November, 19), 10)
	run := func(args ...string) string {
		t.Helper()
		var o, e bytes.Buffer
		if code := realMain(&app{ctx: t.Context(), out: &o, err: &e, now: func() time.Time { return now }},
			append([]string{"--config", config}, args...)); !well(code, e.String(), args) {
			t.Fatalf("%v: exit %d: %s%s", args, code, o.String(), e.String())
		}
		now = now.Add(10 * time.Minute)
		return o.String()
	}
	lists := func() []string {
		t.Helper()
		names, err := filepath.Glob(filepath.Join(dir, "worklist", "*.xlsx"))
		if err != nil || len(names) == 0 {
			t.Fatalf("worklists: %v, %v", names, err)
		}
		return names
	}
	run("run", "--once")
	for _, name := range lists() { // before anything has read them
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	run("run", "--once")
	run("run", "--dry-run")
	if names, _ := filepath.Glob(filepath.Join(dir, "worklist", "*.xlsx")); len(names) > 0 {
		t.Errorf("listed anew at the first look, or by a dry run: %v", names)
	}
	run("run", "--once")
	name := lists()[0]
	if out := run("status"); !strings.Contains(out, "on no worklist any more (was a row or a file deleted?): listed anew") {
		t.Error(out)
	}
	f, err := excelize.OpenFile(name)
	if err != nil {
		t.Fatal(err)
	}
	sheet := f.GetSheetList()[0]
	rows, err := f.GetRows(sheet)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(rows, func(r []string) bool { return len(r) == 7 && r[0] != "Child" })
	cell, err := excelize.CoordinatesToCellName(6, i+1)
	if err := errors.Join(err, f.SetCellStr(sheet, cell, "ab"), f.Save(), f.Close()); err != nil {
		t.Fatal(err)
	}
	ref, note := rows[i][1], rows[i][6]
	const waits = "on a worklist: nobody has keyed it in, as far as drpd has read"
	if out := run("explain", ref); !strings.Contains(out, waits) || strings.Contains(out, "keyed in by") {
		t.Error(out)
	}
	run("run", "--once")
	out := run("explain", ref)
	if !strings.Contains(out, "keyed in by AB, as read from a worklist on 2026-11-19, k"+note) {
		t.Error(out)
	}
	var explained struct {
		Reach []struct{ Effect, Person, State string }
		Not   []string `json:"not_keyed"`
	}
	if err := json.Unmarshal([]byte(run("explain", ref, "--json")), &explained); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(explained.Not, note) || len(explained.Reach) != 1 || explained.Reach[0].Person != "AB" || explained.Reach[0].Effect != note {
		t.Errorf("%+v", explained)
	}
	if out := run("status"); strings.Contains(out, "source worklist: 1") || strings.Contains(out, "no worklist") {
		t.Error(out)
	}
	if out := run("audit", "verify"); !strings.Contains(out, "the chain is whole") {
		t.Error(out)
	}
}
