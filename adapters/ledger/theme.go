package ledger

import (
	"context"
	"errors"
	"slices"

	"drpd/core/port"
)

const themesAtOnce = 200 // rows of one transaction

// setTheme keeps what a dispute is about, sealed with its key.
func (t *tx) setTheme(ref, theme string) error {
	sealed, err := t.sealed("d/"+ref, rowOf("theme", ref), []byte(theme))
	if err != nil {
		return err
	}
	return t.exec(`UPDATE dispute SET about = ?, theme = '' WHERE ref = ?`, sealed, ref)
}

// theme opens what a dispute is about; of one that is damaged nothing is known.
func (t *tx) theme(r disputeRow) (string, error) {
	if len(r.About) == 0 {
		return "", nil
	}
	plain, err := t.opened("d/"+r.Ref, rowOf("theme", r.Ref), r.About)
	if errors.Is(err, errSeal) || errors.As(err, new(port.Damaged)) {
		return "", nil
	}
	return string(plain), err
}

// themes opens the themes of disputes in their place.
func (t *tx) themes(rows []disputeRow) error {
	for some := range slices.Chunk(rows, atOnce) {
		var keys []string
		for _, r := range some {
			if len(r.About) > 0 {
				keys = append(keys, "d/"+r.Ref)
			}
		}
		if err := t.readKeys(keys); err != nil {
			return err
		}
		for i, r := range some {
			var err error
			if some[i].Theme, err = t.theme(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// sealThemes seals what an earlier drpd kept in plain text.
func (l *Ledger) sealThemes(ctx context.Context) error {
	for {
		var rows []struct{ Ref, Theme string }
		err := l.tx(ctx, func(t *tx) error {
			if err := t.all(&rows, `SELECT ref, theme FROM dispute WHERE theme <> '' ORDER BY ref LIMIT ?`, themesAtOnce); err != nil {
				return err
			}
			for _, r := range rows {
				if err := t.setTheme(r.Ref, r.Theme); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || len(rows) < themesAtOnce {
			return err
		}
	}
}
