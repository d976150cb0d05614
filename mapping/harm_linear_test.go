//go:build unix

package mapping_test

import (
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"drpd/mapping"
)

// worked is how long the processor has worked for this process.
func worked(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// hostile are texts that take long to look through: words of harm that say nothing of it, in sentences, and in what looks like labels
// and options; and as what they come.
var hostile = map[string]func(text string) mapping.Letter{
	"a body":      func(text string) mapping.Letter { return mapping.Letter{Trusted: true, Text: text} },
	"a quotation": func(text string) mapping.Letter { return mapping.Letter{Trusted: true, Quoted: text} },
	"paragraphs": func(text string) mapping.Letter {
		return mapping.Letter{Trusted: true, Sheets: []mapping.Sheet{table(prefixed("#", strings.Split(text, "\n"))...)}}
	},
	"a row": func(text string) mapping.Letter {
		text = strings.ReplaceAll(text, "\n", "|")
		return mapping.Letter{Trusted: true, Sheets: []mapping.Sheet{table(text, text)}}
	},
	"a column": func(text string) mapping.Letter {
		return mapping.Letter{Trusted: true, Sheets: []mapping.Sheet{table(strings.Split(text, "\n")...)}}
	},
}

func prefixed(with string, lines []string) (out []string) {
	for _, line := range lines {
		out = append(out, with+line)
	}
	return out
}

// However long a text is and whatever stands in it, it is read in time that grows no faster than its length: eight times as much
// text takes eight times as long, and not 64 times. Both are measured side by side, by what the processor works, without the collector's part,
// which goes by what else lies in memory.
func TestHarmIsLinear(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	const short, times, most = 1 << 15, 8, 24
	for _, unit := range []string{"imminent if harm risk danger of ", "Imminent harm: no\n", "imminent harm ☐\n", "☐ imminent harm: ☐\n",
		"imminent harm?\n\n", "life life life ", "no imminent harm, not imminent, nor imminent. ", "[ ] imminent harm\n", "imminent ",
		"imminent harm x\n", "\n", ".", "imminent harm: yes\n",
		"not be safe ", "he is going to hurt ", "not think be safe "} {
		for as, letter := range hostile {
			took := func(n int, enough time.Duration) (least time.Duration) { // the first to touch memory pays for it: not the later tries
				l := letter(strings.Repeat(unit, n/len(unit)))
				for try := 0; try < 4 && (least == 0 || least > enough); try++ {
					runtime.GC()
					began := worked(t)
					harms(t, l)
					if d := worked(t) - began; least == 0 || d < least {
						least = d
					}
				}
				return least
			}
			small := max(took(short, 0), time.Millisecond)
			if large := took(short*times, small*most); large > small*most {
				t.Errorf("%q as %s: %s for %d bytes, and %s for %d times as many", unit, as, small, short, large, times)
			}
		}
	}
}
