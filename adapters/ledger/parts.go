package ledger

import (
	"strconv"

	"drpd/core/drp"
)

// A body that is larger than wholeUpTo is kept in parts, each sealed by itself: an engine holds what it takes and gives several times
// in its memory, and SQLite reads all of a body to come to the columns behind it.
const (
	wholeUpTo = 256 << 10
	partSize  = 1 << 20
	mostAhead = 32 // parts for which memory is taken before they are there: a row may be damaged
)

// partsOf says in how many parts a body is kept; 0: whole, in its row.
func partsOf(body []byte) int64 {
	if len(body) <= wholeUpTo {
		return 0
	}
	return int64((len(body) + partSize - 1) / partSize)
}

// part names a part of a body: it opens in its own place alone.
func (r row) part(n, of int64) row {
	return rowOf("part", string(r), strconv.FormatInt(n, 10), strconv.FormatInt(of, 10))
}

// addParts keeps the parts of a body.
func (t *tx) addParts(keyID string, ev drp.Evidence) error {
	of := partsOf(ev.Body)
	for n := range of {
		part, err := t.sealed(keyID, evidenceRowOf(ev).part(n, of), ev.Body[n*partSize:min((n+1)*partSize, int64(len(ev.Body)))])
		if err != nil {
			return err
		}
		if err := t.exec(`INSERT INTO evidence_part (evidence, n, body) VALUES (?, ?, ?)`, ev.ID, n, part); err != nil {
			return err
		}
	}
	return nil
}

// part gives a part of a body, opened.
func (t *tx) part(r evidenceRow, n int64) ([]byte, error) {
	var sealed []byte
	if _, err := t.get(&sealed, `SELECT body FROM evidence_part WHERE evidence = ? AND n = ?`, r.ID, n); err != nil {
		return nil, err
	}
	part, err := t.opened(r.SealedBy, r.row().part(n, r.Parts), sealed)
	return part, damaged("evidence "+r.ID, err)
}

// joined gives a body that is kept in parts.
func (t *tx) joined(r evidenceRow) ([]byte, error) {
	body := make([]byte, 0, min(r.Parts, mostAhead)*partSize)
	for n := range r.Parts {
		part, err := t.part(r, n)
		if err != nil {
			return nil, err
		}
		body = append(body, part...)
	}
	return body, nil
}

// sealParts seals a body that is kept in parts with another key, part by part.
func (t *tx) sealParts(r evidenceRow, to string) error {
	for n := range r.Parts {
		part, err := t.part(r, n)
		if err != nil {
			return err
		}
		if part, err = t.sealed(to, r.row().part(n, r.Parts), part); err != nil {
			return err
		}
		if err := t.exec(`UPDATE evidence_part SET body = ? WHERE evidence = ? AND n = ?`, part, r.ID, n); err != nil {
			return err
		}
	}
	return t.exec(`UPDATE evidence SET sealed_by = ? WHERE id = ?`, to, r.ID)
}
