package daemon

import (
	"context"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/port"
)

// A record whose child changes, or whose number is given out again, may be another dispute's. What it says then waits for a
// person, and the dispute that the record was of asks about it: until they have said, nothing of that dispute leaves but an
// emergency, and the question itself.

// gateQuestion holds the letters and notes of a dispute while nobody knows whether its record is still its own.
const gateQuestion = "question"

// questioned is what waits, and what a person can say.
func questioned(ev drp.Evidence, ref, doubt string) port.Placement {
	return port.Placement{Where: port.PlaceWaiting, Dispute: ref,
		Reason: doubt + sayWhich(ev, ref, "the same dispute, and what changed was a correction")}
}

// sayWhich says how a person says which dispute evidence belongs to.
func sayWhich(ev drp.Evidence, ref, same string) string {
	accept := ": drpd quarantine accept " + ev.ID + " --dispute "
	return ". If it is " + same + accept + ref + "; if it is another one" + accept + "new; if it is a mistake: drpd quarantine reject " + ev.ID
}

// alike remembers the open dispute that evidence may be about. What was asked once begins no dispute by itself later.
func (d *Daemon) alike(ctx context.Context, ev drp.Evidence, tied drp.Tied, said bool) (drp.Tied, error) {
	if said || tied.May == "" && !tied.New {
		return tied, nil
	}
	before, err := d.setting(ctx, port.AlikeTo(ev.ID))
	switch {
	case err != nil:
		return tied, err
	case before == "" && tied.May != "":
		return tied, d.Settings.SetSetting(ctx, port.AlikeTo(ev.ID), tied.May, "drpd", d.Now())
	case before != "" && tied.New:
		return drp.Tied{May: before, Other: true, Doubt: "it may be about the same as dispute " + before +
			", which has ended since, or begin another one"}, nil
	}
	return tied, nil
}

// mayBe is what waits since it may be about the same as an open dispute, and what a person can say. A form of that dispute's own
// procedure counts as a message that nobody has understood: nothing of the dispute goes by itself over it. One of another
// procedure says nothing about how that one goes on.
func mayBe(ev drp.Evidence, tied drp.Tied) port.Placement {
	p := port.Placement{Where: port.PlaceWaiting, Alike: true, Reason: tied.Doubt + sayWhich(ev, tied.May, "about the same")}
	if ev.Kind == drp.Message && !tied.Other {
		p.Dispute = tied.May
	}
	return p
}

// backAgain says why a record that had vanished and is back may not be the same: it was raised on another day. Its number may
// have been given out anew, as after a backup was restored.
func (d *Daemon) backAgain(ctx context.Context, ev drp.Evidence, r drp.Reading, ref string) (why string, err error) {
	if ev.Kind != drp.Row || r.Record.Gone || r.Subject.Raised.IsZero() {
		return "", nil
	}
	versions, err := d.versions(ctx, ev, ref)
	if err != nil || len(versions) < 2 {
		return "", err
	}
	if last, err := d.read(ctx, versions[len(versions)-1]); err != nil || !last.Record.Gone {
		return "", err
	}
	for _, before := range slices.Backward(versions) {
		was, err := d.read(ctx, before)
		if err != nil {
			return "", err
		}
		if !was.Record.Gone && !was.Subject.Raised.IsZero() {
			if was.Subject.Raised != r.Subject.Raised {
				why = "the record " + r.Subject.Record + " had vanished, and is back raised on another day than dispute " + ref
			}
			return why, nil
		}
	}
	return "", nil
}

// versions gives the versions of a row before this one that are with a dispute, in their order.
func (d *Daemon) versions(ctx context.Context, ev drp.Evidence, ref string) ([]drp.Evidence, error) {
	s, err := d.Book.Load(ctx, ref)
	if err != nil {
		return nil, err
	}
	out := slices.DeleteFunc(s.Evidence, func(o drp.Evidence) bool { return !sameRow(o, ev) || o.Version >= ev.Version })
	slices.SortFunc(out, func(a, b drp.Evidence) int { return strings.Compare(a.Version, b.Version) })
	return out, nil
}

func sameRow(a, b drp.Evidence) bool {
	return a.Kind == drp.Row && b.Kind == drp.Row && a.Source == b.Source && a.Key == b.Key
}

// lapse puts away the questions that a later version of the row has answered: it is about the dispute's child again.
func (d *Daemon) lapse(ctx context.Context, ev drp.Evidence, p port.Placement, asked []port.Question) error {
	for _, q := range asked {
		if p.Where != port.PlaceDispute || q.Dispute != p.Dispute || !sameRow(q.Evidence, ev) || q.Version >= ev.Version {
			continue
		}
		noted := port.Placement{Evidence: q.ID, Where: port.PlaceNoted, Reason: "a later version of the record is the dispute's again",
			Now: d.Now()}
		if err := d.Placing.Place(ctx, noted); err != nil {
			return err
		}
	}
	return nil
}

// withQuestions adds to a file the questions about evidence that may be the dispute's. Where the record's number is another
// dispute's by now, this one has lost its record.
func withQuestions(file *drp.File, stored port.Stored, asked []port.Question) {
	for _, q := range asked {
		if q.Dispute == stored.Ref {
			file.Asks(q.Conflict())
		}
	}
	if file.Record.Known && stored.Record == "" {
		file.Record.Gone = true
		file.Vanished(drp.RecordIsAnothers(stored.Ref))
	}
	if len(stored.Children) > 0 { // a person may have said that it is about another child than was thought
		file.Subject.Children = slices.DeleteFunc(file.Subject.Children, func(c string) bool { return !slices.Contains(stored.Children, c) })
	}
}
