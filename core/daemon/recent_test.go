package daemon

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// What was used last is remembered, however much comes and goes, and never more than fits.
func TestRecent(t *testing.T) {
	var r recent[int]
	if _, ok := r.get("x"); ok {
		t.Error("nothing was put in")
	}
	for i := range 3 * maxRecent {
		r.put(fmt.Sprint(i), i)
		if v, ok := r.get("0"); !ok || v != 0 {
			t.Fatalf("what is used all the time is forgotten after %d", i)
		}
		if n := len(r.young) + len(r.old); n > maxRecent {
			t.Fatalf("%d are remembered", n)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		back := rapid.IntRange(1, maxRecent/2-2).Draw(t, "back")
		if v, ok := r.get(fmt.Sprint(3*maxRecent - back)); !ok || v != 3*maxRecent-back {
			t.Fatalf("%d back is forgotten", back)
		}
	})
	if _, ok := r.get("1"); ok {
		t.Error("what was not used for long is remembered")
	}
	if r.forget("0"); len(r.young) == 0 {
		t.Error("all is forgotten")
	}
	if _, ok := r.get("0"); ok {
		t.Error("what was forgotten is remembered")
	}
}
