package main

import (
	"strings"
	"testing"
)

// A form is shown cell by cell, with what becomes of it, and without what people wrote unless that is asked for.
func TestMappingShow(t *testing.T) {
	t.Parallel()
	masked := inDemo(t, "mapping", "show", "--sample", "2")
	if n := strings.Count(masked, "\nform ") + 1; n != 2 || !strings.Contains(masked, "characters)") || !strings.Contains(masked, "  it says:\n") || !strings.Contains(masked, "    raised, 2026-") {
		t.Errorf("%d forms: %s", n, masked)
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(masked, "form "), ":")
	open := inDemo(t, "mapping", "show", "--form", first, "--values")
	if strings.Count(open, "form "+first) != 1 || strings.Contains(open, "characters)") || strings.Contains(masked, "w-101") {
		t.Errorf("form %s: %s", first, open)
	}
	var secret string
	for _, line := range strings.Split(open, "\n") {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name == "DRP_DESIRED" {
			secret = strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	if secret == "" || strings.Contains(masked, secret) {
		t.Errorf("what people wrote is shown unasked: %q", secret)
	}
}

// Whoever is to mend something at its source is told under which number it stands there.
func TestRecordIsNamed(t *testing.T) {
	t.Parallel()
	ref := ""
	for _, line := range strings.Split(inDemo(t, "list"), "\n") {
		if strings.HasPrefix(line, "W-") {
			ref, _, _ = strings.Cut(line, " ")
		}
	}
	for _, command := range [][]string{{"explain", ref}, {"conflict", "show", ref}} {
		if out := inDemo(t, command...); !strings.Contains(out, "record 5") {
			t.Errorf("%v: %.300s", command, out)
		}
	}
}
