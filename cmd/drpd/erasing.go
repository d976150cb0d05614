package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"drpd/adapters/host"
	"drpd/adapters/records/docstore"
	"drpd/adapters/workbook"
	"drpd/cmd/drpd/config"
	"drpd/core/port"
)

// erasedFile is where what was erased is kept besides the ledger, as digests: a copy that is put back is erased again by it.
func erasedFile(c *config.Config) string { return c.Path(c.State.Key) + ".erased" }

// folders are drpd's own, from which what is erased is taken too.
type folders struct {
	config *config.Config
	list   *workbook.Worklist // nil: case notes go another way
}

// worklist is the source that reads back what people key in, and the route by which case notes go there.
const worklist = "worklist"

// route is the one under which it is kept that a case note went.
func (f folders) route() string {
	if f.list == nil {
		return ""
	}
	return f.list.Name
}

func (f folders) documents() *docstore.Folder {
	return &docstore.Folder{Path: f.config.Path(f.config.Documents.Folder), Write: host.WriteFile}
}

// clear takes what was erased out of drpd's own folders, and writes the certificate. Done again it finds nothing.
func (f folders) clear(c port.Certificate) (port.Certificate, error) {
	for _, ref := range c.Disputes {
		n, err := f.documents().Erase(ref)
		if err != nil {
			return c, err
		}
		c.Files += n
	}
	names, err := f.reports(c.Disputes)
	if err != nil {
		return c, err
	}
	names = append(names, f.ownCopies()...)
	for _, name := range names {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return c, fmt.Errorf("%s cannot be taken away", filepath.Base(name))
		}
	}
	c.Files += len(names)
	if f.list != nil {
		n, err := f.list.Erase(c.Disputes)
		if err != nil {
			return c, err
		}
		c.Files += n
	}
	if c.Copies, err = copiesBefore(f.config, c.At); err != nil {
		return c, err
	}
	folder := filepath.Join(filepath.Dir(f.config.Path(f.config.State.Key)), "erased")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return c, err
	}
	name := certificateName(c.Number)
	if c.Restored { // that of the first time stays: it says what was erased then
		name = "again-" + name
	}
	return c, host.WriteFile(filepath.Join(folder, name), []byte(certificateWords(f.config.Authority, c)))
}

func certificateName(n int64) string { return fmt.Sprintf("certificate-%04d.txt", n) }

// reports are the copies of reports in which one of the disputes stands.
func (f folders) reports(disputes []string) (out []string, err error) {
	if f.config.Reports.Folder == "" || len(disputes) == 0 {
		return nil, nil
	}
	folder := f.config.Path(f.config.Reports.Folder)
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".xlsx" {
			continue
		}
		name := filepath.Join(folder, e.Name())
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if found, err := workbook.Mentions(data, disputes); err == nil && found { // what is no workbook is none of drpd's
			out = append(out, name)
		}
	}
	return out, err
}

// ownCopies are the copies of the state that drpd itself left: before its schema changed, and before another was put back.
func (f folders) ownCopies() (out []string) {
	for _, path := range slices.Compact([]string{f.config.Path(f.config.State.Key), f.config.Path(f.config.State.File)}) {
		if path == "" {
			continue
		}
		entries, err := os.ReadDir(filepath.Dir(path))
		if err != nil {
			continue
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), filepath.Base(path)+".before-") {
				out = append(out, filepath.Join(filepath.Dir(path), e.Name()))
			}
		}
	}
	return out
}

// certificateWords is a certificate as people read it.
func certificateWords(authority string, c port.Certificate) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("Certificate of erasure %d", c.Number)
	line("%s", authority)
	line("")
	line("When:      %s", c.At.In(london()).Format("2 January 2006, 15:04:05"))
	line("By:        %s", c.By)
	line("Because:   %s", c.Because)
	line("Disputes:  %s", orNone(strings.Join(c.Disputes, ", ")))
	line("Erased:    %d pieces of evidence, %d effects, %d messages, %d files in drpd's own folders", c.Evidence, c.Effects, c.Messages, c.Files)
	line("Children:  %s", orNone(strings.Join(c.Children, ", ")))
	line("           (digests of their numbers, made with drpd's key; nobody's number or name is in this certificate)")
	line("What:      sha256 %s", c.Digest)
	line("           (of the list of all that is gone, in the file of what was erased beside drpd's key)")
	line("Audit:     entry %d", c.Entry)
	if c.Restored {
		line("Again:     the state was put back from an older copy, and this was erased in it again")
	}
	line("")
	line("Not erased, since it is not drpd's: the record system with its case notes, the mailbox, the archive of what was sent, backups of")
	line("the machine and of its database's own log.")
	for _, copied := range c.Copies {
		line("A copy of the state holds it still: %s", copied)
	}
	if len(c.Copies) > 0 {
		line("Destroy these copies. One that is put back with drpd state restore is erased again.")
	}
	return b.String()
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// stateCopy is a line of the list of copies: what was copied where and when, and how far the audit had come.
type stateCopy struct {
	File    string    `json:"file"`
	Made    time.Time `json:"made"`
	Entries int       `json:"entries"` // of the audit
}

func copiesFile(c *config.Config) string { return c.Path(c.State.Key) + ".copies" }

// noteCopy adds a copy to the list.
func noteCopy(c *config.Config, x stateCopy) error {
	line, err := json.Marshal(x)
	if err != nil {
		return err
	}
	if err := host.Append(copiesFile(c), append(line, '\n')); err != nil {
		return fmt.Errorf("the list of copies: %w", err)
	}
	return nil
}

// copiesBefore gives the copies that were made before a time: by their files those that are still there, and how many are not.
func copiesBefore(c *config.Config, at time.Time) (out []string, err error) {
	b, err := os.ReadFile(copiesFile(c))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the list of copies: %w", err)
	}
	elsewhere := 0
	lines := bufio.NewScanner(bytes.NewReader(b))
	for lines.Scan() {
		var x stateCopy
		switch {
		case json.Unmarshal(lines.Bytes(), &x) != nil || x.Made.After(at):
		case !there(x.File):
			elsewhere++
		default:
			out = append(out, x.File+", made on "+x.Made.In(london()).Format("2 January 2006, 15:04"))
		}
	}
	if elsewhere > 0 {
		out = append(out, fmt.Sprintf("%d more, no longer where they were made", elsewhere))
	}
	return out, lines.Err()
}
