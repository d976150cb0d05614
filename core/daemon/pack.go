package daemon

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"strings"

	"drpd/core/drp"
	"drpd/core/layout"
	"drpd/core/letter"
	"drpd/core/reconcile"
	"drpd/core/report"
)

// Paper writes reports as documents.
type Paper struct {
	PDF, Docx func(layout.Doc) ([]byte, error)
}

// Pack is a referral to CAFCASS, ready to be read or sent.
type Pack struct {
	Dispute report.Dispute
	Missing []string // required parts that are not there
	Without []string // and those without which somebody has said that it is to go
	Letter  layout.Doc
	Files   []letter.File // the pack as PDF, the forms as they came, the manifest
}

// MakePack puts a referral together. It can be made at any time; nothing is sent by it.
func (d *Daemon) MakePack(ctx context.Context, ref string) (Pack, error) {
	c, stored, err := d.Case(ctx, ref)
	if err != nil {
		return Pack{}, err
	}
	if c.Policy == nil {
		return Pack{}, fmt.Errorf("the policy of dispute %s is not loaded", ref)
	}
	if c.Policy.Referral == nil {
		return Pack{}, fmt.Errorf("the procedure %s knows no referral to CAFCASS", c.Policy.ID)
	}
	in := report.PackInput{Required: d.PackParts}
	var out Pack
	if out.Dispute, err = d.dispute(ctx, c); err != nil {
		return out, err
	}
	var forms []letter.File
	for i, form := range c.File.Forms {
		data, ok, err := d.formBytes(ctx, stored, form)
		if err != nil {
			return out, err
		}
		if !ok {
			return out, fmt.Errorf("a form of dispute %s cannot be found in its message", ref)
		}
		name := fmt.Sprintf("form-%02d%s", i+1, cmp.Or(path.Ext(form.Name), ".docx"))
		forms = append(forms, letter.File{Name: name, Type: typeOf(name), Data: data})
		in.Files = append(in.Files, report.PackFile{Name: name, Digest: digest(data), Size: len(data), Sent: form.Sent.String()})
	}
	about := report.Input{Authority: d.Writer.Authority(), At: d.Now().In(d.Zone), Today: d.today()}
	out.Missing, out.Without = out.Dispute.Lacks(in)
	out.Letter = out.Dispute.Letter(about, in)
	pdf, err := d.Paper.PDF(out.Dispute.Pack(about, in))
	if err != nil {
		return out, err
	}
	out.Files = append([]letter.File{{Name: "referral-" + ref + ".pdf", Type: "application/pdf", Data: pdf}}, forms...)
	var manifest strings.Builder
	for _, f := range out.Files {
		fmt.Fprintf(&manifest, "%s  %s\r\n", digest(f.Data), f.Name)
	}
	out.Files = append(out.Files, letter.File{Name: "manifest.txt", Type: "text/plain", Data: []byte(manifest.String())})
	return out, nil
}

// packInWords lists for the owner, who is asked to confirm a referral, what the pack would hold today and what is missing in it.
func (d *Daemon) packInWords(ctx context.Context, ref string) []string {
	pack, err := d.MakePack(ctx, ref)
	if err != nil {
		return []string{"the pack cannot be put together today; the operator sees why by drpd referral show " + ref}
	}
	var files []string
	for _, f := range pack.Files {
		files = append(files, f.Name)
	}
	out := []string{"the pack, as it would go today: " + strings.Join(files, ", ") +
		"; the first holds the letter, a summary, the chronology, the stages, who was told, the legal advice and the decision"}
	switch {
	case len(pack.Missing)+len(pack.Without) == 0:
		return append(out, "no required part is missing in it")
	case len(pack.Missing) == 0:
		return append(out, "it goes without: "+strings.Join(pack.Without, ", "))
	}
	return append(out, "missing in it: "+strings.Join(pack.Missing, ", ")+"; it waits for these, unless you say why it is to go without them")
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// packLetter makes the message of a confirmed referral, or says why it must wait.
func (d *Daemon) packLetter(ctx context.Context, e drp.Effect) (letter.Letter, string, error) {
	pack, err := d.MakePack(ctx, e.Dispute)
	if err != nil {
		return letter.Letter{}, "", err
	}
	if len(pack.Missing) > 0 {
		return letter.Letter{}, "required parts of the referral are missing: " + strings.Join(pack.Missing, ", ") +
			"; see to them, or say: drpd referral confirm " + e.Dispute + " --without PART --because WHY", nil
	}
	html, err := layout.HTML(pack.Letter)
	return letter.Letter{Subject: "[" + e.Dispute + "] Referral to CAFCASS", Text: layout.Plain(pack.Letter), HTML: html,
		Files: pack.Files}, "", err
}

// meetingPapers gives the agenda and the form for the minutes, to go along with an invitation.
func (d *Daemon) meetingPapers(ctx context.Context, e drp.Effect, c reconcile.Case) ([]letter.File, error) {
	x, err := d.dispute(ctx, c)
	if err != nil {
		return nil, err
	}
	about := report.Input{Authority: d.Writer.Authority()}
	var out []letter.File
	for _, doc := range []layout.Doc{x.Agenda(about, e.Agenda), x.Minutes(about, e.Agenda)} {
		data, err := d.Paper.Docx(doc)
		if err != nil {
			return nil, err
		}
		out = append(out, letter.File{Name: doc.Name + ".docx", Type: wordDocument, Data: data})
	}
	return out, nil
}
