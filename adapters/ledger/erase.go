package ledger

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"drpd/core/drp"
	"drpd/core/port"
)

// What is erased is gone: rows, and the keys of what was sealed. What stays is that something was erased: in the ledger, and in a file beside
// it, so that an older copy of the ledger that is put back is erased again before anybody works on it. Both hold ids, references and digests
// made with drpd's key, and nobody's number or name. Evidence with such an id is not stored again, nor another version of a row with such a key.

// Beside says where what was erased is kept besides the ledger.
func Beside(path string) Option { return func(o *opening) { o.erased = path } }

// erasedLine is a line of the file.
type erasedLine struct {
	Certificate port.Certificate `json:"certificate"`
	What        []string         `json:"what"` // as in the table erased
	Code        string           `json:"code"`
}

// goneList is all that one erasure takes away.
type goneList struct {
	refs, evidence []string
	children       []string // who are in no other dispute
	what           []string
	effects        int
	messages       int
	words          []string // numbers by which what belongs to no dispute is found
}

// errUnderWay says that a report has left and nobody knows whether it has arrived: what is to be erased may be in it.
var errUnderWay = fmt.Errorf("%w: a message of drpd's own is under way", port.ErrUnderWay)

// Erase erases what is held about children, or disputes with the children who are in no other, all or nothing; port.Refused where a legal
// hold or anything else forbids it. What it frees in the file is given up by Compact.
func (l *Ledger) Erase(ctx context.Context, e port.Erasure, now time.Time) (c port.Certificate, err error) {
	err = l.tx(ctx, func(t *tx) error {
		a, err := t.about(e.Children, e.Disputes)
		if err != nil {
			return err
		}
		switch why := a.Refuses(); {
		case len(why) > 0:
			return port.Refused{Why: why}
		case a.UnderWay > 0:
			return errUnderWay
		}
		g, err := t.gone(a, e.Loose)
		if err != nil {
			return err
		}
		lines, err := t.erasedBefore()
		if err != nil {
			return err
		}
		if _, err := t.get(&c.Number, `SELECT coalesce(max(number), 0) FROM certificate`); err != nil {
			return err
		}
		for _, x := range lines {
			c.Number = max(c.Number, x.Certificate.Number)
		}
		c.Number++
		c.At, c.By, c.Because, c.Disputes = now.UTC().Truncate(time.Second), e.By, e.Because, g.refs
		for _, child := range g.children {
			c.Children = append(c.Children, t.childDigest(child))
		}
		slices.Sort(c.Children)
		sum := sha256.Sum256([]byte(strings.Join(g.what, "\n")))
		c.Evidence, c.Effects, c.Messages, c.Digest = len(g.evidence), g.effects, g.messages, hex.EncodeToString(sum[:])
		if e.Order != "" {
			if err := t.exec(`DELETE FROM erase_order WHERE id = ?`, e.Order); err != nil {
				return err
			}
		}
		if err := t.take(g, &c, now); err != nil {
			return err
		}
		if err := t.say(); err != nil { // before a line says that it is erased
			return err
		}
		return t.keepErased(erasedLine{Certificate: c, What: g.what}) // first: a ledger that does not hold it is erased again
	})
	return c, err
}

