package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/core/workday"
)

// inCopy gives the demo's council, after its three months, to change.
func inCopy(t *testing.T) *ticking {
	t.Helper()
	d := &ticking{t: t, dir: filepath.Join(t.TempDir(), "d")}
	copyTree(t, theDemo(t), d.dir)
	d.set(workday.NewDate(2027, time.January, 18), 9)
	return d
}

// dump gives all rows of the state.
func (d *ticking) dump() string {
	d.t.Helper()
	db := d.sql()
	defer func() { _ = db.Close() }()
	out := make(map[string]any)
	for _, table := range column(d.t, db, d.tables()) {
		out[table] = rowsOf(d.t, db, `SELECT * FROM `+table)
	}
	b, err := json.Marshal(out)
	if err != nil {
		d.t.Fatal(err)
	}
	return string(b)
}

// What forbids an erasure says so with what to do, and nothing is erased: an open dispute, one that is about a sibling too, a legal hold on
// either. A dry run changes nothing in the state. Siblings go together, and everybody else stays.
func TestSubjectRefusals(t *testing.T) {
	t.Parallel()
	d := inCopy(t)
	d.says(0, "list") // it is brought to its schema
	before := d.dump()
	for _, x := range []struct {
		children []string
		code     int
		says     string
	}{
		{[]string{"20402"}, 1, "dispute W-B735RN is not closed: drpd explain W-B735RN"},
		{[]string{"20508"}, 1, "dispute W-ABQX6F is about 1 other child too, in the same forms and messages: name each child of it"},
		{[]string{"20599"}, 1, "dispute W-ABQX6F is about 1 other child too"},
		{[]string{"20508", "20599"}, 0, "Nothing is erased yet: say it again with --confirm"},
		{[]string{"20401"}, 0, "dispute W-NWJCIF, ended on Friday 20 November 2026"},
		{[]string{"1"}, 0, "nothing is held about this child"},
	} {
		if out := d.says(x.code, append([]string{"subject", "erase"}, x.children...)...); !strings.Contains(out, x.says) {
			t.Errorf("%v: it does not say %q: %s", x.children, x.says, out)
		}
		if x.code == 1 {
			d.says(1, append([]string{"subject", "erase", "--confirm", "--because", "asked for"}, x.children...)...)
		}
	}
	if after := d.dump(); after != before {
		t.Error("what was refused, or only asked, has changed the state")
	}
	d.says(1, "subject", "erase", "20401", "--confirm")
	if out := d.says(0, "subject", "hold", "20599", "--because", "a serious case review"); strings.Contains(out, "is the number right") {
		t.Error(out)
	}
	if out := d.says(0, "subject", "holds"); !strings.Contains(out, "20599  since 18 January 2027") {
		t.Error(out)
	}
	if out := d.says(1, "subject", "erase", "20508", "20599", "--confirm", "--because", "asked for"); !strings.Contains(out, "a serious case review") {
		t.Error(out)
	}
	if out := d.says(0, "subject", "hold", "1", "--because", "a slip"); !strings.Contains(out, "is the number right") {
		t.Error(out)
	}
	d.says(0, "subject", "release", "1", "--because", "a slip")
	d.says(0, "subject", "release", "20599", "--because", "it is over")
	d.says(1, "subject", "release", "20599", "--because", "it is over")
	others := len(d.refs())
	if out := d.says(0, "subject", "erase", "20508", "20599", "--confirm", "--because", "asked for"); !strings.Contains(out,
		"Certificate of erasure 1") || !strings.Contains(out, "W-ABQX6F") || strings.Contains(out, "20599") {
		t.Error(out)
	}
	if after := d.refs(); len(after) != others-1 || slices.Contains(after, "W-ABQX6F") {
		t.Errorf("%d disputes, and then %v", others, after)
	}
	if found := d.remains("20508", "20599"); len(found) > 0 {
		t.Error(found)
	}
	d.says(0, "state", "verify")
	d.says(0, "run", "--once")
}

// An erasure that waits for what is under way is told of from the next day on: it waits for a person.
func TestErasureThatWaits(t *testing.T) {
	t.Parallel()
	d := inCopy(t)
	d.says(0, "run", "--once") // it is brought to its schema, and the report goes
	db := d.sql()
	if _, err := db.ExecContext(t.Context(), `UPDATE effect SET life = 'attempted' WHERE key = (SELECT min(key) FROM effect
		WHERE dispute = '' AND kind = 'email' AND reason = 'report')`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	d.says(1, "subject", "erase", "20508", "20599", "--confirm", "--because", "asked for")
	told := func() bool {
		d.says(0, "run", "--once")
		for _, text := range tree(t, filepath.Join(d.dir, "mail", "out")) {
			if strings.Contains(strings.ReplaceAll(text, "=\r\n", ""), "still waits: a report or a message of") {
				return true
			}
		}
		return false
	}
	if told() {
		t.Error("it is told of at once")
	}
	d.set(workday.DateOf(d.clock())+2, 10)
	if !told() {
		t.Error("nobody is told")
	}
}

func (d *ticking) refs() []string {
	d.t.Helper()
	db := d.sql()
	defer func() { _ = db.Close() }()
	return column(d.t, db, `SELECT ref FROM dispute`)
}

// What is held about a child is given out in words and as files, privately, with the names of other people marked; into an empty folder only.
func TestSubjectExport(t *testing.T) {
	t.Parallel()
	d := inCopy(t)
	out := filepath.Join(t.TempDir(), "out")
	said := d.says(0, "subject", "export", "30502", "--out", out)
	if !strings.Contains(said, "Somebody must look at everything") {
		t.Error(said)
	}
	if again := d.says(1, "subject", "export", "30502", "--out", out); !strings.Contains(again, "the folder holds something already") {
		t.Error(again)
	}
	var files []string
	if err := filepath.Walk(out, func(name string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		want := os.FileMode(0o600)
		if info.IsDir() {
			want = 0o700
		} else {
			files = append(files, filepath.Base(name))
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o", name, info.Mode().Perm())
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(out, "what-is-held.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, says := range []string{"C-AIOROI", "Core group on Friday", "[redact: casper.hild@fairshire.example]", "\"Theme\": ", "Not to be given out as it is", "core group"} {
		if !strings.Contains(string(text), says) {
			t.Errorf("it does not say %q", says)
		}
	}
	unmarked := string(text)
	for _, name := range []string{"Casper Hild", "casper.hild@fairshire.example", "Tom Minster", "tom.minster@fairshire.example", "Minster"} {
		if strings.Count(unmarked, name) != strings.Count(unmarked, "[redact: "+name)+strings.Count(unmarked, "[redact: Tom "+name) {
			t.Errorf("%q stands there unmarked", name)
		}
	}
	for _, other := range []string{"30501", "W-NWJCIF"} {
		if strings.Contains(unmarked, other) {
			t.Errorf("it is about %s too", other)
		}
	}
	for _, begins := range []string{"came-0001-2026-11-23.eml", "came-0001-2026-11-23-form-1.docx", "went-0003-", "store-C-AIOROI_", "what-is-held.docx",
		"names-to-redact.txt"} {
		if !slices.ContainsFunc(files, func(f string) bool { return strings.HasPrefix(f, begins) }) {
			t.Errorf("no file %s: %v", begins, files)
		}
	}
}
