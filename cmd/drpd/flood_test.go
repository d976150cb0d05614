//go:build unix

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/adapters/apart"
	"drpd/adapters/apart/aparttest"
	"drpd/core/drp"
)

var flood = flag.Int("flood", 30, "how many messages of 1 MB TestFlood sends; 300 is the whole flood, with 200 MB of forms for one dispute")

const (
	floodPeak   = 150 << 10 // KB that the daemon may ever have in memory
	floodCycles = 2         // in which the honest messages behind it are read
	floodDir    = "DRPD_FLOOD_DIR"
)

// TestFloodChild is the daemon that TestFlood floods: one cycle of run, whose clock goes on from the morning of the corpus.
func TestFloodChild(t *testing.T) {
	dir := os.Getenv(floodDir)
	if dir == "" {
		return // only TestFlood starts it
	}
	began := time.Now()
	now := func() time.Time { return at(corpusDay, 10).Add(time.Since(began)) }
	if code := realMain(&app{ctx: t.Context(), out: os.Stdout, err: os.Stderr, now: now},
		[]string{"--config", filepath.Join(dir, "drpd.yaml"), "run", "--once"}); code != 0 {
		t.Fatal(code)
	}
	if b, err := os.ReadFile("/proc/self/status"); err == nil {
		if err := os.WriteFile(filepath.Join(dir, "peak"), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// floodCycle runs one cycle of the daemon in a process of its own, and gives the most memory that it had, in KB; 0 where the
// system does not tell.
func floodCycle(t *testing.T, dir string) (peak int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFloodChild$")
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { // as a service starts it
		return strings.HasPrefix(v, "GOGC=") || strings.HasPrefix(v, "GOMEMLIMIT=")
	}), floodDir+"="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the daemon ended: %v\n%s", err, out)
	}
	if runtime.GOOS != "linux" {
		return 0
	}
	b, err := os.ReadFile(filepath.Join(dir, "peak"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if n, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			if _, err := fmt.Sscan(n, &peak); err != nil {
				t.Fatal(err)
			}
		}
	}
	if peak == 0 {
		t.Fatal("the system does not say how much memory the daemon had")
	}
	return peak
}

// floods are texts of 1 MB that take long to look through: words of harm that do not say it, in sentences, in lines that look like
// labels, in boxes and in tables.
func floods(n int) string {
	units := []string{"imminent if harm risk danger of ", "Imminent harm: no\n", "imminent risk of harm: \u2610\n", "imminent harm? \n",
		"immediate immediate immediate life life life ", "no imminent harm, not imminent, nor imminent. ", "[ ] imminent harm\n"}
	unit := units[n%len(units)]
	return fmt.Sprintf("%d\n", n) + strings.Repeat(unit, 1000_000/len(unit))
}

// A flood of whatever harms, from strangers and in the name of somebody in the dispute, holds up nobody: the 20 honest messages
// behind it are read in the same cycle or the next, the daemon stays small, and each message of the flood is in its dispute or in
// quarantine with its reason.
func TestFlood(t *testing.T) {
	const ref, mixed = "W-B735RN", `multipart/mixed; boundary="b"`
	dir := filepath.Join(t.TempDir(), "d")
	copyTree(t, theCouncil(t), dir)
	manager, subject := `"Tom Minster" <tom.minster@fairshire.example>`, "RE: ["+ref+"] Stage 1"
	came := at(corpusDay, 9)
	sent := make(map[string]string) // what each is, by its ID
	deliver := func(name string, message []byte) {
		t.Helper()
		sum := sha256.Sum256(message)
		sent["m"+hex.EncodeToString(sum[:])[:31]] = name
		if err := os.WriteFile(filepath.Join(dir, "mail", "in", fmt.Sprintf("%s.eml", name)), message, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const stranger = "From: x@elsewhere.test\r\nTo: drp@fairshire.example\r\nSubject: Form\r\nMIME-Version: 1.0\r\n"
	bombs := 0
	for name, message := range aparttest.Bombs(t, stranger) {
		deliver("a "+name, message)
		bombs++
	}
	for i := range *flood {
		from, kind, body := "x@elsewhere.test", plainText, floods(i)
		if i%3 == 0 {
			kind, body = "text/html", "<html><table><tr>"+strings.ReplaceAll(body, "\n", "<td>")
		}
		message := strings.Replace(typed(from, "Form", kind, body, came), "dmarc=pass", "dmarc=fail", 1)
		deliver(fmt.Sprintf("b %03d", i), []byte(message))
	}
	form, err := os.ReadFile("../../testdata/forms/southfold.odt")
	if err != nil {
		t.Fatal(err)
	}
	random := rand.NewChaCha8([32]byte{18})
	const each = 10 << 20 // of forms in one message
	for i := range (*flood * 2 << 20) / 3 / each {
		padding := make([]byte, each*3/4)
		if _, err := random.Read(padding); err != nil {
			t.Fatal(err)
		}
		deliver(fmt.Sprintf("c %02d", i), []byte(typed(manager, subject, mixed, withFile("form.odt", append(form, padding...)),
			came.Add(time.Duration(i)*time.Second))))
	}
	const honest = 20
	for i := range honest {
		deliver(fmt.Sprintf("d %02d", i), []byte(typed(manager, subject, plainText, fmt.Sprintf("I shall look into it, and write again: %d.", i),
			came.Add(time.Duration(i)*time.Minute))))
	}
	read := 0
	for cycle := range floodCycles {
		began := time.Now()
		peak := floodCycle(t, dir)
		t.Logf("cycle %d: %d KB at most, %s", cycle+1, peak, time.Since(began).Round(time.Millisecond))
		if peak > floodPeak {
			t.Errorf("the daemon had %d KB in memory, more than %d", peak, floodPeak)
		}
		if read = accounted(t, dir, ref, sent); read >= honest {
			break
		}
	}
	if read != honest {
		t.Errorf("%d of %d honest messages are read", read, honest)
	}
}

// accounted says how many honest messages are in the dispute. Of all others it sees that they are in it too, or are kept with a
// reason.
func accounted(t *testing.T, dir, ref string, sent map[string]string) (honest int) {
	t.Helper()
	c := openCouncil(t, dir)
	defer func() { _ = c.close() }()
	stored, err := c.Book.Load(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	where := make(map[string]bool)
	for _, ev := range stored.Evidence {
		if ev.Kind == drp.Message && strings.HasPrefix(sent[ev.ID], "d ") {
			honest++
		}
		where[ev.ID] = true
	}
	kept, err := c.ledger.Quarantine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	unopened := 0
	for _, k := range kept {
		if where[k.ID] = k.Reason != ""; strings.HasPrefix(k.Reason, apart.NotOpened) {
			unopened++
		}
	}
	for id, name := range sent {
		if !where[id] {
			t.Errorf("nobody is told what became of %s", name)
		}
	}
	t.Logf("%d are kept, of them %d unopened", len(kept), unopened)
	return honest
}
