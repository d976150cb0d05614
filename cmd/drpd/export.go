package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"drpd/adapters/host"
	"drpd/adapters/paper"
	"drpd/core/drp"
	"drpd/core/layout"
	"drpd/core/port"
	"drpd/core/report"
)

type subjectExportCmd struct {
	Child string   `arg:"" help:"The child's number in the record system."`
	Out   string   `required:"" help:"The folder to write into: it is made, or is empty." type:"path"`
	Names []string `name:"name" help:"The child's name: finds messages that belong to no dispute and name no number."`
}

// unread is where the files lie in which no name is marked.
const unread = "not-to-be-given-out-unread"

// Run writes all that is held about a child.
func (c *subjectExportCmd) Run(a *app) error {
	return a.withDaemon(func(d *wired) error {
		held, err := d.Held(a.ctx, []string{c.Child}, c.Names)
		if err != nil {
			return err
		}
		if held.Nothing() {
			a.printf("nothing is held about this child under the number %s: is it written as the record system writes it?\n", c.Child)
			return nil
		}
		x := giving{app: a, wired: d, held: held, folder: filepath.Join(c.Out, unread)}
		if err := emptyFolder(c.Out); err != nil {
			return err
		}
		if err := os.MkdirAll(x.folder, 0o700); err != nil {
			return err
		}
		g, err := x.collect(c.Child)
		if err != nil {
			return err
		}
		doc, marks := report.Subject(g)
		if err := x.write(c.Out, doc, marks); err != nil {
			return err
		}
		a.printf("%s: what-is-held.docx and what-is-held.json; %d names are marked in them, which %s lists\n", c.Out, len(marks),
			filepath.Join(unread, namesFile))
		a.printf("%d files as they came and went are in %s. Somebody must look at everything before any of it is given out.\n", x.files, unread)
		return nil
	})
}

// emptyFolder makes a folder, or sees that there is nothing in it, and that nobody else can look into it.
func emptyFolder(name string) error {
	entries, err := os.ReadDir(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return os.MkdirAll(name, 0o700)
	case err != nil:
		return fmt.Errorf("--out: %w", err)
	case len(entries) > 0:
		return fmt.Errorf("--out %s: the folder holds something already: name another", name)
	}
	return host.PrivateFolder(name)
}

const namesFile = "names-to-redact.txt"

// giving is an export as it goes.
type giving struct {
	*app
	*wired
	held   port.About
	folder string
	files  int
}

// keep writes a file as it came or went.
func (x *giving) keep(name string, data []byte) (string, error) {
	x.files++
	name = port.FileName(name)
	return filepath.Join(unread, name), host.WriteFile(filepath.Join(x.folder, name), data)
}

func (x *giving) collect(child string) (g report.Given, err error) {
	g = report.Given{Authority: x.folders.config.Authority, Child: child, At: x.now().In(london())}
	if g.Names, err = x.Names(x.ctx, x.held); err != nil {
		return g, err
	}
	in, err := x.Report(x.ctx, report.Reader{Cleared: true}, 0)
	if err != nil {
		return g, err
	}
	for _, k := range x.held.Disputes {
		doc, err := report.One(in, k.Ref)
		if err != nil {
			g.Stays = append(g.Stays, "The story of dispute "+k.Ref+" cannot be told: "+err.Error())
		} else {
			g.Disputes = append(g.Disputes, doc)
		}
		for _, other := range k.Children {
			if !slices.Contains(x.held.Children, other) {
				g.Others = append(g.Others, other)
			}
		}
		if err := x.sent(&g, k.Ref); err != nil {
			return g, err
		}
		if err := x.stored(&g, k.Ref); err != nil {
			return g, err
		}
	}
	for i, ev := range x.held.Evidence {
		if err := x.came(&g, i+1, ev); err != nil {
			return g, err
		}
	}
	for _, ref := range x.held.Elsewhere {
		g.Stays = append(g.Stays, "Dispute "+ref+" is not about this child, and something in it is or was: look at it with drpd explain "+ref+".")
	}
	for _, id := range x.held.Unread {
		g.Stays = append(g.Stays, "Message "+id+" belongs to no dispute and cannot be read: drpd quarantine show "+id+".")
	}
	return g, nil
}

