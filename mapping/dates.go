package mapping

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"drpd/core/workday"
)

// ParseDay reads a date in one of the layouts, or day first as people write it: 2 March 2026, 02/03/2026, 2.3.26, Monday
// 2nd March 2026. What it cannot read for certain is an error.
func ParseDay(s string, layouts []string) (workday.Date, error) {
	s = strings.TrimSpace(s)
	if !strings.ContainsAny(s, "0123456789") {
		return 0, errNoDate
	}
	for _, l := range layouts {
		if d, ok := parseLayout(l, s); ok {
			return d, nil
		}
	}
	if figures.MatchString(s) { // 04 / 04 / 24
		s = spaced.ReplaceAllString(s, "$1")
	}
	t := strings.ToLower(oneWay.Replace(s))
	t = strings.ReplaceAll(t, "sept ", "sep ")
	words := strings.Fields(t)
	weekday := ""
	if len(words) > 1 && weekdays[words[0]] != "" {
		weekday, words = weekdays[words[0]], words[1:]
	}
	for i, w := range words {
		for _, suffix := range []string{"st", "nd", "rd", "th"} {
			if head, ok := strings.CutSuffix(w, suffix); ok && head != "" && head[0] >= '0' && head[0] <= '9' {
				words[i] = head
			}
		}
	}
	words = slices.DeleteFunc(words, func(w string) bool { return w == "the" || w == "of" })
	t = strings.Join(words, " ")
	for _, l := range []string{"2/1/2006", "2/1/06", "2006/1/2", "2 january 2006", "2 jan 2006", "2/jan/2006", "2/jan/06", "2 january 06",
		"2 jan 06", "january 2 2006", "jan 2 2006"} {
		if d, ok := parseLayout(l, t); ok {
			if weekday != "" && !strings.EqualFold(d.Weekday().String(), weekday) {
				return 0, fmt.Errorf("%s is a %s", d, d.Weekday())
			}
			return d, nil
		}
	}
	return 0, errNoDate
}

var errNoDate = errors.New("no date that can be read for certain")

// oneWay writes what stands between the parts of a date in one way.
var oneWay = strings.NewReplacer(",", " ", ".", "/", "-", "/", "'", "", "’", "")

var (
	figures = regexp.MustCompile(`^[\d ./-]+$`)
	spaced  = regexp.MustCompile(` *([./-]) *`)
)

// timeOfDay is a time after a date: at 2pm, 14:30, 14.30 hrs.
var timeOfDay = regexp.MustCompile(`(?i)[ ,]+(?:at )?(?:\d{1,2}:\d{2}(?: ?[ap]\.?m\.?| ?hrs?)?|\d{1,2}(?:\.\d{2})? ?(?:[ap]\.?m\.?|hrs?))$`)

// dayBy reads a date as people write it in a form that came on a day: one without a year is the nearest of its kind.
func dayBy(s string, came workday.Date) (workday.Date, error) {
	s = timeOfDay.ReplaceAllString(strings.TrimSpace(s), "")
	on, err := ParseDay(s, nil)
	if err == nil || came.IsZero() {
		return on, err
	}
	const halfAYear = 182
	for year := came.Year() - 1; year <= came.Year()+1; year++ {
		for _, sep := range []string{" ", "/"} {
			if d, err := ParseDay(fmt.Sprint(strings.TrimSpace(s), sep, year), nil); err == nil && d-came <= halfAYear && came-d < halfAYear {
				return d, nil
			}
		}
	}
	return 0, err
}

// weekdays are the names that people write for them.
var weekdays = map[string]string{
	"monday": "monday", "mon": "monday", "tuesday": "tuesday", "tues": "tuesday", "tue": "tuesday", "wednesday": "wednesday",
	"weds": "wednesday", "wed": "wednesday",
	"thursday": "thursday", "thurs": "thursday", "thur": "thursday", "thu": "thursday", "friday": "friday", "fri": "friday",
	"saturday": "saturday", "sat": "saturday", "sunday": "sunday", "sun": "sunday",
}

