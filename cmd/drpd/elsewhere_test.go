package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// Another database may say who works with a child, though the mapping of the records says so too: its word counts. One that holds forms
// is another record system.
func TestPeopleElsewhere(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"ssd": "", "eclipse": "mappings demo and eclipse both hold forms"} {
		dir := filepath.Join(t.TempDir(), "copy")
		copyTree(t, theDemo(t), dir)
		reconfigure(t, dir, "mailbox:", "people: {name: elsewhere, engine: sqlserver, dsn_file: people.dsn, mapping: "+name+"}\nmailbox:")
		p, err := prepare(filepath.Join(dir, "drpd.yaml"))
		switch {
		case want != "":
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", name, err)
			}
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case p.mapping.System.HasPeople() || p.mapping.Titles()["CW"] != "social-worker":
			t.Errorf("%s: the mapping of the records says it too: %v", name, p.mapping.Titles())
		}
	}
}

// The number that a child had before counts only where there is a system before: else it is another child's number by chance.
func TestFormerNumbers(t *testing.T) {
	t.Parallel()
	for former, want := range map[string]string{"": "", "former: [{name: care-first, mapping: demo}]\n": "PERSON_ID_LEGACY"} {
		dir := filepath.Join(t.TempDir(), "copy")
		copyTree(t, theDemo(t), dir)
		reconfigure(t, dir, "records: {name: care-first, engine: sqlite, file: carefirst.db, mapping: demo}",
			former+"records: {name: mosaic, engine: sqlite, file: mosaic.db, mapping: mosaic}")
		p, err := prepare(filepath.Join(dir, "drpd.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if got := p.mapping.System.Person.Formerly; got != want {
			t.Errorf("with %q: %q, want %q", former, got, want)
		}
	}
}
