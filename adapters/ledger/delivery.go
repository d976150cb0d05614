package ledger

import (
	"context"
	"slices"
	"time"

	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/workday"
)

// Sent gives a delivery that may have gone out, without its message.
func (l *Ledger) Sent(ctx context.Context, effect, person string) (out port.Envelope, found bool, err error) {
	err = l.tx(ctx, func(t *tx) error {
		var row deliveryRow
		if found, err = t.get(&row, `SELECT `+deliveryWhole+` FROM delivery WHERE effect = ? AND person = ? AND tries > 0`, effect,
			person); err != nil || !found {
			return err
		}
		past, err := t.past(`key = ?`, effect)
		if err != nil {
			return err
		}
		if found = len(past) == 1; !found {
			return nil
		}
		if out, err = t.envelope(past[0], row); err != nil {
			return err
		}
		out.Message = nil
		if out.Reason == drp.ReasonDigest {
			out.Carries, err = t.carries(effect)
		}
		return err
	})
	return out, found, err
}

// Witness gives the latest delivery by a route that was accepted before a time, without its message.
func (l *Ledger) Witness(ctx context.Context, route string, before time.Time) (out port.Envelope, found bool, err error) {
	var key struct{ Effect, Person string }
	err = l.tx(ctx, func(t *tx) error {
		found, err = t.get(&key, `SELECT d.effect, d.person FROM delivery d JOIN effect e ON e.key = d.effect WHERE d.route = ? AND d.carried = '' AND d.life = ? AND e.settled_at < ? ORDER BY e.settled_at DESC, d.effect, d.person LIMIT 1`,
			route, string(drp.Accepted), before.UnixMilli())
		return err
	})
	if err != nil || !found {
		return out, false, err
	}
	return l.Sent(ctx, key.Effect, key.Person)
}

// SentSince counts the messages that were accepted since a time, by the role of who got them.
func (l *Ledger) SentSince(ctx context.Context, since time.Time) (map[string]int, error) {
	out := make(map[string]int)
	return out, l.tx(ctx, func(t *tx) error {
		var rows []struct {
			Role string
			N    int
		}
		// SQLite takes what stands left of CROSS JOIN first: it looks at the effects of that time, and not at all that ever went.
		err := t.all(&rows, `SELECT d.role, count(*) AS n FROM effect e CROSS JOIN delivery d
			WHERE d.effect = e.key AND e.settled_at >= ? AND e.kind = ? AND d.life = ? AND d.carried = '' GROUP BY d.role`,
			since.UnixMilli(), string(drp.Email), string(drp.Accepted))
		for _, r := range rows {
			out[r.Role] = r.N
		}
		return err
	})
}

// Absences gives who is not reached by email, oldest first.
func (l *Ledger) Absences(ctx context.Context) (out []drp.Absence, err error) {
	err = l.tx(ctx, func(t *tx) error {
		var rows []struct {
			Person, Address, Evidence string
			Since, Until              int64
			Returned                  bool
		}
		if err := t.all(&rows, `SELECT person, address, evidence, since, until, returned FROM absence
			ORDER BY since, person, evidence`); err != nil {
			return err
		}
		for _, r := range rows {
			out = append(out, drp.Absence{Person: r.Person, From: workday.Date(r.Since), Until: workday.Date(r.Until), Returned: r.Returned,
				Address: r.Address, Evidence: r.Evidence})
		}
		return nil
	})
	return out, err
}

// became stores what a piece of evidence says of messages that were sent, and of whom they reach.
func (t *tx) became(p port.Placement) error {
	for _, b := range p.Became {
		life := `life`
		args := []any{b.Why, b.Effect, b.Person}
		if b.Returned {
			life, args = `?`, append([]any{string(drp.Failed)}, args...)
		}
		told, err := t.changed(`UPDATE delivery SET life = `+life+`, why = ? WHERE effect = ? AND person = ? AND tries > 0`, args...)
		if err != nil {
			return err
		}
		if !told { // it was made again since: the report is about a message that no longer counts
			continue
		}
		if err := t.audit(p.Now, "drpd", "what became of it", b.Effect, b.Person); err != nil {
			return err
		}
		if !b.Returned {
			continue
		}
		rows, err := t.deliveries(deliveryState, `effect = ?`, b.Effect)
		if err != nil {
			return err
		}
		if err := t.exec(`UPDATE effect SET life = ? WHERE key = ? AND life <> ?`, string(lifeOf(rows)), b.Effect,
			string(drp.Cancelled)); err != nil {
			return err
		}
		if !slices.ContainsFunc(rows, func(d deliveryRow) bool { return d.Person == b.Person && d.Carried != "" }) {
			continue
		}
		if err := t.anew(b.Effect); err != nil { // no report will name it: whoever is there now gets it
			return err
		}
		if err := t.moved(b.Effect); err != nil {
			return err
		}
	}
	for _, a := range p.Absent {
		a.Evidence = p.Evidence
		if err := t.absent(a); err != nil {
			return err
		}
	}
	for _, person := range p.Seen {
		if err := t.present(person, p.SeenOn); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) absent(a drp.Absence) error {
	return t.exec(`INSERT INTO absence (person, since, until, returned, address, evidence) VALUES (?,?,?,?,?,?) ON CONFLICT (person, evidence) DO NOTHING`,
		a.Person, int64(a.From), int64(a.Until), a.Returned, a.Address, a.Evidence)
}

// EndAbsence ends the absences of a person, on a person's word; found is false where there is none.
func (l *Ledger) EndAbsence(ctx context.Context, person string, today workday.Date, actor string, now time.Time) (found bool, err error) {
	err = l.tx(ctx, func(t *tx) error {
		found, err = t.changed(`UPDATE absence SET until = ? WHERE person = ? AND (until = 0 OR until >= ?)`, int64(today-1), person,
			int64(today))
		if err != nil || !found {
			return err
		}
		return t.audit(now, actor, "absence ended", person, "")
	})
	return found, err
}

// present ends the absences of a person that began before a day.
func (t *tx) present(person string, on workday.Date) error {
	return t.exec(`UPDATE absence SET until = ? WHERE person = ? AND since < ? AND (until = 0 OR until >= ?)`, int64(on-1), person,
		int64(on), int64(on))
}