// fits says whether a text may be of a layout: it has each mark that stands in the layout before its zone. To ask first is much cheaper
// than to parse in vain, which is what most layouts would do with most texts.
func fits(layout, s string) bool {
	for _, zone := range []string{"Z07", "-07"} {
		layout, _, _ = strings.Cut(layout, zone)
	}
	for _, mark := range []string{":", "-", "/"} {
		if n := strings.Count(layout, mark); n > 0 && strings.Count(s, mark) < n {
			return false
		}
	}
	return !strings.Contains(strings.TrimRight(layout, " "), " ") || strings.Contains(s, " ")
}

func parseLayout(layout, s string) (workday.Date, bool) {
	if !fits(layout, s) {
		return 0, false
	}
	t, err := time.Parse(layout, s)
	if err != nil && strings.Contains(layout, "jan") {
		t, err = time.Parse(strings.Replace(layout, "jan", "Jan", 1), capital(s))
	}
	if err != nil || t.Year() < 1900 {
		return 0, false
	}
	return workday.DateOf(t), true
}

// stamps are how the driver of an engine gives what a column of dates or times holds: an instant, or what a clock showed.
var stamps = []string{"2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02T15:04:05"}

// InUTC says whether a column holds UTC where its times have no zone of their own.
func (s *System) InUTC(column string) bool { return s.Zone == "utc" || slices.Contains(s.UTC, column) }

func (s *System) zone(column string) *time.Location {
	if s.InUTC(column) {
		return time.UTC
	}
	return s.local
}

// stamp reads a time of a column: one with a zone of its own as it is, another as the mapping says.
func (s *System) stamp(column, text string) (time.Time, bool) {
	zone := s.zone(column)
	for _, layouts := range [][]string{s.DateFormats, stamps} {
		for _, l := range layouts {
			if !strings.Contains(l, "15") || !fits(l, text) { // a date alone
				continue
			}
			if t, err := time.ParseInLocation(l, text, zone); err == nil {
				return t, true
			}
		}
	}
	return time.Time{}, false
}

// day reads the civil date of a column or an answer.
func (s *System) day(column, text string) (workday.Date, error) {
	text = strings.TrimSpace(text)
	if t, ok := s.stamp(column, text); ok && t.Year() >= 1900 {
		return workday.DateOf(t.In(s.local)), nil
	}
	return ParseDay(text, s.DateFormats)
}

// filler says whether a date is one that systems put where there is none: the first day of 1900, or one that nobody will see.
func (s *System) filler(column, text string) bool {
	on, err := s.day(column, text)
	if err != nil {
		return false
	}
	year, month, day := on.Midnight().Date()
	return year == 1900 && month == 1 && day == 1 || year >= 2300
}

// Stamp reads a value of a change column, so that two of them can be compared.
func (s *System) Stamp(column, text string) (time.Time, bool) {
	text = strings.TrimSpace(text)
	if t, ok := s.stamp(column, text); ok {
		return t, true
	}
	on, err := ParseDay(text, s.DateFormats)
	if err != nil {
		return time.Time{}, false
	}
	y, m, d := on.Midnight().Date()
	return time.Date(y, m, d, 0, 0, 0, 0, s.zone(column)), true
}

// Since writes a time as a change column holds it, so that a database can compare the two; like is a value of it. It is
// false for text that does not sort as time goes by.
func (s *System) Since(column, like string, t time.Time) (string, bool) {
	like = strings.TrimSpace(like)
	for _, l := range slices.Concat(s.DateFormats, stamps, []string{time.DateOnly}) {
		if _, err := time.Parse(l, like); err != nil {
			continue
		}
		if strings.HasSuffix(l, "Z07:00") { // asked for without its zone: sessions are in UTC
			return t.UTC().Format(time.DateTime), strings.HasPrefix(l, "2006")
		}
		return t.In(s.zone(column)).Format(l), strings.HasPrefix(l, "2006")
	}
	return "", false
}

// Dated says whether the mapping reads a column as a date or a time.
func (s *System) Dated(column string) bool {
	dates := slices.Concat(s.State.On, []string{s.People.From, s.People.Until})
	for _, x := range s.Facts {
		dates = append(dates, x.On...)
	}
	if s.Loaded != nil {
		dates = append(dates, s.Loaded.On)
	}
	if s.Moves != nil {
		dates = append(dates, s.Moves.On)
	}
	for _, a := range s.Answers {
		if a.Dates {
			dates = append(dates, a.Answer)
		}
	}
	for _, r := range s.Relations() {
		dates = append(dates, r.Change)
	}
	return slices.Contains(dates, column)
}