// gone lists what an erasure takes away.
func (t *tx) gone(a port.About, loose []string) (g goneList, err error) {
	g.refs = a.Refs()
	for _, child := range a.Children {
		var other []string
		if err := t.all(&other, `SELECT dispute FROM dispute_child WHERE child = ?`, child); err != nil {
			return g, err
		}
		if !slices.ContainsFunc(other, func(ref string) bool { return !slices.Contains(g.refs, ref) }) {
			g.children = append(g.children, child)
		}
	}
	for _, ref := range g.refs {
		g.what = append(g.what, "d/"+ref)
		var record string
		if _, err := t.get(&record, `SELECT record FROM dispute WHERE ref = ?`, ref); err != nil {
			return g, err
		}
		g.words = append(g.words, port.Sought(record)...)
	}
	g.words = append(g.words, port.Sought(slices.Clone(g.children)...)...)
	rows, err := t.evidenceRows(`e.state NOT IN (?, ?)`, port.PlaceDispute, port.PlacePeople)
	if err != nil {
		return g, err
	}
	rows = slices.DeleteFunc(rows, func(r evidenceRow) bool { return !slices.Contains(loose, r.ID) })
	for _, ev := range a.Evidence {
		one, err := t.evidenceRows(`e.id = ?`, ev.ID)
		if err != nil {
			return g, err
		}
		rows = append(rows, one...)
	}
	for _, r := range rows {
		if r.State == port.PlacePeople { // they may be wanted again, for another dispute
			if shared, err := t.sharedPeople(r.ID, g.children); err != nil || shared {
				if err != nil {
					return g, err
				}
				continue
			}
			g.what = append(g.what, "p/"+r.ID)
		} else {
			g.what = append(g.what, "e/"+r.ID)
			if r.Kind == string(drp.Row) {
				g.what = append(g.what, t.keyErased(r.Source, r.Key))
			}
		}
		g.evidence = append(g.evidence, r.ID)
	}
	slices.Sort(g.what)
	g.what = slices.Compact(g.what)
	return g, nil
}

// sharedPeople says whether evidence of who works with a child is about one who stays.
func (t *tx) sharedPeople(evidence string, leaving []string) (bool, error) {
	var all []string
	err := t.all(&all, `SELECT child FROM evidence_child WHERE evidence = ?`, evidence)
	return slices.ContainsFunc(all, func(c string) bool { return !slices.Contains(leaving, c) }), err
}

// take takes it all away, and keeps the certificate.
func (t *tx) take(g goneList, c *port.Certificate, now time.Time) error {
	for _, id := range g.evidence {
		if err := t.takeEvidence(id); err != nil {
			return err
		}
	}
	for _, ref := range g.refs {
		if err := t.takeDispute(ref, c); err != nil {
			return err
		}
	}
	for _, child := range g.children {
		for _, query := range []string{`DELETE FROM seal WHERE id = 'c/' || ?`, `DELETE FROM evidence_child WHERE child = ?`} {
			if err := t.exec(query, child); err != nil {
				return err
			}
		}
	}
	if err := t.takeWords(g, c); err != nil {
		return err
	}
	for _, what := range g.what {
		if err := t.exec(`INSERT INTO erased (what, number) VALUES (?, ?) ON CONFLICT (what) DO NOTHING`, what, c.Number); err != nil {
			return err
		}
	}
	for _, ref := range g.refs {
		if err := t.audit(now, c.By, "erased", ref, fmt.Sprintf("certificate %d", c.Number)); err != nil {
			return err
		}
	}
	if err := t.audit(now, c.By, "erased", fmt.Sprintf("certificate %d", c.Number), c.Digest); err != nil {
		return err
	}
	c.Entry = t.last.Seq
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return t.exec(`INSERT INTO certificate (number, body) VALUES (?, ?)`, c.Number, string(body))
}

