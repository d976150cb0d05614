package daemon

import (
	"bytes"
	"cmp"
	"context"
	"time"

	"drpd/core/layout"
	"drpd/core/letter"
)

// drpd's own history is anchored each day: a signed root of it is kept beside the key, goes with the reports, and to a witness. What is anchored
// elsewhere nobody can change unseen, whatever they have in hand. Nothing else waits for that.

// anchorDay anchors the history in the first cycle of a day.
func (d *cycle) anchorDay(ctx context.Context) error {
	y, m, day := d.Now().In(d.Zone).Date()
	_, err := d.anchored(ctx, time.Date(y, m, day, 0, 0, 0, 0, d.Zone))
	return err
}

// anchored gives an anchor of the history as it was at a time or later; none where none can be made. The operator is told why, and of what was
// anchored before and is not there any more.
func (d *cycle) anchored(ctx context.Context, since time.Time) ([]byte, error) {
	if d.Anchor == nil {
		return nil, nil
	}
	note, wrong, err := d.Anchor(ctx, since, d.Now())
	for _, w := range wrong {
		d.Log.Error("drpd's history is not the one that was anchored", "why", w)
		if err := d.tell(ctx, "drpd's history was anchored, and does not hold: "+w+". Look at it with drpd audit verify. Who can write to drpd's "+
			"database?", "history", w, true); err != nil {
			return nil, err
		}
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		d.Log.Error("no anchor of drpd's history could be made: it is tried again at the next cycle", "error", err)
		return nil, d.tell(ctx, "no anchor of drpd's history could be made: "+err.Error()+". Until there is one, what was entered since the last "+
			"can be changed unseen by whoever has drpd's state and its key", "unanchored", d.today().String(), false)
	}
	d.memory.anchor = note
	return note, nil
}

// witness hands the last anchor over: it says what all that came before say. Out of reach, the witness gets it after a later cycle.
func (d *cycle) witness(ctx context.Context) {
	if d.Witness == nil || ctx.Err() != nil || len(d.memory.anchor) == 0 || bytes.Equal(d.memory.anchor, d.memory.handed) {
		return
	}
	note := d.memory.anchor
	said, err := within(ctx, d, "the witness", searchTime, func(ctx context.Context) error { return d.Witness(ctx, note) })
	if err = cmp.Or(err, said); err != nil {
		d.Log.Warn("the witness of drpd's history cannot be reached: it is tried again after the next cycle", "error", err)
		return
	}
	d.memory.handed = note
}

// anchorFile is what an anchor is called where it is attached.
const anchorFile = "anchor.txt"

// withAnchor puts an anchor of now into a report's letter, with a word on what it is for.
func (d *round) withAnchor(ctx context.Context, body layout.Doc, files []letter.File) (layout.Doc, []letter.File, error) {
	note, err := d.anchored(ctx, d.began)
	if err != nil || note == nil {
		return body, files, err
	}
	body.Parts = append(body.Parts, layout.Part{Title: "Please keep this message", Text: []string{"The attached " + anchorFile + " says in a few " +
		"letters what drpd has done until now. As long as somebody keeps it, nobody can change that afterwards unseen: drpd audit verify " +
		"compares it."}})
	return body, append(files, letter.File{Name: anchorFile, Type: "text/plain", Data: note}), nil
}
