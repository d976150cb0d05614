package audit

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// Tree is RFC 6962's tree over the entries that were added to it, from the first. It keeps no more than its right edge: the roots of the
// whole trees that make it up, the largest first, one for each bit of its size. The zero Tree is that of no entry.
type Tree struct {
	size int64
	edge []tlog.Hash
}

// Add adds the next entry.
func (t *Tree) Add(e Entry) {
	h := tlog.RecordHash(e.Record())
	for n := t.size; n&1 == 1; n >>= 1 { // each whole tree of the same height makes one that is higher with it
		last := len(t.edge) - 1
		h = tlog.NodeHash(t.edge[last], h)
		t.edge = t.edge[:last]
	}
	t.edge = append(t.edge, h)
	t.size++
}

// Size is how many entries it has.
func (t *Tree) Size() int64 { return t.size }

// Root is the hash of all its entries.
func (t *Tree) Root() tlog.Hash {
	if t.size == 0 {
		return sha256.Sum256(nil)
	}
	h := t.edge[len(t.edge)-1]
	for _, left := range slices.Backward(t.edge[:len(t.edge)-1]) {
		h = tlog.NodeHash(left, h)
	}
	return h
}

// Text is the tree as it can be kept, to go on from there.
func (t *Tree) Text() string {
	out := strconv.FormatInt(t.size, 10)
	for _, h := range t.edge {
		out += " " + h.String()
	}
	return out
}

// ParseTree reads what Text has written.
func ParseTree(text string) (t Tree, err error) {
	size, hashes, _ := strings.Cut(text, " ")
	if t.size, err = strconv.ParseInt(size, 10, 64); err != nil {
		return Tree{}, errors.New("a kept tree begins with no number")
	}
	for _, s := range strings.Fields(hashes) {
		h, err := tlog.ParseHash(s)
		if err != nil {
			return Tree{}, fmt.Errorf("a kept tree: %w", err)
		}
		t.edge = append(t.edge, h)
	}
	if t.size < 0 || bits.OnesCount64(uint64(t.size)) != len(t.edge) {
		return Tree{}, fmt.Errorf("a kept tree of %d entries has %d hashes", t.size, len(t.edge))
	}
	return t, nil
}
