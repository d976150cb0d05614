package mapping

import (
	"strings"
	"time"

	"drpd/core/workday"
)

func parseLayout(layout, s string) (workday.Date, bool) {
	t, err := time.Parse(layout, s)
	if err != nil && strings.Contains(layout, "jan") {
		t, err = time.Parse(strings.Replace(layout, "jan", "Jan", 1), capital(s))
	}
	if err != nil || t.Year() < 1900 {
		return 0, false
	}
	return workday.DateOf(t), true
}

// capital gives the month its capital letter, as time.Parse wants it.
func capital(s string) string {
	day, rest, ok := strings.Cut(s, " ")
	if !ok || rest == "" {
		return s
	}
	return day + " " + strings.ToUpper(rest[:1]) + rest[1:]
}

// yesNo reads a tick or a word.
func yesNo(s string) (yes, known bool) {
	switch strings.ToLower(strings.Trim(strings.TrimSpace(s), ".")) {
	case "y", "yes", "true", "1", "x", "☒", "☑", "✓", "ticked":
		return true, true
	case "n", "no", "false", "0", "not resolved":
		return false, true
	}
	return false, false
}
