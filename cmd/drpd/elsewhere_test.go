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
