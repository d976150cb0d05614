package mapping

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// What does not fit a layout cannot be parsed by it: to ask first changes no date.
func TestFits(t *testing.T) {
	layouts := []string{"2006-01-02", "02/01/2006", "2 January 2006", "2 Jan  2006", "02-Jan-06", "2006-01-02 15:04:05.000", "20060102", "15:04 02.01.06",
		"2006-01-02T15:04:05-07:00", "Mon, 2 Jan 2006 15:04:05 -0700", "2006-01-02 15:04Z0700", "2/jan/06", "2006 "}
	layouts = append(layouts, stamps...)
	rapid.Check(t, func(t *rapid.T) {
		layout := rapid.SampledFrom(layouts).Draw(t, "layout")
		at := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "at"), rapid.Int64Range(0, 999).Draw(t, "ms")*1e6).In(time.FixedZone("", rapid.IntRange(-12, 12).Draw(t, "zone")*3600))
		written := []byte(at.Format(rapid.SampledFrom(layouts).Draw(t, "written as")))
		for range rapid.IntRange(0, 3).Draw(t, "slips") {
			i := rapid.IntRange(0, len(written)).Draw(t, "where")
			if rapid.Bool().Draw(t, "more") {
				written = append(written[:i:i], append([]byte{rapid.SampledFrom([]byte(" -/:0T")).Draw(t, "byte")}, written[i:]...)...)
			} else if i < len(written) {
				written = append(written[:i:i], written[i+1:]...)
			}
		}
		if _, err := time.Parse(layout, string(written)); err == nil && !fits(layout, string(written)) {
			t.Fatalf("%q is of the layout %q, and does not fit it", written, layout)
		}
	})
}
