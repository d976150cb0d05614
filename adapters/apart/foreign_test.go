package apart_test

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/mapping"
)

var (
	foreign       = flag.String("foreign", "", "read the messages and documents in `DIR`/messages and DIR/documents, a folder a source")
	foreignReport = flag.String("foreign-report", "", "write what was read of sixty of them to `FILE`")
)

const (
	sampled    = 60  // of which a person looks at what was read
	sampleSeed = 18  // by which they are drawn
	shownLines = 200 // of a form, in the report
)

// TestForeign reads messages and documents that nobody made for drpd, such as the test data of other libraries. It says what became
// of them, by source and by sentence.
func TestForeign(t *testing.T) {
	if *foreign == "" {
		t.Skip("needs -foreign DIR")
	}
	messages, documents := foreignFiles(t, "messages"), foreignFiles(t, "documents")
	o := start(t)
	mustRead(t, o, 0)
	sources, outcomes := make(map[string]int), make(map[string]int)
	read := func(name string, isDocument bool) mapping.Letter {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		message, kind := data, "message"
		if isDocument {
			message, kind = with(filepath.Base(name), data), "document"
		}
		before := time.Now()
		l, err := o.Read(t.Context(), message)
		if err != nil {
			t.Fatal(name, err)
		}
		said := outcome(l, isDocument)
		sources[kind+" "+filepath.Base(filepath.Dir(name))]++
		outcomes[kind+" "+said]++
		if used := o.held(); used > memory {
			t.Errorf("%s: the process that reads holds %d MB", name, used>>20)
		}
		if took := time.Since(before); took > 5*time.Second || l.Unsafe != "" {
			t.Logf("%s: %.1f s: %s", name, took.Seconds(), said)
		}
		switch {
		case said == "" && (isDocument || !blank(data)):
			t.Errorf("%s: passed over without a word", name)
		case !isDocument && !l.Auto && len(l.Sheets)+len(l.Problems) == 0 && attached.Match(data):
			t.Errorf("%s: its file is passed over without a word", name)
		}
		return l
	}
	all := append(slices.Clone(messages), documents...)
	random := rand.New(rand.NewPCG(sampleSeed, 0)) //nolint:gosec // a sample that can be drawn again
	draw := make(map[string]bool)
	for _, part := range [][]string{messages, documents} { // as many of each
		for _, i := range random.Perm(len(part))[:min(sampled/2, len(part))] {
			draw[part[i]] = true
		}
	}
	var report strings.Builder
	for i, name := range all {
		l := read(name, i >= len(messages))
		if draw[name] {
			describe(&report, name, l)
		}
	}
	mustRead(t, o, 1)
	for _, counts := range []map[string]int{sources, outcomes} {
		for _, key := range slices.Sorted(maps.Keys(counts)) {
			t.Logf("%6d %s", counts[key], key)
		}
	}
	t.Logf("%d messages, %d documents, %d processes", len(messages), len(documents), len(o.started))
	if *foreignReport != "" {
		if err := os.WriteFile(*foreignReport, []byte(report.String()), 0o600); err != nil {
			t.Error(err)
		}
	}
}

// attached finds a file in a message that may be a form.
var attached = regexp.MustCompile(`(?i)\sfilename="?[^"\r\n;]*\.(docx?|xlsx?|od[st]|pdf|rtf|zip|dat)\b`)

// blank says whether a message has nothing behind its headers.
func blank(message []byte) bool {
	_, body, _ := bytes.Cut(bytes.ReplaceAll(message, []byte("\r\n"), []byte("\n")), []byte("\n\n"))
	return len(bytes.TrimSpace(body)) == 0
}

// figuresIn takes the numbers out of a sentence, so that those of one kind are counted together.
var figuresIn = regexp.MustCompile(`\d+|".*"|\(.*\)`)

// outcome says in a few words what became of a message or a document; "" of one that was passed over without a word.
func outcome(l mapping.Letter, isDocument bool) string {
	switch {
	case l.Unsafe != "":
		return "not opened safely: " + l.Unsafe
	case l.Over != "":
		return "over a limit: " + figuresIn.ReplaceAllString(l.Over, "N")
	case l.Unread != "":
		return "not read: " + figuresIn.ReplaceAllString(l.Unread, "N")
	case isDocument && len(l.Sheets) == 0:
		return ""
	case len(l.Sheets) > 0:
		return "read, with a file"
	case l.Auto:
		return "of a machine"
	case l.Text != "":
		return "read"
	case len(l.Problems) > 0:
		return "a doubt: " + figuresIn.ReplaceAllString(l.Problems[0].What, "N")
	case l.Quoted != "":
		return "sent on"
	case l.Subject != "":
		return "a subject and no more"
	}
	return ""
}

func foreignFiles(t *testing.T, kind string) (names []string) {
	err := filepath.WalkDir(filepath.Join(*foreign, kind), func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// describe writes what was read, for a person to compare with the file itself.
func describe(w *strings.Builder, name string, l mapping.Letter) {
	fmt.Fprintf(w, "==== %s\nFrom %s, Sender %s, To %q, Cc %q, Sent %s, machine %t\n", name, l.From, l.Sender, l.To, l.Cc, l.Sent, l.Auto)
	fmt.Fprintf(w, "Subject: %s\nWhy: %s\n", l.Subject, l.Why)
	for _, p := range l.Problems {
		fmt.Fprintf(w, "Problem: %s (%s)\n", p.What, p.Position)
	}
	for _, r := range l.DeliveryReports {
		fmt.Fprintf(w, "Delivery: %+v\n", r)
	}
	fmt.Fprintf(w, "-- text\n%s\n", l.Text)
	if l.Quoted != "" {
		fmt.Fprintf(w, "-- with what it quotes\n%.3000s\n", l.Quoted)
	}
	for _, s := range l.Sheets {
		fmt.Fprintf(w, "-- %s, a file %s\n", s.Name, s.Ext)
		for _, line := range s.Lines[:min(len(s.Lines), shownLines)] {
			for i, c := range line.Cells {
				fmt.Fprint(w, map[bool]string{true: " | "}[i > 0], c.Text)
			}
			fmt.Fprintln(w)
		}
	}
}
