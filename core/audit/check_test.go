package audit_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"drpd/core/audit"
)

// checked holds entries against anchors.
func checked(c audit.Check, anchors []audit.Anchor, entries []audit.Entry) audit.Result {
	c.Zone = time.UTC
	c.Add(anchors...)
	for _, e := range entries {
		c.Next(e)
	}
	return c.End()
}

// resealed makes the whole chain anew, as whoever has the secret can.
func resealed(entries []audit.Entry) (out []audit.Entry) {
	before := ""
	for i, e := range entries {
		e.Seq = int64(i + 1)
		e = audit.Seal([]byte("key"), before, e)
		out, before = append(out, e), e.Code
	}
	return out
}

// history is n entries, one an hour, the first a minute before the first anchor.
func history(n int) (out []audit.Entry) {
	for i := range n {
		out = append(out, audit.Entry{At: began.Add(time.Duration(i)*time.Hour - time.Minute).UnixMilli(), Actor: "drpd", Action: "attempted", Subject: "effect"})
	}
	return resealed(out)
}

// What was done to a history is found, between which two anchors, and said in words.
func TestCheck(t *testing.T) {
	whole := history(80)
	anchors := []audit.Anchor{anchorOf(t, 0, whole[:1]), anchorOf(t, 1, whole[:25]), anchorOf(t, 2, whole[:49]), anchorOf(t, 3, whole[:73])}
	change := func(i int, f func(e *audit.Entry)) []audit.Entry {
		out := slices.Clone(whole)
		f(&out[i])
		return out
	}
	swapped := slices.Clone(whole)
	swapped[30], swapped[31] = swapped[31], swapped[30]
	put := func(keep int, at time.Time, then int) []audit.Entry {
		out := append(slices.Clone(whole[:keep]), audit.Entry{At: at.UnixMilli(), Action: audit.PutBack})
		for range then {
			out = append(out, audit.Entry{At: at.UnixMilli() + 1, Action: "attempted"})
		}
		return resealed(out)
	}
	restored := put(30, began.AddDate(0, 0, 3).Add(time.Hour), 9)
	const between = "the history is not the one that was anchored on 4 March 2026, 07:00:00, when it had 49 entries: of the entries 26 to 49 (those " +
		"until entry 25 are as they were anchored on 3 March 2026, 07:00:00) some were changed, taken out, put in or moved since; anchors that do " +
		"not hold either: 1, the last of 5 March 2026, 07:00:00"
	const gone = "entry 31 says that a copy of the state was put back: what was entered after entry 30 until 5 March 2026, 07:00:00 at least is in this " +
		"history no more; anchors of that time: 2, the last of 73 entries"
	for name, x := range map[string]struct {
		check   audit.Check
		anchors []audit.Anchor
		entries []audit.Entry
		hold    int
		after   int64
		remarks []string
		wrong   []string
	}{
		"as it was":       {audit.Check{}, anchors, whole, 4, 7, nil, nil},
		"without anchors": {audit.Check{}, nil, whole, 0, 80, nil, nil},
		"seq":             {audit.Check{}, anchors, change(30, func(e *audit.Entry) { e.Seq++ }), 2, 55, nil, []string{between}},
		"at":              {audit.Check{}, anchors, change(30, func(e *audit.Entry) { e.At++ }), 2, 55, nil, []string{between}},
		"actor":           {audit.Check{}, anchors, change(30, func(e *audit.Entry) { e.Actor = "x" }), 2, 55, nil, []string{between}},
		"action":          {audit.Check{}, anchors, change(30, func(e *audit.Entry) { e.Action = "x" }), 2, 55, nil, []string{between}},
		"subject":         {audit.Check{}, anchors, change(30, func(e *audit.Entry) { e.Subject = "x" }), 2, 55, nil, []string{between}},
		"detail":          {audit.Check{}, anchors, change(30, func(e *audit.Entry) { e.Detail = "x" }), 2, 55, nil, []string{between}},
		"code":            {audit.Check{}, anchors, change(30, func(e *audit.Entry) { e.Code = "x" }), 2, 55, nil, []string{between}},
		"two swapped":     {audit.Check{}, anchors, swapped, 2, 55, nil, []string{between}},
		"after the last":  {audit.Check{}, anchors, change(75, func(e *audit.Entry) { e.Detail = "x" }), 4, 7, nil, nil},
		"cut": {audit.Check{}, anchors, whole[:60], 3, 11, nil, []string{"the history ends with entry 60, of 4 March 2026, 17:59:00, and 73 entries " +
			"were anchored on 5 March 2026, 07:00:00: its end was cut off"}},
		"an old log": {audit.Check{Exported: true}, anchors, whole[:60], 3, 11, nil, []string{"the history ends with entry 60, of 4 March 2026, " +
			"17:59:00, and 73 entries were anchored on 5 March 2026, 07:00:00: its end was cut off, or this log was written before that: then export it " +
			"anew"}},
		"all of it":                       {audit.Check{}, anchors, nil, 0, 0, nil, []string{"the history has 0 entries, and 73 entries were anchored on 5 March 2026, 07:00:00: its end was cut off"}},
		"put back":                        {audit.Check{}, anchors, restored, 2, 15, nil, []string{gone + ". Ask who put it back, and why; once that is known, --accept-restore 31"}},
		"and accepted":                    {audit.Check{Accepted: []int64{31}}, anchors, restored, 2, 15, []string{gone + ": accepted"}, nil},
		"another entry":                   {audit.Check{Accepted: []int64{12}}, anchors, restored, 2, 15, nil, []string{gone + ". Ask who put it back, and why; once that is known, --accept-restore 31"}},
		"put back before it was anchored": {audit.Check{Accepted: []int64{31}}, anchors, put(30, began.AddDate(0, 0, 1).Add(6*time.Hour), 60), 2, 66, nil, []string{between}},
		"two histories": {audit.Check{}, append(slices.Clone(anchors), anchorOf(t, 4, restored)), restored, 3, 0, nil, []string{gone +
			". Ask who put it back, and why; once that is known, --accept-restore 31"}},
	} {
		got := checked(x.check, x.anchors, x.entries)
		if got.Entries != int64(len(x.entries)) || got.Anchors != x.hold || got.After != x.after || !slices.Equal(got.Remarks, x.remarks) ||
			!slices.Equal(got.Wrong, x.wrong) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// A copy that was put back explains what was anchored after it was made, and nothing of before.
func TestPutBackExcusesNothingElse(t *testing.T) {
	whole := history(80)
	anchors := []audit.Anchor{anchorOf(t, 0, whole[:1]), anchorOf(t, 1, whole[:25]), anchorOf(t, 3, whole[:73])}
	restored := append(slices.Clone(whole[:30]), audit.Entry{At: began.AddDate(0, 0, 4).UnixMilli(), Action: audit.PutBack})
	restored[8].Detail = "never happened"
	got := checked(audit.Check{Accepted: []int64{31}}, anchors, resealed(restored))
	if got.Anchors != 1 || len(got.Remarks) != 1 || len(got.Wrong) != 1 ||
		!strings.Contains(got.Wrong[0], "when it had 25 entries: of the entries 2 to 25") {
		t.Errorf("%+v", got)
	}
}

// Whoever has the key signs another history: the anchor of the first, which somebody holds, says so, and that there are two.
func TestTwoHistories(t *testing.T) {
	whole := history(50)
	left := anchorOf(t, 1, whole[:25])
	other := slices.Clone(whole)
	other[3].Detail = "never happened"
	other = resealed(other)
	got := checked(audit.Check{}, []audit.Anchor{left, anchorOf(t, 1, other[:25]), anchorOf(t, 2, other)}, other)
	if len(got.Wrong) != 1 || !strings.Contains(got.Wrong[0], "when it had 25 entries: of the entries 1 to 25 some were") ||
		!strings.Contains(got.Wrong[0], "And yet an anchor of 25 entries, of 3 March 2026, 07:00:00, holds: two histories were signed with this key") {
		t.Errorf("%+v", got)
	}
}

// Property: any one change to what lies before an anchor is found, whether or not the chain was made anew after it; and what was not changed holds.
func TestAnyChangeIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entries := history(rapid.IntRange(1, 40).Draw(t, "entries"))
		for i := range entries {
			entries[i].Detail = rapid.String().Draw(t, "detail")
		}
		entries = resealed(entries)
		var anchors []audit.Anchor
		last := 0
		for i, n := range rapid.SliceOfN(rapid.IntRange(1, len(entries)), 1, 4).Draw(t, "anchors") {
			anchors, last = append(anchors, anchorOf(t, i, entries[:n])), max(last, n)
		}
		if got := checked(audit.Check{}, anchors, entries); len(got.Wrong) > 0 || got.Anchors != len(anchors) && got.Anchors == 0 {
			t.Fatalf("as it was: %+v", got)
		}
		at := rapid.IntRange(0, last-1).Draw(t, "at")
		changed := slices.Clone(entries)
		switch rapid.SampledFrom([]string{"field", "out", "in", "swap", "cut"}).Draw(t, "change") {
		case "field":
			e, more := &changed[at], rapid.StringN(1, 5, -1).Draw(t, "more")
			switch rapid.IntRange(0, 6).Draw(t, "field") {
			case 0:
				e.Seq++
			case 1:
				e.At--
			case 2:
				e.Actor += more
			case 3:
				e.Action += more
			case 4:
				e.Subject += more
			case 5:
				e.Detail += more
			case 6:
				e.Code += more
			}
		case "out":
			changed = slices.Delete(changed, at, at+1)
		case "in":
			changed = slices.Insert(changed, at, audit.Entry{Seq: changed[at].Seq, At: changed[at].At, Detail: "put in"})
		case "swap":
			with := rapid.IntRange(0, len(changed)-1).Draw(t, "with")
			changed[at], changed[with] = changed[with], changed[at]
		case "cut":
			changed = changed[:at]
		}
		if rapid.Bool().Draw(t, "made anew") {
			changed = resealed(changed)
		}
		if slices.Equal(changed, entries) || len(changed) > last && slices.Equal(changed[:last], entries[:last]) {
			t.Skip("nothing before the last anchor has changed")
		}
		if got := checked(audit.Check{}, anchors, changed); len(got.Wrong) == 0 {
			t.Fatalf("not found: %+v", got)
		}
	})
}
