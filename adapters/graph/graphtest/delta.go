package graphtest

import (
	"net/http"
	"slices"
)

// state is where a list of changes stands.
type state struct {
	box    *box
	folder string
	left   []change // of this round
	until  int      // how many of the mailbox's changes the round takes in
	round  bool     // it is at its end: the next round begins with what has changed since
}

// delta gives a page of the changes of a folder: at first all that is in it, from then on what has changed.
func (s *Service) delta(w http.ResponseWriter, r *http.Request, b *box, f *folder) *refusal {
	q := r.URL.Query()
	skip, delta := q.Get("$skiptoken"), q.Get("$deltatoken")
	if skip == "" && delta == "" {
		if no := options(r, messageFields, "$select", "changeType", "$top"); no != nil {
			return no
		}
		at := &state{box: b, folder: f.id, until: len(b.changes)}
		for _, i := range b.items {
			if i.folder == f.id && !i.hidden {
				at.left = append(at.left, change{f.id, i, i.id, true})
			}
		}
		return s.page(w, r, at)
	}
	at := s.states[skip+delta]
	if at == nil || at.box != b || at.folder != f.id || at.round != (delta != "") {
		return refused(http.StatusGone, "SyncStateNotFound")
	}
	if delta == "" { // what has changed since the round began may come in it too
		on := &state{box: b, folder: f.id, left: slices.Clone(at.left), until: len(b.changes)}
		on.add(at.until)
		return s.page(w, r, on)
	}
	next := &state{box: b, folder: f.id, until: len(b.changes)}
	next.add(at.until)
	return s.page(w, r, next)
}

// add adds what has changed in the folder since.
func (at *state) add(since int) {
	for _, c := range at.box.changes[since:at.until] {
		if c.folder == at.folder {
			at.left = append(at.left, c)
		}
	}
}

// page gives the next changes of a round, and where to go on.
func (s *Service) page(w http.ResponseWriter, r *http.Request, at *state) *refusal {
	immutable, size := prefers(r)
	if s.most > 0 {
		size = min(size, s.most)
	}
	n := min(size, len(at.left))
	lines := []any{}
	for _, c := range at.left[:n] {
		if here := c.there && slices.Contains(at.box.items, c.item); here || !c.there {
			lines = append(lines, c.line(r, immutable))
		}
	}
	link := s.URL + "/users/" + at.box.address + "/mailfolders('" + at.folder + "')/messages/delta?"
	token := s.number("state")
	answer := map[string]any{"@odata.context": s.URL + "/$metadata#Collection(message)", "value": lines}
	if n < len(at.left) {
		s.states[token] = &state{box: at.box, folder: at.folder, left: at.left[n:], until: at.until}
		answer["@odata.nextLink"] = link + "$skiptoken=" + escaped(token)
	} else {
		s.states[token] = &state{box: at.box, folder: at.folder, until: at.until, round: true}
		answer["@odata.deltaLink"] = link + "$deltatoken=" + escaped(token)
	}
	return give(w, http.StatusOK, answer)
}

func (c change) line(r *http.Request, immutable bool) map[string]any {
	if !c.there {
		id := c.id
		if immutable {
			id = c.item.immutable
		}
		return map[string]any{"@odata.type": "#microsoft.graph.message", "id": id, "@removed": map[string]string{"reason": "deleted"}}
	}
	return c.item.shown(r)
}
