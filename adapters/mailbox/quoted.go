package mailbox

import (
	"regexp"
	"strings"

	"drpd/core/drp"
)

// own leaves out what the author quotes: lines with > and the line that introduces them, and all from where an older message
// begins without such marks, with the line that Outlook draws before it.
func own(text string) string {
	var lines []string
	all := strings.Split(text, "\n")
	for i := 0; i < len(all); i++ {
		if n := introduces(all[i:]); n > 0 {
			i += n - 1
		} else if !isQuoted(all[i]) {
			lines = append(lines, all[i])
		}
	}
	return strings.TrimRight(strings.TrimSpace(strings.Join(lines[:quoted(len(lines), func(i int) string { return lines[i] })], "\n")), "_ \n")
}

func isQuoted(line string) bool { return strings.HasPrefix(strings.TrimSpace(line), ">") }

// introduces says how many lines introduce quoted lines, 0 where none do.
func introduces(lines []string) int {
	for n := 1; n <= min(3, len(lines)); n++ {
		if !saysWrote(strings.TrimSpace(strings.Join(lines[:n], " "))) {
			continue
		}
		for _, next := range lines[n:] {
			if strings.TrimSpace(next) != "" {
				return map[bool]int{true: n}[isQuoted(next)]
			}
		}
	}
	return 0
}

// What mail programs put before the message that is answered or sent on.
var (
	original  = regexp.MustCompile(`(?i)^(-{3,} ?(original message|forwarded message|original appointment)|begin forwarded message:)`)
	wrote     = regexp.MustCompile(`(?is)^on .{6,300}(wrote|writes):?$`)
	fromField = regexp.MustCompile(`^\*?From:`)
	field     = regexp.MustCompile(`^\*?(Sent|Date|To|Cc|Subject):`)
)

// saysWrote says whether a line is that by which a mail program introduces what it quotes.
func saysWrote(line string) bool { return startsOn(line) && wrote.MatchString(line) }

// startsOn is true of few lines, and quicker than the whole.
func startsOn(line string) bool { return len(line) > 2 && strings.EqualFold(line[:3], "on ") }

// quoted finds the line at which an older message begins, n where there is none. drpd's own say so at their head; Outlook
// puts the header above what it quotes, with no mark on the lines themselves.
func quoted(n int, text func(i int) string) int {
	at := func(i int) string {
		if i < n {
			return strings.TrimSpace(text(i))
		}
		return ""
	}
	for i := range n {
		line := at(i)
		switch {
		case strings.Contains(strings.ToLower(line), drp.AnswerAbove), original.MatchString(line):
			return i
		case startsOn(line+" ") &&
			(saysWrote(line) || saysWrote(line+" "+at(i+1)) || saysWrote(line+" "+at(i+1)+" "+at(i+2))):
			return i
		case fromField.MatchString(line):
			fields := 0
			for j := i + 1; j < i+8; j++ {
				if field.MatchString(at(j)) {
					fields++
				}
			}
			if fields >= 2 {
				return i
			}
		}
	}
	return n
}
