package mailbox

import (
	"regexp"
	"strings"
)

var uuBegin = regexp.MustCompile(`^begin(-base64)? [0-7]{3,4} (\S.*)$`)

// uuFile is a file that stands in a text as old programs send it.
type uuFile struct {
	name string
	data []byte // nil: it is damaged, or its end is missing
}

// uudecode takes the files out of a text that stand in it uuencoded (POSIX, uuencode).
func uudecode(text string) (rest string, files []uuFile) {
	if !strings.Contains(text, "begin ") {
		return text, nil
	}
	lines := strings.SplitAfter(text, "\n")
	var kept strings.Builder
	for i := 0; i < len(lines); i++ {
		m := uuBegin.FindStringSubmatch(strings.TrimRight(lines[i], " \r\n"))
		if m == nil || m[1] != "" || i+1 == len(lines) {
			kept.WriteString(lines[i])
			continue
		}
		f := uuFile{name: m[2]}
		data := []byte{}
		j, good := i+1, true
		for ; j < len(lines) && good; j++ {
			var line []byte
			if line, good = uuLine(strings.TrimRight(lines[j], "\r\n")); len(line) == 0 {
				break
			}
			data = append(data, line...)
		}
		if !good && j == i+1 { // somebody's words that begin so
			kept.WriteString(lines[i])
			continue
		}
		for good && j < len(lines) && strings.TrimRight(lines[j], " \r\n") != "end" && strings.Trim(lines[j], " `\r\n") == "" {
			j++
		}
		if good && j < len(lines) && strings.TrimRight(lines[j], " \r\n") == "end" {
			f.data = data
			j++
		}
		files = append(files, f)
		i = j - 1
	}
	return kept.String(), files
}

// uuLine decodes one line: how many bytes it holds, then those, six bits in each character. Blanks at its end may be lost.
func uuLine(line string) ([]byte, bool) {
	if line == "" {
		return nil, true // a line of a blank, which says that nothing follows, and which lost it
	}
	n := int(line[0]-' ') & 63
	if line[0] < ' ' || line[0] > '`' || len(line)-1 > (n+2)/3*4+1 {
		return nil, false
	}
	chars := line[1:] + strings.Repeat(" ", max(0, (n+2)/3*4-(len(line)-1)))
	out := make([]byte, 0, n+2)
	for i := 0; i+4 <= len(chars) && len(out) < n; i += 4 {
		var bits uint32
		for _, c := range []byte(chars[i : i+4]) {
			if c < ' ' || c > '`' {
				return nil, false
			}
			bits = bits<<6 | uint32(c-' ')&63
		}
		out = append(out, byte(bits>>16), byte(bits>>8), byte(bits))
	}
	return out[:min(n, len(out))], true
}