// capital gives the month its capital letter, as time.Parse wants it.
func capital(s string) string {
	day, rest, ok := strings.Cut(s, " ")
	if !ok || rest == "" {
		return s
	}
	return day + " " + strings.ToUpper(rest[:1]) + rest[1:]
}

// yesNo reads a tick or a word, or two that say the same: "no, not yet".
func yesNo(s string) (yes, known bool) {
	if yes, known = tickOrWord(s); known {
		return yes, known
	}
	words := twice.Split(s, 2)
	yes, known = tickOrWord(words[0])
	again, also := tickOrWord(words[len(words)-1])
	return yes, known && also && again == yes
}

// twice stands between two words that say the same.
var twice = regexp.MustCompile(`[,;.]\s+|\s+[–—-]\s+`)

func tickOrWord(s string) (yes, known bool) {
	switch strings.ToLower(strings.Trim(s, " ./")) {
	case "y", "yes", "true", "1", "x", "☒", "☑", "✓", "✔", "ticked", "resolved":
		return true, true
	case "n", "no", "false", "0", "not resolved", "unresolved", "not yet":
		return false, true
	}
	return false, false
}

// boxMarks are boxes to tick, and round ones.
const boxMarks = "☒☐○●◯◉"

// isCross says whether a text is nothing but a mark that somebody made.
func isCross(s string) bool {
	switch strings.TrimSpace(typedBoxes(s)) {
	case "x", "X", "✓", "✔", "✗", "✘", "☒":
		return strings.TrimSpace(s) != "☒" // a box, and no cross alone
	}
	return false
}

// typedBox is a box that somebody has typed: [x], [ ], ( X ).
var typedBox = regexp.MustCompile(`[\[(](?:[ \t]*[xX✓✔✗✘][ \t]*|[ \t]+)[\])]`)

// typedBoxes makes a box of each that somebody has typed.
func typedBoxes(s string) string {
	if !strings.ContainsAny(s, "[(") {
		return s
	}
	return typedBox.ReplaceAllStringFunc(s, asBox)
}

func asBox(typed string) string {
	if strings.Trim(typed, "[]() \t") == "" {
		return "☐"
	}
	return "☒"
}

// longChoice is more than options with their boxes take, in bytes.
const longChoice = 2000

var boxesApart = strings.NewReplacer("☒", " ☒ ", "☐", " ☐ ", "☑", " ☒ ", "○", " ☐ ", "●", " ☒ ", "◯", " ☐ ", "◉", " ☒ ")

// choice reads boxes to tick, each before its option or each behind it: the option that is ticked, and how many are. A text
// without boxes is what it says; boxes of which none is ticked say nothing. A box alone is what it is.
func choice(text string) (chosen string, n int) {
	if len(text) > longChoice {
		return text, 1
	}
	var parts []string // options and boxes, in their order
	text = typedBoxes(text)
	for _, word := range strings.Fields(boxesApart.Replace(text)) {
		switch {
		case word == "☒" || word == "☐":
			parts = append(parts, word)
		case isCross(word) && strings.TrimSpace(text) != word:
			parts = append(parts, "☒")
		case len(parts) > 0 && parts[len(parts)-1] != "☒" && parts[len(parts)-1] != "☐":
			parts[len(parts)-1] += " " + word
		default:
			parts = append(parts, word)
		}
	}
	box := func(i int) bool { return i >= 0 && i < len(parts) && (parts[i] == "☒" || parts[i] == "☐") }
	boxes := 0
	for i := range parts {
		if box(i) {
			boxes++
		}
	}
	switch {
	case boxes == 0:
		return text, 1
	case boxes == len(parts): // nothing but boxes
		if ticks := strings.Count(strings.Join(parts, ""), "☒"); ticks > 0 && boxes > 1 {
			return "", 2
		} else if ticks == 1 {
			return "☒", 1
		}
		return "", 0
	}
	step := 1 // to the option of a box
	if !box(0) {
		step = -1
	}
	for i := range parts {
		if !box(i) || parts[i] == "☐" {
			continue
		}
		if n++; i+step >= 0 && i+step < len(parts) && !box(i+step) {
			chosen = strings.Trim(parts[i+step], " /,;|")
		} else {
			n++ // a mark that belongs to nothing
		}
	}
	if n == 1 {
		return chosen, 1
	}
	return "", n
}
