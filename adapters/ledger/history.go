package ledger

import (
	"context"
	"crypto/ed25519"
	"errors"
	"math"
	"strings"
	"time"

	"drpd/core/audit"
	"drpd/core/port"
)

const auditColumns = `seq, at, actor, action, subject, detail, code`

// audit makes the next entry of the history. What is no text is made one: the entry is the same wherever it is written down.
func (t *tx) audit(now time.Time, actor, action, subject, detail string) error {
	last := t.last
	if last == nil {
		e, err := t.lastEntry()
		if err != nil {
			return err
		}
		last = &e
	}
	const instead = "\ufffd"
	e := audit.Seal(t.l.seal.auditKey, last.Code, audit.Entry{Seq: last.Seq + 1, At: now.UnixMilli(), Actor: strings.ToValidUTF8(actor, instead),
		Action: action, Subject: strings.ToValidUTF8(subject, instead), Detail: strings.ToValidUTF8(detail, instead)})
	t.last = &e
	return t.exec(`INSERT INTO audit (`+auditColumns+`) VALUES (?,?,?,?,?,?,?)`, e.Seq, e.At, e.Actor, e.Action, e.Subject, e.Detail, e.Code)
}

// lastEntry gives the last entry of the audit; its number is 0 where there is none.
func (t *tx) lastEntry() (e audit.Entry, err error) {
	_, err = t.get(&e, `SELECT `+auditColumns+` FROM audit ORDER BY seq DESC LIMIT 1`)
	return e, err
}

// Audit goes through every entry, and gives an audit.BrokenError that says where the chain breaks, if it does; it goes on to the end all the
// same. Whoever works on the ledger goes on meanwhile.
func (l *Ledger) Audit(ctx context.Context, each func(audit.Entry)) error {
	var broken error
	chain := audit.Chain{Key: l.seal.auditKey}
	err := l.entries(ctx, math.MinInt64, func(e audit.Entry) {
		broken = chain.Next(e)
		each(e)
	})
	if err != nil {
		return err
	}
	return broken
}

const entriesAtOnce = 1000 // of one transaction

// entries goes through the entries after a number, as far as there are any.
func (l *Ledger) entries(ctx context.Context, after int64, each func(audit.Entry)) error {
	for {
		var some []audit.Entry
		if err := l.tx(ctx, func(t *tx) error {
			return t.all(&some, `SELECT `+auditColumns+` FROM audit WHERE seq > ? ORDER BY seq LIMIT ?`, after, entriesAtOnce)
		}); err != nil {
			return err
		}
		for _, e := range some {
			each(e)
		}
		if len(some) < entriesAtOnce {
			return nil
		}
		after = some[len(some)-1].Seq
	}
}

// AnchorKey is the public key with which anchors of this ledger are verified.
func (l *Ledger) AnchorKey() ed25519.PublicKey { return l.seal.anchors.Public().(ed25519.PublicKey) }

// Anchor signs what the history is now, under its name, and gives that once keep has kept it outside of the ledger. It reads what was entered
// since the last time, and holds it against the anchor that was kept last (zero: none was): wrong says how the history is not the one of that
// anchor, and what it gives is of what is there all the same.
func (l *Ledger) Anchor(ctx context.Context, of string, last audit.Anchor, now time.Time, keep func(audit.Anchor) error) (a audit.Anchor,
	wrong []string, err error) {
	tree, code, err := l.anchored(ctx)
	if err != nil {
		return a, nil, err
	}
	check := &audit.Check{Zone: l.zone, Tree: tree}
	if last.Size >= tree.Size() && last != (audit.Anchor{}) {
		check.Add(last)
	}
	if err := l.entries(ctx, tree.Size(), func(e audit.Entry) {
		check.Next(e)
		code = e.Code
	}); err != nil {
		return a, nil, err
	}
	a = audit.Anchor{Of: of, Size: check.Tree.Size(), Root: check.Tree.Root(), At: now.UTC().Truncate(time.Second)}
	if a, err = a.Sign(l.seal.anchors); err != nil {
		return a, nil, err
	}
	if err := keep(a); err != nil {
		return a, nil, err
	}
	return a, check.End().Wrong, l.Mark(ctx, port.Anchored, code+" "+check.Tree.Text())
}

// Anchored says how many entries were anchored last, as far as the ledger knows.
func (l *Ledger) Anchored(ctx context.Context) (int64, error) {
	tree, _, err := l.anchored(ctx)
	return tree.Size(), err
}

// anchored gives the tree of the last anchor, with the code of its last entry, so that nobody need read what came before. Where that is
// not known, or the ledger does not hold that entry, it gives the tree of no entry.
func (l *Ledger) anchored(ctx context.Context) (tree audit.Tree, code string, err error) {
	err = l.tx(ctx, func(t *tx) error {
		value, err := t.setting(port.Anchored)
		if errors.As(err, new(port.Damaged)) {
			return nil
		}
		if err != nil {
			return err
		}
		kept, text, _ := strings.Cut(value, " ")
		from, err := audit.ParseTree(text)
		if err != nil {
			return nil //nolint:nilerr // there is none yet
		}
		var have string
		found, err := t.get(&have, `SELECT code FROM audit WHERE seq = ?`, from.Size())
		if found && have == kept {
			tree, code = from, kept
		}
		return err
	})
	return tree, code, err
}
