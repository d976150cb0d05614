package drp

import (
	"iter"
	"slices"
)

// Known are the disputes that are known, found by what evidence says: a reference, a record, a child. What it costs to find some does not
// grow with how many there are.
type Known struct {
	all     []Dispute
	refs    map[string]int
	records map[string][]int
	about   map[string][]int // by child; those about no child are under ""
}

// KnownOf gives the disputes as they are found.
func KnownOf(disputes []Dispute) *Known {
	k := &Known{all: make([]Dispute, 0, len(disputes)), refs: make(map[string]int, len(disputes)), records: make(map[string][]int),
		about: make(map[string][]int, len(disputes))}
	for _, d := range disputes {
		k.Add(d)
	}
	return k
}

// Add adds a dispute behind those that are known.
func (k *Known) Add(d Dispute) {
	i := len(k.all)
	k.all = append(k.all, d)
	if _, known := k.refs[d.Ref]; !known {
		k.refs[d.Ref] = i
	}
	if d.Record != "" {
		k.records[d.Record] = append(k.records[d.Record], i)
	}
	if d.Erased {
		return // it is found by its reference alone
	}
	children := d.Children
	if len(children) == 0 {
		children = []string{""}
	}
	for _, c := range children {
		k.about[c] = append(k.about[c], i)
	}
}

// All gives each dispute, in the order in which they were added.
func (k *Known) All() []Dispute { return k.all }

// Of gives the dispute that has a reference. One that was erased is not known any more.
func (k *Known) Of(ref string) (Dispute, bool) {
	if d, taken := k.taken(ref); taken && !d.Erased {
		return d, true
	}
	return Dispute{}, false
}

// Has says whether Of gives one.
func (k *Known) Has(ref string) bool {
	_, has := k.Of(ref)
	return has
}

// Erased says whether a reference is of a dispute that was erased.
func (k *Known) Erased(ref string) bool {
	d, _ := k.taken(ref)
	return d.Erased
}

// taken gives the dispute that has a reference, or had it.
func (k *Known) taken(ref string) (Dispute, bool) {
	i, known := k.refs[ref]
	if !known {
		return Dispute{}, false
	}
	return k.all[i], true
}

// WithRecord gives the disputes of a record.
func (k *Known) WithRecord(record string) iter.Seq[Dispute] { return k.each(k.records[record]) }

// About gives the disputes about one of the children, or about no child where none is given, in the order in which they were added.
func (k *Known) About(children []string) iter.Seq[Dispute] { return k.each(k.places(children)) }

// near gives the disputes of a record, and those about what a subject is about.
func (k *Known) near(s Subject) iter.Seq[Dispute] {
	return k.each(inOrder(append(k.places(s.Children), k.records[s.Record]...)))
}

func (k *Known) places(children []string) (at []int) {
	if len(children) == 0 {
		return slices.Clip(k.about[""])
	}
	for _, c := range children {
		at = append(at, k.about[c]...)
	}
	return inOrder(at)
}

func inOrder(at []int) []int {
	slices.Sort(at)
	return slices.Compact(at)
}

func (k *Known) each(at []int) iter.Seq[Dispute] {
	return func(yield func(Dispute) bool) {
		for _, i := range at {
			if !yield(k.all[i]) {
				return
			}
		}
	}
}
