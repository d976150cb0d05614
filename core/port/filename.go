package port

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// FileName is a name that a file or a folder can have on every system, for a reference or a name that comes from elsewhere. What no system
// could write, or would take for a way to another folder, stands there as a percent sign and its number; most names are as they were. Two
// different names never become one, but where they differ in nothing but capitals, which some systems do not tell apart.
func FileName(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); {
		r, n := utf8.DecodeRuneInString(name[i:])
		edge := i == 0 || i+n == len(name)
		if strings.ContainsRune(`<>:"/\|?*%`, r) || unicode.IsControl(r) || r == utf8.RuneError || edge && (r == '.' || r == ' ') {
			for _, c := range []byte(name[i : i+n]) {
				fmt.Fprintf(&b, "%%%02X", c)
			}
		} else {
			b.WriteString(name[i : i+n])
		}
		i += n
	}
	out := b.String()
	stem, _, _ := strings.Cut(out, ".")
	switch up := strings.ToUpper(strings.TrimRight(stem, " ")); {
	case up == "CON", up == "PRN", up == "AUX", up == "NUL", len(up) == 4 && (up[:3] == "COM" || up[:3] == "LPT") && up[3] >= '0' && up[3] <= '9':
		out = fmt.Sprintf("%%%02X%s", out[0], out[1:]) // a device of Windows, whatever follows
	}
	return out
}
