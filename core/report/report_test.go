package report

import (
	"strings"
	"testing"
	"time"
)

func TestQuartiles(t *testing.T) {
	for _, tt := range []struct {
		of   []int
		want [5]float64
	}{
		{[]int{7}, [5]float64{7, 7, 7, 7, 7}},
		{[]int{1, 2}, [5]float64{1, 1.25, 1.5, 1.75, 2}},
		{[]int{1, 2, 3, 4, 5}, [5]float64{1, 2, 3, 4, 5}},
		{[]int{1, 3, 3, 10}, [5]float64{1, 2.5, 3, 4.75, 10}},
	} {
		for q, want := range tt.want {
			if got := quantile(tt.of, q); got != want {
				t.Errorf("quartile %d of %v is %v, want %v", q, tt.of, got, want)
			}
		}
	}
}

// A source that fails, that was not read for a day, or that never was, is said; one that is read is not.
func TestUnknown(t *testing.T) {
	at := time.Date(2027, 1, 18, 7, 0, 0, 0, time.UTC)
	in := Input{At: at, Sources: []Source{{Name: "records", Read: at.Add(-time.Hour)}}}
	if s := in.unknown(); s != "" {
		t.Errorf("said %q", s)
	}
	in.Sources = append(in.Sources, Source{Name: "mailbox", Read: at.Add(-25 * time.Hour)}, Source{Name: "other"})
	want := `Unknown: mailbox has not been read since 17 January 2027, 06:00, and other has never been read. What happened there since is not in this report; no figure below may be read as "nothing".`
	if s := in.unknown(); s != want {
		t.Errorf("said %q", s)
	}
	in.Sources = []Source{{Name: "records", Read: at, FailedSince: at.Add(-time.Minute)}}
	if s := in.unknown(); !strings.HasPrefix(s, "Unknown: records has not been read since 18 January 2027, 06:59.") {
		t.Errorf("said %q", s)
	}
}
