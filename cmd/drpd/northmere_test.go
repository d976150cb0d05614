package main

import (
	"bytes"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/adapters/ledger"
	"drpd/adapters/mailer"
	"drpd/core/drp"
	"drpd/core/reconcile"
	"drpd/core/strict"
	"drpd/core/workday"
)

const northmere = "../../testdata/northmere"

// lived is what must become of a message at Northmere, and of the dispute that it is about in the days that follow.
type lived struct {
	Mail    string       `yaml:"mail"`
	After   string       `yaml:"after"` // the message that raises the dispute
	What    string       `yaml:"what"`
	Place   string       `yaml:"place"`
	Why     string       `yaml:"why"`
	Facts   []string     `yaml:"facts"`
	Reach   []string     `yaml:"reach"`
	Until   workday.Date `yaml:"until"`
	Stage   string       `yaml:"stage"` // on that day; or "ended"
	Letters []string     `yaml:"letters"`
	Says    []string     `yaml:"says"`  // some letter or note of theirs
	Never   string       `yaml:"never"` // none of them says it
}

func (l lived) String() string {
	return fmt.Sprintf("place %s\nfacts %s\nreach %s\nstage %s\nletters\n  %s", l.Place, strings.Join(l.Facts, "; "),
		strings.Join(l.Reach, "; "), l.Stage, strings.Join(l.Letters, "\n  "))
}

var (
	northmereMark = regexp.MustCompile(`\{(ref|mid) (\S+?)(?: (\S+?))?\}`)
	received      = regexp.MustCompile(`(?s)\nReceived: .*?;\s([^\n]+)\n`)
)

// openNorthmere makes the council anew, with nothing in it.
func openNorthmere(t *testing.T) *council {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "d")
	c := demoCmd{Out: dir}
	if err := c.folder(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"drpd.yaml", "roster.yaml"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(dir, os.DirFS(northmere)); err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile(filepath.Join(northmere, "people.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s := &story{}
	if err := strict.Load("people.yaml", src, s).Err(); err != nil {
		t.Fatal(err)
	}
	stage, err := openStage(t.Context(), dir, s)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stage.close() }()
	if _, err := stage.db.ExecContext(t.Context(), `UPDATE CF_INVOLVEMENTS SET START_DATE = '2020-01-06'`); err != nil {
		t.Fatal(err)
	}
	return openCouncil(t, dir)
}

// about gives the dispute about a child.
func (c *council) about(t *testing.T, child string) ledger.Listed {
	t.Helper()
	all, err := c.ledger.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(x ledger.Listed) bool { return slices.Contains(x.Children, child) })
	if i < 0 {
		t.Fatalf("no dispute is about child %s", child)
	}
	return all[i]
}

// comes brings a message at the time at which the council's server received it, after a morning of each day before.
func (c *council) comes(t *testing.T, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(northmere, name+".eml"))
	if err != nil {
		t.Fatal(err)
	}
	when, err := mail.ParseDate(string(received.FindSubmatch(body)[1]))
	if err != nil {
		t.Fatal(err)
	}
	on := workday.DateOf(when.In(london()))
	if !c.clock.IsZero() {
		c.mornings(t, on)
	}
	c.clock = when
	body = northmereMark.ReplaceAllFunc(body, func(mark []byte) []byte {
		m := northmereMark.FindSubmatch(mark)
		x := c.about(t, string(m[2]))
		if string(m[1]) == "ref" {
			return []byte(x.Ref)
		}
		past, err := c.ledger.Effects(t.Context(), x.Ref)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range slices.Backward(past) {
			_, sent, err := c.ledger.Sent(t.Context(), e.Key, string(m[3]))
			if err != nil {
				t.Fatal(err)
			}
			if sent && e.Kind == drp.Email {
				return []byte("<" + c.Mail.(*mailer.Router).Tags.MessageID(x.Ref, e.Key, string(m[3])) + "@drp.northmere.example.org>")
			}
		}
		t.Fatalf("the council has sent nothing like %s", mark)
		return nil
	})
	body = []byte(strings.ReplaceAll(string(body), "\n", "\r\n"))
	if err := os.WriteFile(filepath.Join(c.dir, "mail", "in", name+".eml"), body, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Cycle(t.Context()); err != nil {
		t.Fatal(err)
	}
	return body
}

