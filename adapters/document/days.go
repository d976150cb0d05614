package document

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"drpd/core/workday"
	"drpd/mapping"
)

// orderOf is the order in which a format writes day, month and year in figures, such as mdy; "" for any other format. The
// sign of the month is m or M: the other one is that of the minutes.
func orderOf(format string, month byte) string {
	order := ""
	for i := range len(format) {
		c := format[i]
		switch {
		case c == month && strings.HasPrefix(format[i:], strings.Repeat(string(month), 3)):
			return "" // the month is a word
		case c == month:
			c = 'm'
		case c != 'd' && c != 'y':
			continue
		}
		if !strings.Contains(order, string(c)) {
			order += string(c)
		}
	}
	if len(order) != 3 {
		return ""
	}
	return order
}

var figures = regexp.MustCompile(`^(\d{1,4})\D(\d{1,2})\D(\d{1,4})(?:\D.*)?$`)

// dayIn reads a date in figures in the order that its field gives.
func dayIn(order, text string) (workday.Date, bool) {
	m := figures.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil || len(order) != 3 {
		return 0, false
	}
	part := func(c string) int {
		n, _ := strconv.Atoi(m[1+strings.Index(order, c)])
		return n
	}
	year := part("y")
	if year < 100 {
		year += 2000
	}
	on, err := mapping.ParseDay(fmt.Sprintf("%04d-%02d-%02d", year, part("m"), part("d")), nil)
	return on, err == nil
}

// inOrder writes a date in figures as 2024-04-03, by the order that its field gives. What cannot stand in that order is left
// as it is.
func inOrder(order, text string) string {
	if on, ok := dayIn(order, text); ok {
		return on.String()
	}
	return text
}

var number = regexp.MustCompile(`\d+`)

// held gives the date that a control holds beside the words that it shows, as 2024-04-03. Words that say another date stay,
// with a remark that leaves no date to be read: a person must say which is meant.
func held(stamp, text string) string {
	on, err := mapping.ParseDay(stamp[:min(len(stamp), 10)], nil)
	if err != nil || !number.MatchString(text) {
		return text
	}
	said, err := mapping.ParseDay(text, nil)
	if err == nil && said == on {
		return on.String()
	}
	if figures.MatchString(text) {
		for _, order := range []string{"dmy", "mdy", "ymd"} {
			if said, ok := dayIn(order, text); ok && said == on {
				return on.String()
			}
		}
	} else if err != nil && slices.Contains(number.FindAllString(text, -1), strconv.Itoa(on.Midnight().Day())) {
		return on.String() // in other words, such as Monday, 2 March
	}
	return fmt.Sprintf("%s (the control holds %s)", text, on)
}
