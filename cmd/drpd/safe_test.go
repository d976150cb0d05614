package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/adapters/apart"
	"drpd/adapters/ledger"
	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/workday"
)

// withFile is the body of a letter that carries a file.
func withFile(name string, data []byte) string {
	return "--b\nContent-Type: text/plain\n\nHere is my answer.\n--b\nContent-Type: application/octet-stream\n" +
		"Content-Disposition: attachment; filename=\"" + name + "\"\nContent-Transfer-Encoding: base64\n\n" +
		base64.StdEncoding.EncodeToString(data) + "\n--b--"
}

// attributes is a file of Word that takes more memory than a reader has.
func attributes(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.Create("word/document.xml")
	if err == nil {
		_, err = f.Write([]byte("<w:document " + strings.Repeat(`a="" `, 3<<20) + "/>"))
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Messages that end the process which reads them, of a stranger and of somebody in the dispute, cost nobody else anything: they
// are in quarantine and say so, and all that wait behind them are read in the same cycle. What nobody could open holds up what
// would go by itself.
func TestHarmlessToOthers(t *testing.T) {
	t.Parallel()
	const ref = "W-B735RN"
	dir := filepath.Join(t.TempDir(), "d")
	copyTree(t, theCouncil(t), dir)
	c := openCouncil(t, dir)
	defer func() { _ = c.close() }()
	iro, manager := `"Ivor Reed" <ivor.reed@fairshire.example>`, `"Tom Minster" <tom.minster@fairshire.example>`
	came := at(corpusDay, 9)
	deliver := func(name, message string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "mail", "in", name+".eml"), []byte(message), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const mixed = `multipart/mixed; boundary="b"`
	bomb := attributes(t)
	subject := "RE: [" + ref + "] Stage 1"
	deliver("a-manager", typed(manager, subject, mixed, withFile("form.docx", bomb), came))
	deliver("b-owner", typed(iro, subject, mixed, withFile("form.docx", bomb), came.Add(time.Minute)))
	deliver("b-owner-nested", typed(iro, subject, mixed, withFile("smime.p7m", bytes.Repeat([]byte{0x30, 0x80}, 5<<20)), came))
	stranger := typed("x@elsewhere.test", "Form", mixed, withFile("form.docx", bomb), came)
	deliver("c-stranger", strings.Replace(stranger, "dmarc=pass", "dmarc=fail", 1))
	const honest = 20
	for i := range honest {
		deliver(fmt.Sprintf("d-%02d", i), typed(manager, subject, plainText, fmt.Sprintf("I shall look into it, and write again: %d.", i),
			came.Add(time.Duration(i)*time.Minute)))
	}
	c.cycle(t, corpusDay, 10)
	kept, err := c.ledger.Quarantine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	unopened, damaged := 0, 0
	for _, k := range kept {
		if strings.HasPrefix(k.Reason, apart.NotOpened) {
			unopened++
		}
		if strings.Contains(k.Reason, "S/MIME envelope is damaged") {
			damaged++
		}
	}
	if unopened != 3 {
		t.Errorf("%d of 3 are in quarantine for it: %+v", unopened, kept)
	}
	if damaged != 1 {
		t.Errorf("what is nested without end is not refused as damaged: %+v", kept)
	}
	one, stored, err := c.Case(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, ev := range stored.Evidence {
		if ev.Kind == drp.Message && bytes.Contains(c.body(t, ev), []byte("write again: ")) {
			read++
		}
	}
	if read != honest {
		t.Errorf("%d of %d honest messages are in the dispute", read, honest)
	}
	for _, from := range []string{iro, manager} {
		address := drp.NewPrivate(from[strings.IndexByte(from, '<')+1 : len(from)-1])
		if !slices.ContainsFunc(one.Unread, func(u drp.Unread) bool { return u.Named && u.Proved && u.From.Address.Same(address) }) {
			t.Errorf("nobody knows that something of %s is not understood: %+v", from, one.Unread)
		}
	}
	rejected := slices.IndexFunc(kept, func(k ledger.Kept) bool { return strings.HasPrefix(k.Reason, apart.NotOpened) })
	var out bytes.Buffer
	if code := realMain(&app{ctx: t.Context(), out: &out, err: &out, now: time.Now}, []string{"--config", filepath.Join(dir, "drpd.yaml"),
		"quarantine", "reject", kept[rejected].ID}); code != 0 {
		t.Error(out.String())
	}
	c.cycle(t, corpusDay, 11)
	if after, err := c.ledger.Quarantine(t.Context()); err != nil || len(after) != len(kept)-1 {
		t.Errorf("%d of %d are left, %v", len(after), len(kept), err)
	}
}

// A message of a dispute that can be opened no more is not taken for one that says less: nothing of the dispute changes, the
// operator is told once a day, and all else goes on.
func TestNoLongerOpened(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "d")
	copyTree(t, theCouncil(t), dir)
	c := openCouncil(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "mail", "in", "raised.eml"), c.letter(t, "raised-by-the-chair"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.cycle(t, corpusDay, 10)
	all, err := c.ledger.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(x ledger.Listed) bool { return strings.HasPrefix(x.Ref, "C-") })
	if i < 0 {
		t.Fatal(all)
	}
	ref := all[i].Ref
	_, stored, err := c.Case(t.Context(), ref)
	form := slices.IndexFunc(stored.Evidence, func(ev drp.Evidence) bool { return ev.Kind == drp.Message })
	if err := errors.Join(err, c.close()); err != nil || form < 0 {
		t.Fatal(err, len(stored.Evidence))
	}
	c = openCouncil(t, dir)
	defer func() { _ = c.close() }()
	f := &c.Feeds[slices.IndexFunc(c.Feeds, func(f daemon.Feed) bool { return f.Apart })]
	read := f.Read
	f.Read = func(ctx context.Context, ev drp.Evidence, learned workday.Date) (drp.Reading, error) {
		r, err := read(ctx, ev, learned)
		if ev.ID == stored.Evidence[form].ID {
			return drp.Reading{Trusted: true, Sender: r.Sender, Sent: r.Sent, Unsafe: apart.NotOpened}, err
		}
		return r, err
	}
	c.Inputs += "changed" // so that every dispute is decided anew
	before, err := c.ledger.Effects(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	c.cycle(t, corpusDay+1, 10)
	c.cycle(t, corpusDay+1, 11)
	after, err := c.ledger.Effects(t.Context(), ref)
	if err != nil || len(after) != len(before) {
		t.Errorf("%d effects, and then %d, %v", len(before), len(after), err)
	}
	told := 0
	own, err := c.ledger.Effects(t.Context(), "")
	for _, e := range own {
		if e.Rule == "unsafe" && strings.Contains(e.Says, apart.NotOpened) {
			told++
		}
	}
	if err != nil || told != 1 {
		t.Errorf("told %d times, %v", told, err)
	}
	if _, _, err := c.Case(t.Context(), ref); err == nil {
		t.Error("the dispute is shown as if the message said nothing")
	}
}

// The operator reads a message that waits for them as a person does; its bytes are there for whoever asks for them.
func TestQuarantineShow(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "d")
	copyTree(t, theCouncil(t), dir)
	c := openCouncil(t, dir)
	defer func() { _ = c.close() }()
	words := base64.StdEncoding.EncodeToString([]byte("Who looks after Tia’s case now?\nPlease ring me."))
	message := typed("Ada Stone <ada@elsewhere.test>", "=?utf-8?B?"+base64.StdEncoding.EncodeToString([]byte("Tia’s review"))+"?=",
		`multipart/mixed; boundary="b"`, "--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"+words+"\n"+
			withFile("minutes of the review.docx", []byte("no document")), at(corpusDay, 9))
	message = strings.Replace(message, "dmarc=pass", "dmarc=fail", 1)
	if err := os.WriteFile(filepath.Join(dir, "mail", "in", "a.eml"), []byte(message), 0o600); err != nil {
		t.Fatal(err)
	}
	c.cycle(t, corpusDay, 10)
	kept, err := c.ledger.Quarantine(t.Context())
	i := slices.IndexFunc(kept, func(k ledger.Kept) bool { return strings.Contains(k.Reason, "DMARC") })
	if err != nil || i < 0 {
		t.Fatal(kept, err)
	}
	show := func(more ...string) string {
		code, out, errs := drpd(t, append([]string{"--config", filepath.Join(dir, "drpd.yaml"), "quarantine", "show", kept[i].ID}, more...)...)
		if code != 0 {
			t.Fatal(errs)
		}
		return out
	}
	out := show()
	for _, line := range []string{"From: ada@elsewhere.test\n", "To: drp@fairshire.example\n", "Sent: " + corpusDay.Long() + "\n",
		"Subject: Tia’s review\n", "\nWho looks after Tia’s case now?\nPlease ring me.\n", "\nAttached: minutes of the review.docx\n"} {
		if !strings.Contains(out, line) {
			t.Errorf("it does not say %q:\n%s", line, out)
		}
	}
	if strings.Contains(out, words) {
		t.Errorf("nobody can read this:\n%s", out)
	}
	if raw := show("--raw"); raw != message {
		t.Errorf("it did not come as this:\n%s", raw)
	}
}
