package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/unicode"

	"drpd/policies"
)

// What would only be found out at night is found by the check: folders that cannot be written, a year that is a slip, a procedure to which
// nothing leads, and what an editor has put before a template or a certificate is none of them.
func TestCheckPlaces(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		from, to string
		do       func(dir string) error
		want     string // "": it finds nothing
	}{
		"as it is": {"go_live", "go_live", nil, ""},
		"a file in place of a folder": {"documents: {folder: documents}", "documents: {folder: file/below}",
			func(dir string) error { return os.WriteFile(filepath.Join(dir, "file"), nil, 0o600) }, "documents.folder: "},
		"reports": {"folder: reports", "folder: file", func(dir string) error { return os.WriteFile(filepath.Join(dir, "file"), nil, 0o600) },
			"reports.folder: "},
		"no such procedure": {"policies: [housing]", "policies: [hausing]", nil, `drpd.yaml:19:82: report "housing" is about the procedure "hausing": ` +
			`no such procedure (housing?)`},
		"no such role":       {"to: csc-head-of-service", "to: head-of-nothing", nil, `drpd.yaml:19:27: report "housing" goes to the role "head-of-nothing"`},
		"a slip of the year": {"go_live: 2026-10-19", "go_live: 2062-10-19", nil, "go_live: nothing goes before 2062-10-19"},
		"a procedure without forms": {"roster: roster.yaml", "roster: roster.yaml\npolicies: ours", func(dir string) error {
			if err := os.CopyFS(filepath.Join(dir, "ours"), policies.FS); err != nil {
				return err
			}
			b, err := os.ReadFile(filepath.Join(dir, "ours", "housing", "policy.yaml"))
			if err != nil {
				return err
			}
			other := filepath.Join(dir, "ours", "unused")
			b = bytes.Replace(b, []byte("policy: housing"), []byte("policy: unused"), 1)
			b = bytes.Replace(b, []byte("forms: [housing-"), []byte("forms: [unused-"), 1)
			if err := os.Mkdir(other, 0o700); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(other, "policy.yaml"), b, 0o600)
		}, "policy unused version 1: nothing leads to it"},
		"a template by Notepad": {"roster: roster.yaml", "roster: roster.yaml\ntemplates: ours", func(dir string) error {
			return marked(dir, "note.txt.tmpl", unicode.UTF8BOM.NewEncoder().String)
		}, ""},
		"a template by PowerShell": {"roster: roster.yaml", "roster: roster.yaml\ntemplates: ours", func(dir string) error {
			return marked(dir, "note.txt.tmpl", unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "d")
			if err := emptyStage(t, dir).close(); err != nil {
				t.Fatal(err)
			}
			if tt.from != tt.to {
				reconfigure(t, dir, tt.from, tt.to)
			}
			if tt.do != nil {
				if err := tt.do(dir); err != nil {
					t.Fatal(err)
				}
			}
			var out bytes.Buffer
			a := &app{ctx: t.Context(), out: &out, err: &out, now: func() time.Time { return at(stageFrom, 9) }}
			code := realMain(a, []string{"--config", filepath.Join(dir, "drpd.yaml"), "check"})
			if (code == 0) != (tt.want == "") || !strings.Contains(out.String(), tt.want) {
				t.Errorf("exit %d, want %q:\n%s", code, tt.want, out.String())
			}
		})
	}
}

// marked writes a shipped template into a folder as an editor does that marks how it saves text.
func marked(dir, name string, by func(string) (string, error)) error {
	b, err := os.ReadFile(filepath.Join("..", "..", "core", "letter", "templates", name))
	if err != nil {
		return err
	}
	text, err := by(string(b))
	if err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(dir, "ours"), 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "ours", name), []byte(text), 0o600)
}
