package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gomail "github.com/emersion/go-message/mail"

	"drpd/adapters/ledger"
	"drpd/adapters/mailer"
	"drpd/core/drp"
)

// A referral that is larger than its route carries goes in parts: each file once, whole, and the manifest names them all.
// The receipts of all parts are kept, and a case note says that it went, once all of it has.
func TestReferralInParts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "copy")
	copyTree(t, theDemo(t), dir)
	open := listed(t)
	ref := open[slices.IndexFunc(open, func(d ledger.Listed) bool {
		return strings.HasPrefix(d.Ref, "W-") && d.Summary.Stage == "stage-4"
	})].Ref
	clock := time.Date(2027, 1, 18, 9, 0, 0, 0, london())
	var said strings.Builder
	confirm := []string{"--config", filepath.Join(dir, "drpd.yaml"), "referral", "confirm", ref, "--by", "iro", "--because", "late",
		"--without", "legal-advice", "--although", "it cannot wait"}
	if code := realMain(&app{ctx: t.Context(), out: &said, err: &said, now: func() time.Time { return clock }}, confirm); code != 0 {
		t.Fatal(said.String())
	}
	c := openCouncil(t, dir)
	defer func() { _ = c.close() }()
	c.clock = clock
	pack, err := c.MakePack(t.Context(), ref)
	if err != nil || len(pack.Files) < 2 {
		t.Fatalf("%d files, %v", len(pack.Files), err)
	}
	largest := 0
	for _, f := range pack.Files {
		largest = max(largest, len(f.Data))
	}
	c.Mail.(*mailer.Router).Routes[0].Limit = 64<<10 + int64(largest)*100/70 + 200 // room for the largest file, and little else
	if _, err := c.Cycle(t.Context()); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "mail", "out", "2027-01-18_"+ref+"_pack_cafcass_*.eml"))
	if err != nil || len(files) < 2 {
		t.Fatalf("%d parts, %v", len(files), err)
	}
	got := make(map[string]string)
	subjects := make(map[string]bool)
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if limit := c.Mail.(*mailer.Router).Routes[0].Limit; int64(len(raw)) > limit {
			t.Errorf("%s has %d bytes, the route carries %d", name, len(raw), limit)
		}
		r, err := gomail.CreateReader(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		subject, err := r.Header.Subject()
		if err != nil {
			t.Fatal(err)
		}
		subjects[subject] = true
		for {
			p, err := r.NextPart()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			h, ok := p.Header.(*gomail.AttachmentHeader)
			if !ok {
				continue
			}
			name, err := h.Filename()
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(p.Body)
			if err != nil || got[name] != "" {
				t.Errorf("%s twice, or %v", name, err)
			}
			sum := sha256.Sum256(b)
			got[name] = hex.EncodeToString(sum[:])
			if name == "manifest.txt" {
				got[name] = string(b)
			}
		}
	}
	for i := range files {
		if want := fmt.Sprintf("[%s] Referral to CAFCASS (part %d of %d)", ref, i+1, len(files)); !subjects[want] {
			t.Errorf("no %q among %v", want, subjects)
		}
	}
	if len(got) != len(pack.Files) {
		t.Errorf("%d files arrive of %d", len(got), len(pack.Files))
	}
	for name, sum := range got {
		if name != "manifest.txt" && !strings.Contains(got["manifest.txt"], sum+"  "+name+"\r\n") {
			t.Errorf("the manifest does not hold %s as it came", name)
		}
	}
	effects, err := c.ledger.Effects(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	life := make(map[drp.EffectKind]drp.Life)
	for _, p := range effects {
		if p.Reason == drp.ReasonPack {
			life[p.Kind] = p.Life
		}
	}
	if life[drp.Email] != drp.Accepted || life[drp.CaseNote] != drp.Accepted {
		t.Errorf("the referral and its case note: %v", life)
	}
	s, err := c.ledger.Load(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	receipts := 0
	for _, ev := range s.Evidence {
		if ev.Kind == drp.Receipt && strings.Contains(string(c.body(t, ev)), `"pack"`) && strings.Contains(string(c.body(t, ev)), `"cafcass"`) {
			receipts++
		}
	}
	if receipts != len(files) {
		t.Errorf("%d receipts of %d parts", receipts, len(files))
	}
}