// mornings lives through the mornings after the day of the clock, up to and with that of a day.
func (c *council) mornings(t *testing.T, until workday.Date) {
	t.Helper()
	for day := workday.DateOf(c.clock.In(london())) + 1; day <= until; day++ {
		c.cycle(t, day, 9)
	}
}

// since gives what was decided from a time on, and what its letters and notes say.
func (c *council) since(t *testing.T, from time.Time) (lines []string, says string) {
	t.Helper()
	past, err := c.ledger.Effects(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range past {
		if e.Decided.Before(from) || e.Kind != drp.Email && e.Kind != drp.CaseNote {
			continue
		}
		line := fmt.Sprintf("%s %s", workday.DateOf(e.Decided.In(london())), e.Reason)
		if e.Kind == drp.CaseNote {
			line += " noted"
		}
		if len(e.To) > 0 {
			line += " to " + strings.Join(e.To, "+")
		}
		if e.Life != drp.Accepted {
			line += ", " + string(e.Life)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	var all strings.Builder
	day := workday.DateOf(from.In(london())).String()
	for name, text := range tree(t, filepath.Join(c.dir, "mail", "out")) {
		if name < day {
			continue
		}
		plain, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(text)))
		if err != nil {
			plain = []byte(text)
		}
		all.Write(bytes.Join(bytes.Fields(plain), []byte(" ")))
	}
	db, err := openRecords(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var notes []string
	if err := db.SelectContext(t.Context(), &notes, `SELECT NOTE_TEXT FROM CF_OBSERVATIONS WHERE ENTERED_ON >= ?`, day); err != nil {
		t.Fatal(err)
	}
	return lines, all.String() + strings.Join(notes, " ")
}

// TestNorthmere gives each message to a council of its own, which lives on, and holds what becomes of it against what was
// written by hand.
func TestNorthmere(t *testing.T) {
	t.Parallel()
	for _, w := range writtenDown[lived](t, northmere) {
		t.Run(w.Mail, func(t *testing.T) {
			t.Parallel()
			c := openNorthmere(t)
			defer func() { _ = c.close() }()
			if w.After != "" {
				c.comes(t, w.After)
			}
			body := c.comes(t, w.Mail)
			from := c.clock
			became, why := c.became(t, c, body)
			c.mornings(t, w.Until)
			got := lived{Place: became.Place, Facts: became.Facts, Reach: became.Reach}
			all, err := c.ledger.List(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range all {
				one, _, err := c.Case(t.Context(), x.Ref)
				if err != nil {
					t.Fatal(err)
				}
				got.Stage = strings.TrimPrefix(got.Stage+"+"+x.Ref[:1]+" "+standing(reconcile.Decide(one)), "+")
			}
			var says string
			got.Letters, says = c.since(t, from)
			slices.Sort(w.Facts)
			slices.Sort(w.Letters)
			if got.String() != w.String() || !strings.Contains(why, w.Why) {
				t.Errorf("%s\n%s\nbecause %q\n\nexpected\n%s\nbecause %q", w.What, got, why, w, w.Why)
			}
			for _, text := range w.Says {
				if !strings.Contains(says, text) {
					t.Errorf("nothing says %q", text)
				}
			}
			if w.Never != "" && strings.Contains(says, w.Never) {
				t.Errorf("something says %q", w.Never)
			}
		})
	}
}

// standing is the stage at which a dispute is, or that it has ended.
func standing(r reconcile.Result) string {
	if !r.Standing.Ended.IsZero() {
		return "ended"
	}
	if n := len(r.Standing.Visits); n > 0 {
		return r.Standing.Visits[n-1].Stage
	}
	return "not begun"
}
