package main

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"
	"time"

	"drpd/adapters/document"
	"drpd/adapters/mailbox"
	"drpd/core/drp"
	"drpd/core/workday"
	"drpd/mapping"
	"drpd/mapping/accounttest"
)

// The law of accounting holds of every message and of every form that is kept, by every mapping that there is of a form; so it does of
// those in DRPD_TEST_CASES, a folder of others.
func TestAccounts(t *testing.T) {
	t.Parallel()
	var forms []*mapping.Form
	for _, pattern := range []string{"../../mapping/forms/*.yaml", "../../testdata/forms/*.yaml", "../../testdata/northmere/mappings/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			form, err := mapping.LoadForm(os.DirFS(filepath.Dir(name)), filepath.Base(name))
			if err == nil && filepath.Base(name) != "expect.yaml" {
				forms = append(forms, form)
			}
		}
	}
	if len(forms) < 13 {
		t.Fatalf("%d mappings of forms", len(forms))
	}
	patterns := []string{"../../testdata/mail/*.eml", "../../testdata/mail/forms/*", "../../testdata/northmere/*.eml",
		"../../testdata/forms/*"}
	if own := os.Getenv("DRPD_TEST_CASES"); own != "" {
		patterns = append(patterns, own+"/mail*/*.eml", own+"/forms/*")
	}
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			l := letterOf(t, name, data)
			for _, form := range forms {
				set := mapping.Set{Forms: []*mapping.Form{form}, Mailbox: "drp@fairshire.example"}
				r := set.ReadLetter(drp.Evidence{ID: "e"}, l, workday.NewDate(2026, time.November, 23))
				accounttest.Check(t, l, r)
				if t.Failed() {
					t.Fatalf("%s by %s", name, form.Note)
				}
			}
		}
	}
}

// letterOf is a message of a corpus, or a form that comes alone.
func letterOf(t *testing.T, name string, data []byte) (l mapping.Letter) {
	t.Helper()
	if filepath.Ext(name) == ".eml" {
		data = placeholder.ReplaceAllFunc(data, func(m []byte) []byte {
			parts := placeholder.FindSubmatch(m)
			form, err := os.ReadFile(filepath.Join(corpus, "forms", string(parts[2])))
			if string(parts[1]) != "file" || err != nil {
				return m
			}
			return []byte(base64.StdEncoding.EncodeToString(form))
		})
		r := mailbox.Reader{Zone: london(), Open: document.Open, Page: document.HTML, PageWords: document.Words, Lines: document.Text}
		return r.Read(data)
	}
	if filepath.Ext(name) == ".txt" {
		if body, err := document.Text("part 1", string(data)); err == nil {
			l.Text, l.Body = string(data), &body
		}
	} else if sheets, err := document.Open("part 2", data); err == nil {
		l.Sheets = sheets
	}
	return l
}