// came adds a piece of evidence, with the forms in it.
func (x *giving) came(g *report.Given, n int, ev port.AboutEvidence) error {
	body, err := x.Intake.Body(x.ctx, ev.ID)
	if errors.As(err, new(port.Damaged)) {
		g.Stays = append(g.Stays, "Evidence "+ev.ID+" is damaged and cannot be read.")
		return nil
	}
	if err != nil {
		return err
	}
	base := fmt.Sprintf("came-%04d-%s", n, ev.Learned.In(london()).Format("2006-01-02"))
	p := report.Piece{At: ev.Learned.In(london()), From: ev.Source, What: string(ev.Kind)}
	ending := ".json"
	if ev.Kind == drp.Message {
		ending = ".eml"
		l, err := x.reader.Read(x.ctx, body)
		if err != nil {
			return err
		}
		p.What = "message"
		p.Words = append(p.Words, "From: "+l.From, "To: "+strings.Join(append(l.To, l.Cc...), ", "), "Subject: "+l.Subject)
		if p.Cells, err = x.forms(base, ev.Evidence, body); err != nil {
			return err
		}
		if len(p.Cells) == 0 {
			p.Words = append(p.Words, paragraphs(l.Text)...)
		}
	} else if p.Words, err = flat(body); err != nil {
		p.Words = []string{"(it cannot be put into words: look at the file)"}
	}
	if p.File, err = x.keep(base+ending, body); err != nil {
		return err
	}
	g.Came = append(g.Came, p)
	return nil
}

func paragraphs(text string) (out []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// flat puts what is kept as JSON into lines.
func flat(body []byte) (out []string, err error) {
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return nil, err
	}
	var walk func(name string, v any)
	walk = func(name string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, key := range sortedKeys(v) {
				walk(strings.TrimPrefix(name+", "+key, ", "), v[key])
			}
		case []any:
			for _, one := range v {
				walk(name, one)
			}
		case nil:
		default:
			if text := fmt.Sprint(v); text != "" {
				out = append(out, name+": "+text)
			}
		}
	}
	walk("", v)
	return out, nil
}

// forms keeps the forms of a message, and gives all that is written in it.
func (x *giving) forms(base string, ev drp.Evidence, body []byte) ([]drp.Unit, error) {
	ev.Body = body
	r, err := x.Whole(x.ctx, ev)
	if err != nil {
		return nil, err
	}
	for i, form := range r.Forms {
		data, ok, err := x.FormOf(x.ctx, ev, form.Digest)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if _, err := x.keep(fmt.Sprintf("%s-form-%d%s", base, i+1, filepath.Ext(form.Name)), data); err != nil {
			return nil, err
		}
	}
	return r.Account, nil
}

// sent adds what was made of a dispute's effects.
func (x *giving) sent(g *report.Given, ref string) error {
	all, err := x.ledger.Letters(x.ctx, ref)
	if err != nil {
		return err
	}
	for _, l := range all {
		p := report.Piece{At: l.At.In(london()), From: l.Role, What: fmt.Sprintf("%s: %s (%s), %s", l.Dispute, l.Kind, l.Reason, l.Became)}
		if len(l.Message) > 0 {
			if p.File, err = x.keep(fmt.Sprintf("went-%04d-%s.eml", len(g.Sent)+1, p.At.Format("2006-01-02")), l.Message); err != nil {
				return err
			}
		}
		g.Sent = append(g.Sent, p)
	}
	return nil
}

// stored adds the files of the document store.
func (x *giving) stored(g *report.Given, ref string) error {
	names, err := x.folders.documents().Of(ref)
	if err != nil {
		return err
	}
	for _, name := range names {
		folder := filepath.Base(filepath.Dir(name))
		if !slices.ContainsFunc(x.held.Children, func(child string) bool { return port.FileName(child) == folder }) { // on a sibling's file
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		p := report.Piece{At: info.ModTime().In(london()), From: "document store", What: ref + ": a file of the document store"}
		if p.File, err = x.keep("store-"+filepath.Base(name), data); err != nil {
			return err
		}
		g.Sent = append(g.Sent, p)
	}
	return nil
}

// write writes the document, and the list of names that are marked in it.
func (x *giving) write(out string, doc report.Doc, marks []report.Mark) error {
	var docx, text bytes.Buffer
	if err := paper.Docx(&docx, doc); err != nil {
		return err
	}
	if err := layout.JSON(&text, doc); err != nil {
		return err
	}
	var names strings.Builder
	for _, m := range marks {
		fmt.Fprintf(&names, "%5d  %s\n", m.Times, m.Name)
	}
	return errors.Join(host.WriteFile(filepath.Join(out, "what-is-held.docx"), docx.Bytes()),
		host.WriteFile(filepath.Join(out, "what-is-held.json"), text.Bytes()),
		host.WriteFile(filepath.Join(x.folder, namesFile), []byte(names.String())))
}
