package document_test

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/adapters/document"
	"drpd/core/drp"
	"drpd/core/strict"
	"drpd/core/workday"
	"drpd/mapping"
	"drpd/mapping/accounttest"
)

type expected struct {
	File     string            `yaml:"file"`
	By       string            `yaml:"by"`
	Mapping  string            `yaml:"mapping"` // another than the shipped one
	Child    *string           `yaml:"child"`
	Facts    []string          `yaml:"facts"`
	Fields   map[string]string `yaml:"fields"`
	Doubts   []string          `yaml:"doubts"`
	Withheld string            `yaml:"withheld"`
}

// said is a fact as a line.
func said(f drp.Statement) string {
	var b strings.Builder
	b.WriteString(string(f.Kind))
	if f.Denied {
		b.WriteString(" (no)")
	}
	fmt.Fprintf(&b, " %s", f.On)
	if f.Stage != "" {
		b.WriteString(" " + f.Stage)
	}
	if f.By.Role != "" {
		b.WriteString(" by " + f.By.Role)
	}
	if f.Doubt != "" {
		b.WriteString(" (undated)")
	}
	return b.String()
}

// The forms of testdata/forms say what somebody has written down by hand that they say: no fact is wrong, and where a person
// would doubt, drpd does.
func TestForms(t *testing.T) {
	const folder = "../../testdata/forms"
	src, err := os.ReadFile(filepath.Join(folder, "expect.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Forms []expected `yaml:"forms"`
	}
	if err := strict.Load("expect.yaml", src, &all).Err(); err != nil {
		t.Fatal(err)
	}
	form, err := mapping.LoadForm(mapping.Shipped, "forms/cp-dispute-form.yaml")
	if err != nil {
		t.Fatal(err)
	}
	set := mapping.Set{Forms: []*mapping.Form{form}}
	came := workday.NewDate(2026, time.March, 9)
	files := map[string]bool{"expect.yaml": true}
	for _, want := range all.Forms {
		files[want.File] = true
		t.Run(want.File, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(folder, want.File))
			if err != nil {
				t.Fatal(err)
			}
			l := mapping.Letter{From: "chair@council.example", Sent: came, Trusted: true}
			if filepath.Ext(want.File) == ".txt" {
				body, err := document.Text("part 1", string(data))
				if err != nil {
					t.Fatal(err)
				}
				l.Body = &body
			} else if l.Sheets, err = document.Open("part 2", data); err != nil {
				l.Unread = err.Error()
			}
			set := set
			if want.Mapping != "" {
				fsys, name := fs.FS(mapping.Shipped), "forms/"+want.Mapping+".yaml"
				if strings.HasSuffix(want.Mapping, ".yaml") {
					files[want.Mapping] = true
					fsys, name = os.DirFS(folder), want.Mapping
				}
				own, err := mapping.LoadForm(fsys, name)
				if err != nil {
					t.Fatal(err)
				}
				set.Forms = []*mapping.Form{own}
			}
			r := set.ReadLetter(drp.Evidence{ID: "e", Source: "mailbox"}, l, came)
			accounttest.Check(t, l, r)
			var facts, doubts []string
			for _, f := range r.Statements() {
				facts = append(facts, said(f))
				if f.Position == "" {
					t.Errorf("%s stands nowhere", f.Kind)
				}
			}
			for _, d := range r.Doubts {
				doubts = append(doubts, d.What)
			}
			slices.Sort(facts)
			slices.Sort(want.Facts)
			if !slices.Equal(facts, want.Facts) {
				t.Errorf("it says %q, by hand %q", facts, want.Facts)
			}
			if !slices.Equal(doubts, want.Doubts) {
				t.Errorf("in doubt is %q, by hand %q", doubts, want.Doubts)
			}
			if want.Withheld == "" != (r.Withheld == "") || !strings.Contains(r.Withheld, want.Withheld) {
				t.Errorf("withheld: %q, by hand %q", r.Withheld, want.Withheld)
			}
			child := "30777"
			if want.Child != nil {
				child = *want.Child
			}
			if got := strings.Join(r.Subject.Children, " "); got != child {
				t.Errorf("about the child %q, by hand %q", got, child)
			}
			for _, name := range slices.Sorted(maps.Keys(want.Fields)) {
				i := slices.IndexFunc(r.Fields, func(f drp.Field) bool { return f.Name == name })
				if i < 0 || r.Fields[i].Value.Reveal() != want.Fields[name] {
					t.Errorf("%s is not as it stands", name)
				}
			}
		})
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !files[e.Name()] {
			t.Errorf("nothing is expected of %s", e.Name())
		}
	}
}

// A form is sent again at each step with its old blocks in it. Only what is new becomes a fact, and keeps the day on which it
// was first said; a block that says another thing than before is corrected.
func TestSentAgain(t *testing.T) {
	form, err := mapping.LoadForm(mapping.Shipped, "forms/cp-dispute-form.yaml")
	if err != nil {
		t.Fatal(err)
	}
	set := mapping.Set{Forms: []*mapping.Form{form}}
	senders := []string{"chair@council.example", "chair@council.example", "manager@council.example", "chair@council.example"}
	var readings []drp.Reading
	for i, from := range senders {
		id := fmt.Sprintf("sent-again-%d", i+1)
		data, err := os.ReadFile(filepath.Join("../../testdata/forms", id+".docx"))
		if err != nil {
			t.Fatal(err)
		}
		sheets, err := document.Open("part 2", data)
		if err != nil {
			t.Fatal(err)
		}
		came := workday.NewDate(2026, time.March, 3).AddDays(2 * i) // 3, 5, 7, 9 March
		ev := drp.Evidence{ID: id, Source: "mailbox", Kind: drp.Message, Learned: came.Midnight()}
		r := set.ReadLetter(ev, mapping.Letter{From: from, Sent: came, Trusted: true, Sheets: sheets}, came)
		r.Evidence = ev
		readings = append(readings, r)
	}
	var got []string
	folded := drp.Fold(readings, nil)
	for _, f := range folded.Statements() {
		got = append(got, said(f)+", in "+f.Evidence)
	}
	slices.Sort(got)
	want := []string{
		"discussed 2026-03-02 informal by chair, in sent-again-1",
		"raised 2026-03-02 informal, in sent-again-1",
		"resolved (no) 2026-03-03 informal, in sent-again-1",
		"resolved (no) 2026-03-09 stage-1, in sent-again-4",
		"responded 2026-03-06 stage-1 by team-manager, in sent-again-3",
		"telephoned 2026-03-05 stage-1 by chair, in sent-again-4",
	}
	if !slices.Equal(got, want) {
		t.Errorf("read\n%s\nby hand\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