func (t *tx) takeEvidence(id string) error {
	var r evidenceRow
	if found, err := t.get(&r, `SELECT `+evidenceColumns+` FROM evidence e WHERE e.id = ?`, id); err != nil || !found {
		return err
	}
	for _, query := range []string{`DELETE FROM evidence_part WHERE evidence = ?`, `DELETE FROM evidence_child WHERE evidence = ?`,
		`DELETE FROM evidence WHERE id = ?`} {
		if err := t.exec(query, id); err != nil {
			return err
		}
	}
	for _, name := range []port.Setting{port.AcceptedBy(id), port.TiedTo(id), port.AlikeTo(id), port.RowAcceptedBy(r.Source, r.Key)} {
		if err := t.set(name, ""); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) takeDispute(ref string, c *port.Certificate) error {
	var keys []string
	if err := t.all(&keys, `SELECT key FROM effect WHERE dispute = ?`, ref); err != nil {
		return err
	}
	for _, key := range keys {
		arrived := string(port.ArrivedBy(key, ""))
		n, err := t.change(`DELETE FROM delivery WHERE effect = ?`, key)
		if err != nil {
			return err
		}
		gone, err := n.RowsAffected()
		if err != nil {
			return err
		}
		c.Messages += int(gone)
		if err := t.exec(`DELETE FROM setting WHERE name >= ? AND name < ?`, arrived, strings.TrimSuffix(arrived, "/")+"0"); err != nil {
			return err
		}
	}
	c.Effects += len(keys)
	for _, query := range []string{`DELETE FROM effect WHERE dispute = ?`, `DELETE FROM conflict WHERE dispute = ?`,
		`DELETE FROM dispute_child WHERE dispute = ?`, `DELETE FROM seal WHERE id = 'd/' || ?`, `DELETE FROM dispute WHERE ref = ?`,
		`UPDATE evidence SET dispute = '' WHERE dispute = ?`} { // what was in question for it, and is about others
		if err := t.exec(query, ref); err != nil {
			return err
		}
	}
	return t.set(port.ToldOfErasing(ref), "")
}

// takeWords takes away what drpd said to people about no one dispute: the words of what has gone, and what names one of the numbers.
func (t *tx) takeWords(g goneList, c *port.Certificate) error {
	var settings []struct{ Name, Value string }
	if err := t.all(&settings, `SELECT name, value FROM setting`); err != nil {
		return err
	}
	named := func(text string) bool { return drp.NewPrivate(text).Mentions(g.words) != "" }
	for _, s := range settings {
		if named(s.Name) || named(s.Value) {
			if err := t.set(port.Setting(s.Name), ""); err != nil {
				return err
			}
		}
	}
	var sources []struct{ Name, Why string }
	if err := t.all(&sources, `SELECT name, why FROM source`); err != nil {
		return err
	}
	for _, s := range sources {
		if named(s.Why) {
			if err := t.exec(`UPDATE source SET why = 'it could not be read' WHERE name = ?`, s.Name); err != nil {
				return err
			}
		}
	}
	rows, of, err := t.with(deliveryState, `dispute = '' AND kind = ?`, string(drp.Email))
	if err != nil {
		return err
	}
	for _, r := range rows {
		p, err := t.onePast(r, nil)
		if err != nil && !errors.As(err, new(port.Damaged)) {
			return err
		}
		said := append(append([]string{p.Says}, p.Also...), p.Slot)
		if err == nil && slices.ContainsFunc(said, named) { // words to the operator
			if err := errors.Join(t.exec(`DELETE FROM delivery WHERE effect = ?`, r.Key), t.exec(`DELETE FROM effect WHERE key = ?`, r.Key),
				t.exec(`INSERT INTO erased (what, number) VALUES (?, ?) ON CONFLICT (what) DO NOTHING`, "x/"+r.Key, c.Number)); err != nil {
				return err
			}
			c.Effects++
			continue
		}
		if err := t.forgetWords(r, of[r.Key]); err != nil {
			return err
		}
	}
	return nil
}

// forgetWords leaves of a message of drpd's own what it was, and not its words, which may be about many disputes. One that has reached nobody
// is made anew where it still is to go.
func (t *tx) forgetWords(r effectRow, deliveries []deliveryRow) error {
	if len(deliveries) == 0 || r.Reason == string(drp.ReasonDigest) { // whose words are forgotten as soon as it is settled
		return nil
	}
	if !slices.ContainsFunc(deliveries, func(d deliveryRow) bool { return d.Life == string(drp.Accepted) }) {
		if err := t.exec(`DELETE FROM delivery WHERE effect = ?`, r.Key); err != nil {
			return err
		}
		return t.exec(`UPDATE effect SET life = ? WHERE key = ? AND life IN (?, ?)`, string(drp.Decided), r.Key, string(drp.Made), string(drp.Held))
	}
	for _, d := range deliveries {
		if d.Life != string(drp.Accepted) {
			if err := t.exec(`UPDATE delivery SET life = ?, why = 'its words were erased before it had gone' WHERE effect = ? AND person = ?`,
				string(drp.Cancelled), r.Key, d.Person); err != nil {
				return err
			}
		}
	}
	return t.forgetDigest(r.Key)
}

// erasedBefore reads the file of what was erased. A line that is not drpd's own counts for nothing.
func (t *tx) erasedBefore() (out []erasedLine, err error) {
	if t.l.erased == "" {
		return nil, nil
	}
	b, err := os.ReadFile(t.l.erased)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("what was erased: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, len(b)+1)
	for lines.Scan() {
		var x erasedLine
		if json.Unmarshal(lines.Bytes(), &x) != nil || x.Code != t.erasedCode(x) { // a power cut tore it, or somebody wrote it by hand
			continue
		}
		out = append(out, x)
	}
	return out, lines.Err()
}

func (t *tx) erasedCode(x erasedLine) string {
	x.Code = ""
	b, err := json.Marshal(x)
	if err != nil {
		return ""
	}
	return t.signed(rowOf("erasure", string(b)))
}

func (t *tx) keepErased(x erasedLine) error {
	if t.l.erased == "" {
		return nil
	}
	x.Code = t.erasedCode(x)
	b, err := json.Marshal(x)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(t.l.erased, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("what was erased: %w", err)
	}
	_, err = f.Write(append(append([]byte("\n"), b...), '\n')) // a line that a power cut tore stays by itself
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// EraseAgain erases in a ledger that was put back from a copy what had been erased since, and says of how many certificates that was, and
// how many a legal hold forbids, which is younger than they are. An erasure is the same by when it was and what it took: its number may have
// been given twice, where two machines have erased and neither knew of the other.
func (l *Ledger) EraseAgain(ctx context.Context, now time.Time) (n, forbidden int, err error) {
	err = l.tx(ctx, func(t *tx) error {
		lines, err := t.erasedBefore()
		if err != nil {
			return err
		}
		if len(lines) == 0 {
			return nil
		}
		have, err := t.certificates(``)
		if err != nil {
			return err
		}
		for _, x := range lines {
			if slices.ContainsFunc(have, func(c port.Certificate) bool { return c.Digest == x.Certificate.Digest && c.At.Equal(x.Certificate.At) }) {
				continue
			}
			did, err := t.eraseAgain(x, now)
			switch {
			case err != nil:
				return err
			case did:
				n++
			default:
				forbidden++
			}
		}
		return nil
	})
	return n, forbidden, err
}

// eraseAgain does an erasure again; false where a legal hold forbids it.
func (t *tx) eraseAgain(x erasedLine, now time.Time) (bool, error) {
	var all []string
	if err := t.all(&all, `SELECT child FROM dispute_child UNION SELECT child FROM evidence_child ORDER BY 1`); err != nil {
		return false, err
	}
	all = slices.DeleteFunc(all, func(child string) bool { return !slices.Contains(x.Certificate.Children, t.childDigest(child)) })
	var loose []string
	for _, what := range x.What {
		if id, ok := strings.CutPrefix(what, "e/"); ok {
			loose = append(loose, id)
		}
	}
	a, err := t.about(nil, x.Certificate.Disputes)
	if err != nil {
		return false, err
	}
	own, err := t.about(all, nil) // who works with them
	if err != nil {
		return false, err
	}
	a.Children = append(a.Children, all...)
	for _, ev := range own.Evidence {
		if ev.Where == port.PlacePeople && !slices.ContainsFunc(a.Evidence, func(h port.AboutEvidence) bool { return h.ID == ev.ID }) {
			a.Evidence = append(a.Evidence, ev)
		}
	}
	if len(a.Holds)+len(own.Holds) > 0 {
		return false, nil
	}
	g, err := t.gone(a, loose)
	if err != nil {
		return false, err
	}
	g.what = slices.Compact(slices.Sorted(slices.Values(append(g.what, x.What...))))
	c := x.Certificate
	c.Restored, c.Effects, c.Messages, c.Evidence = true, 0, 0, len(g.evidence)
	var taken int64
	if _, err := t.get(&taken, `SELECT count(*) FROM certificate WHERE number = ?`, c.Number); err != nil {
		return false, err
	}
	if taken > 0 {
		if _, err := t.get(&c.Number, `SELECT max(number) + 1 FROM certificate`); err != nil {
			return false, err
		}
	}
	return true, t.take(g, &c, now)
}

// Compact gives up the room that was freed, so that nothing of what was in it is left in the database.
func (l *Ledger) Compact(ctx context.Context) error {
	if err := l.engine.compact(ctx, l.db); err != nil {
		return l.engine.failed(err)
	}
	return nil
}
