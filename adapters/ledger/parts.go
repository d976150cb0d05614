package ledger

import (
	"fmt"
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

// partName is what a part is sealed with: it opens in its own place alone.
func partName(keyID, id string, n, of int64) []byte {
	return fmt.Appendf(nil, "%s\n%s\n%d/%d", keyID, id, n, of)
}

// addParts keeps the parts of a body.
func (t *tx) addParts(keyID, id string, body []byte) error {
	a, err := t.dataKey(keyID)
	if err != nil {
		return err
	}
	of := partsOf(body)
	for n := range of {
		part := body[n*partSize : min((n+1)*partSize, int64(len(body)))]
		if err := t.exec(`INSERT INTO evidence_part (evidence, n, body) VALUES (?, ?, ?)`, id, n,
			encrypt(a, part, partName(keyID, id, n, of))); err != nil {
			return err
		}
	}
	return nil
}

// part gives a part of a body, opened.
func (t *tx) part(keyID, id string, n, of int64) ([]byte, error) {
	a, err := t.dataKey(keyID)
	if err != nil {
		return nil, err
	}
	var sealed []byte
	if _, err := t.get(&sealed, `SELECT body FROM evidence_part WHERE evidence = ? AND n = ?`, id, n); err != nil {
		return nil, err
	}
	part, err := decrypt(a, sealed, partName(keyID, id, n, of))
	if err != nil {
		return nil, damaged("evidence "+id, err)
	}
	return part, nil
}

// joined gives a body that is kept in parts.
func (t *tx) joined(keyID, id string, of int64) ([]byte, error) {
	body := make([]byte, 0, min(of, mostAhead)*partSize)
	for n := range of {
		part, err := t.part(keyID, id, n, of)
		if err != nil {
			return nil, err
		}
		body = append(body, part...)
	}
	return body, nil
}

// sealParts seals a body that is kept in parts with another key, part by part.
func (t *tx) sealParts(from, to, id string, of int64) error {
	a, err := t.dataKey(to)
	if err != nil {
		return err
	}
	for n := range of {
		part, err := t.part(from, id, n, of)
		if err != nil {
			return err
		}
		if err := t.exec(`UPDATE evidence_part SET body = ? WHERE evidence = ? AND n = ?`, encrypt(a, part, partName(to, id, n, of)), id,
			n); err != nil {
			return err
		}
	}
	return t.exec(`UPDATE evidence SET sealed_by = ? WHERE id = ?`, to, id)
}
