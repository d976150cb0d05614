package drp_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"drpd/core/drp"
)

// What is found is what going through all disputes finds, in the same order.
func TestKnownFindsWhatAWalkFinds(t *testing.T) {
	some := func(t *rapid.T, what string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"1", "2", "3", "4"}), 0, 3, rapid.ID[string]).Draw(t, what)
	}
	rapid.Check(t, func(t *rapid.T) {
		known, all := drp.KnownOf(nil), []drp.Dispute(nil)
		for i := range rapid.IntRange(0, 12).Draw(t, "disputes") {
			d := drp.Dispute{Ref: fmt.Sprint("W-", i), Erased: rapid.IntRange(0, 4).Draw(t, "erased") == 0}
			if !d.Erased {
				d.Record, d.Children = rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "record"), some(t, "children")
			}
			known.Add(d)
			all = append(all, d)
		}
		walk := func(has func(drp.Dispute) bool) []drp.Dispute {
			return slices.DeleteFunc(slices.Clone(all), func(d drp.Dispute) bool { return d.Erased || !has(d) })
		}
		same := func(what string, got, want []drp.Dispute) {
			if len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: %v, and by a walk %v", what, got, want)
			}
		}
		children, record := some(t, "of"), rapid.SampledFrom([]string{"a", "b", "d"}).Draw(t, "of record")
		same("about", slices.Collect(known.About(children)), walk(func(d drp.Dispute) bool {
			return len(children)+len(d.Children) == 0 || drp.Intersects(d.Children, children)
		}))
		same("of the record", slices.Collect(known.WithRecord(record)), walk(func(d drp.Dispute) bool { return d.Record == record }))
		for _, d := range all {
			if got, ok := known.Of(d.Ref); ok == d.Erased || known.Erased(d.Ref) != d.Erased || ok && got.Ref != d.Ref {
				t.Fatalf("%+v is found as %+v, %v", d, got, ok)
			}
		}
	})
}
