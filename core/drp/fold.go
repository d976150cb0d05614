package drp

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"drpd/core/workday"
)

// File is all that the evidence says of one dispute.
type File struct {
	Subject    Subject
	Facts      []Fact   // in order; contradicted and doubtful ones say so in Doubt
	Denials    []Denial // what is said not to have happened, in order
	Fields     map[string]Field
	Forms      []FormPart // oldest first
	Record     RecordState
	Rulings    []Ruling
	Conflicts  []Conflict // the questions that wait for a person
	Settled    []Settled  // those that a person has settled
	Doubts     []Doubt
	Asides     []Doubt          // what a person should look at, and nothing waits for: each passage once
	Deliveries []DeliveryStatus // what machines say of messages that drpd sent

	Names map[string]Private // of workers, by the id that the sources have for them: of who raised the dispute always

	Came map[string]time.Time // when each message and attestation came, by its id: what is of one day has an order

	First time.Time // when the first piece of evidence came; zero where there is none
	Last  time.Time // when the last came that people wrote or recorded

	supposing func(Ruling) File // the same evidence, put together anew with a ruling
}

// Supposing gives the file as it would be if a person decided something.
func (out *File) Supposing(r Ruling) File {
	if out.supposing == nil {
		return *out
	}
	return out.supposing(r)
}

// Adjust changes the file, and what it would be by any supposition.
func (out *File) Adjust(change func(*File)) {
	change(out)
	if before := out.supposing; before != nil {
		out.supposing = func(r Ruling) File {
			f := before(r)
			change(&f)
			return f
		}
	}
}

// nameRaisers names who raised the dispute, where the roster knows them and the source does not say.
func (out *File) nameRaisers(roster Roster) {
	for _, f := range out.Facts {
		if f.Kind != Raised {
			continue
		}
		for _, h := range roster {
			for _, a := range []Actor{f.By, f.Said} {
				if key := a.key(); key != "" && out.Names[key].Empty() && h.is(a) {
					out.Names[key] = h.Name
				}
			}
		}
	}
}

// NameOf gives the name of somebody as far as it is known: else the address from which they write, or nothing.
func (out *File) NameOf(a Actor) Private {
	if name := out.Names[a.key()]; !name.Empty() {
		return name
	}
	return a.Address
}

// Has says whether a field was filled in.
func (out *File) Has(field string) bool { return !out.Fields[field].Value.Empty() }

// Ruled says what a person decided about something: the latest choice, or "".
func (out *File) Ruled(about string) string {
	choice := ""
	for _, r := range out.Rulings {
		if r.About == about {
			choice = r.Choice
		}
	}
	return choice
}

// HasRuled says whether a person ever made that choice: one may say "send" of one stage, and later of another.
func (out *File) HasRuled(about, choice string) bool {
	return slices.ContainsFunc(out.Rulings, func(r Ruling) bool { return r.About == about && r.Choice == choice })
}

// Fold puts the readings of one dispute together. Its result does not depend on their order.
//
// A row counts in its latest version, by the source's own mark of change, ties by digest; a fact that rows do not date
// is dated by the versions between which it appeared, and is doubtful. Events add; an attestation that corrects
// another replaces it; the latest version of a form's stage block replaces the facts of the earlier ones, and a blank
// one says nothing. Where two sources contradict each other the reading that protects the child stands: the earlier
// start, the later end; it is marked as doubtful, and a conflict asks a person.
func Fold(readings []Reading, roster Roster) File {
	out := File{Fields: make(map[string]Field), Came: make(map[string]time.Time), Names: make(map[string]Private)}
	for _, r := range readings {
		if at := r.Evidence.Learned; !at.IsZero() && (out.First.IsZero() || at.Before(out.First)) { // what is supposed came at no time
			out.First = at
		}
		if r.Evidence.Kind != Receipt && r.Evidence.Learned.After(out.Last) {
			out.Last = r.Evidence.Learned
		}
	}
	out.supposing = func(r Ruling) File {
		return Fold(append(slices.Clone(readings), Reading{Evidence: Evidence{ID: "supposed", Kind: RulingMade}, Rulings: []Ruling{r}}), roster)
	}
	rows, events := split(readings)
	var gone []Conflict
	n, brought := 0, broughtOver(rows)
	latest := make([]*Reading, 0, len(rows)+len(events))
	for i, versions := range rows {
		last := versions[len(versions)-1]
		if last.Record.Gone {
			if !last.Former || !brought {
				gone = append(gone, RecordIsGone(last.Evidence.ID, last.Record.Why))
			}
			if len(versions) > 1 {
				before := *versions[len(versions)-2]
				before.Record.Gone, before.Record.Why, before.Record.Since = true, last.Record.Why, last.Record.Since
				last = &before
				rows[i] = versions[:len(versions)-1]
			}
		}
		n += len(last.Facts) + len(last.Denials)
		latest = append(latest, last)
	}
	for _, r := range events {
		out.Came[r.Evidence.ID] = r.Evidence.Learned
		n += len(r.Facts) + len(r.Denials)
	}
	facts := make([]Statement, 0, n)
	for _, versions := range rows {
		facts = append(facts, datedByVersions(versions)...)
	}
	var mailed []Statement
	for _, r := range events {
		if r.Evidence.Kind == Message {
			mailed = statements(mailed, r.Facts, r.Denials)
		} else {
			facts = statements(facts, r.Facts, r.Denials)
		}
		latest = append(latest, r)
	}
	facts = append(facts, onceEach(mailed)...)
	out.take(latest, roster)
	for _, c := range gone {
		out.Vanished(c)
	}
	facts = append(facts, out.accepted(roster)...)
	at := make(map[string]int, len(latest))
	for i, r := range latest {
		at[r.Evidence.ID] = i
	}
	facts = out.onePerBlock(facts, at)
	facts = said(facts, latest)
	back := returned(latest)
	facts = slices.DeleteFunc(facts, func(f Statement) bool { return back[f.Evidence] })
	for i := range facts {
		f := &facts[i].Fact
		f.ByRoles = roster.RolesOf(f.By, out.Subject.Children, f.On)
		f.SaidRoles = roster.RolesOf(f.Said, out.Subject.Children, f.On)
		if i, ok := at[f.Evidence]; ok {
			f.Wrote = latest[i].SentBy
		}
		f.WroteRoles = roster.RolesOf(f.Wrote, out.Subject.Children, f.On)
		speaks := f.By
		if !f.Said.IsZero() {
			speaks = f.Said
		}
		f.DeputyFor = roster.deputyFor(speaks, f.ByRoles, out.Subject.Children, f.On)
		facts[i].ToRoles = nil
		for _, to := range facts[i].To {
			facts[i].ToRoles = append(facts[i].ToRoles, roster.RolesOf(to, out.Subject.Children, facts[i].On)...)
		}
		slices.Sort(facts[i].ToRoles)
		facts[i].ToRoles = slices.Compact(facts[i].ToRoles)
	}
	out.keep(out.agree(facts))
	out.nameRaisers(roster)
	out.order()
	return out
}

// order puts the questions into an order that does not depend on that of the evidence.
func (out *File) order() {
	slices.SortFunc(out.Conflicts, func(a, b Conflict) int { return strings.Compare(a.id, b.id) })
	slices.SortFunc(out.Settled, func(a, b Settled) int { return strings.Compare(a.id, b.id) })
}

// sayers sets the person and the roles of whoever wrote a passage that is in doubt, and of whoever has ruled by email.
func (out *File) sayers(roster Roster) {
	for i := range out.Doubts {
		if q := &out.Doubts[i]; !q.By.IsZero() {
			q.Person, q.ByRoles = roster.personOf(q.By), roster.RolesOf(q.By, out.Subject.Children, q.On)
		}
	}
	for i := range out.Rulings {
		if r := &out.Rulings[i]; !r.Said.IsZero() {
			r.Person, r.SaidRoles = roster.personOf(r.Said), roster.RolesOf(r.Said, out.Subject.Children, r.On)
		}
	}
}

// Vanished asks about a dispute that has lost its record whether it is still open. Where a person has said so, it goes on
// without the record.
func (out *File) Vanished(c Conflict) {
	if chosen, _ := out.ask(c); chosen.Say == Accept {
		out.Record.Gone = false
	}
}

// Asks adds a question that other evidence raises.
func (out *File) Asks(c Conflict) {
	out.ask(c)
	out.order()
}

// onceEach leaves out what a copy of a message says again, to the letter: the same message comes to two mailboxes, or by two
// ways to one. What is kept was learned on the first day.
func onceEach(facts []Statement) (out []Statement) {
	for _, f := range facts {
		i := slices.IndexFunc(out, func(g Statement) bool {
			return f.Kind == g.Kind && f.Stage == g.Stage && f.On == g.On && f.After == g.After && f.Until == g.Until && f.Event == g.Event &&
				f.Denied == g.Denied && f.By == g.By && f.Said == g.Said &&
				f.Attached == g.Attached && f.Copy == g.Copy && f.Obstacle == g.Obstacle && f.Block == g.Block && f.Text == g.Text &&
				f.Doubt == g.Doubt && slices.Equal(f.To, g.To) && slices.Equal(f.Joint, g.Joint)
		})
		if i < 0 {
			out = append(out, f)
			continue
		}
		out[i].Learned = min(out[i].Learned, f.Learned)
	}
	return out
}

// broughtOver says whether the record system in use has the record of a dispute: what becomes of its entry in another one says nothing then.
func broughtOver(rows [][]*Reading) bool {
	return slices.ContainsFunc(rows, func(versions []*Reading) bool {
		last := versions[len(versions)-1]
		return !last.Former && last.Record.Known && !last.Record.Gone
	})
}

// said leaves out what the record of a former system says and the one in use says too: it is the same entry, brought over.
func said(facts []Statement, readings []*Reading) []Statement {
	if !slices.ContainsFunc(readings, func(r *Reading) bool { return r.Former }) {
		return facts
	}
	former, record := make(map[string]bool), make(map[string]bool)
	for _, r := range readings {
		former[r.Evidence.ID] = r.Former
		record[r.Evidence.ID] = r.Evidence.Kind == Row && !r.Former
	}
	return slices.DeleteFunc(facts, func(f Statement) bool {
		return former[f.Evidence] && slices.ContainsFunc(facts, func(g Statement) bool {
			return record[g.Evidence] && g.Kind == f.Kind && g.Stage == f.Stage && g.On == f.On && g.Denied == f.Denied
		})
	})
}

func sortFacts(facts []Statement) {
	slices.SortFunc(facts, func(a, b Statement) int {
		switch {
		case a.Before(b.Fact):
			return -1
		case b.Before(a.Fact):
			return 1
		case a.Denied != b.Denied && b.Denied: // a yes comes before a no of the same place
			return -1
		case a.Denied != b.Denied:
			return 1
		}
		return 0
	})
}

// split groups rows by their key, versions in order, and sorts both groups and events; what was corrected is left out.
func split(readings []Reading) (rows [][]*Reading, events []*Reading) {
	all := make([]*Reading, len(readings))
	for i := range readings {
		all[i] = &readings[i]
	}
	slices.SortFunc(all, func(a, b *Reading) int {
		if a.Evidence.Version != b.Evidence.Version {
			return strings.Compare(a.Evidence.Version, b.Evidence.Version)
		}
		return strings.Compare(a.Evidence.ID, b.Evidence.ID)
	})
	all = slices.CompactFunc(all, func(a, b *Reading) bool { return a.Evidence.ID == b.Evidence.ID })
	corrected := make(map[string]bool)
	for _, r := range all {
		if r.Corrects != "" {
			corrected[r.Corrects] = true
		}
	}
	at := make(map[string]int)
	events = make([]*Reading, 0, len(all))
	for _, r := range all {
		switch {
		case corrected[r.Evidence.ID]:
		case r.Evidence.Kind != Row:
			events = append(events, r)
		default:
			key := r.Evidence.Source + "\x00" + r.Evidence.Key
			i, ok := at[key]
			if !ok {
				i = len(rows)
				at[key] = i
				rows = append(rows, nil)
			}
			rows[i] = append(rows[i], r)
		}
	}
	slices.SortFunc(rows, func(a, b []*Reading) int { return strings.Compare(a[0].Evidence.Key, b[0].Evidence.Key) })
	slices.SortStableFunc(events, func(a, b *Reading) int {
		return cmp.Or(int(a.Sent-b.Sent), a.Evidence.Learned.Compare(b.Evidence.Learned), a.entered()-b.entered(),
			strings.Compare(a.Evidence.ID, b.Evidence.ID))
	})
	return rows, events
}

// entered counts what is filled in on a form. A form grows as it goes from one to the next: of two versions that came at once, as after
// an hour without mail, the one on which less is filled in is the earlier.
func (r *Reading) entered() (n int) {
	for i := range r.Facts { // a fact is large: it is looked at where it lies
		if r.Facts[i].Block != "" {
			n++
		}
	}
	for i := range r.Denials {
		if r.Denials[i].Block != "" {
			n++
		}
	}
	return n
}

// datedByVersions gives the facts of the latest version; one that the row does not date lies between the last version
// without it and the first with it.
func datedByVersions(versions []*Reading) []Statement {
	last := versions[len(versions)-1]
	out := make([]Statement, 0, len(last.Facts)+len(last.Denials))
	for _, f := range last.Statements() {
		for _, v := range versions { // when it was first said
			if says(v, f) {
				if v.Evidence.Learned.Before(last.Evidence.Learned) {
					f.Learned = learnedOn(v, f)
				}
				break
			}
		}
		if f.On.IsZero() {
			f.On = f.Learned
			f.Doubt = "the record gives no date: it lies somewhere before " + f.Learned.String()
			for i := len(versions) - 2; i >= 0 && says(versions[i+1], f); i-- {
				if !says(versions[i], f) {
					f.After = learnedOn(versions[i], f)
					f.Doubt = fmt.Sprintf("the record gives no date: it lies after %s and not after %s", f.After, f.On)
					break
				}
			}
		}
		out = append(out, f)
	}
	return out
}

func says(r *Reading, f Statement) bool {
	same := func(g *Fact) bool {
		return g.Kind == f.Kind && g.Stage == f.Stage && (g.On.IsZero() || f.On.IsZero() || g.On == f.On)
	}
	if f.Denied {
		return slices.ContainsFunc(r.Denials, func(no Denial) bool { g := Fact(no); return same(&g) })
	}
	for i := range r.Facts {
		if same(&r.Facts[i]) {
			return true
		}
	}
	return false
}

// learnedOn is the day on which a reading that says a thing was learned.
func learnedOn(r *Reading, f Statement) workday.Date {
	for i := range r.Facts {
		if g := &r.Facts[i]; g.Kind == f.Kind && g.Stage == f.Stage {
			return g.Learned
		}
	}
	for i := range r.Denials {
		if g := &r.Denials[i]; g.Kind == f.Kind && g.Stage == f.Stage {
			return g.Learned
		}
	}
	switch {
	case len(r.Facts) > 0:
		return r.Facts[0].Learned
	case len(r.Denials) > 0:
		return r.Denials[0].Learned
	}
	return f.Learned
}

// take keeps what is no fact: the subject, fields, forms, the record's state, rulings, doubts.
func (out *File) take(readings []*Reading, roster Roster) {
	for _, r := range readings { // rows first, then events by the day they were sent: later ones win
		s := r.Subject
		if out.Subject.Form == "" {
			out.Subject.Form = s.Form
		}
		if out.Subject.Record == "" {
			out.Subject.Record = s.Record
		}
		if s.Theme != "" {
			out.Subject.Theme = s.Theme
		}
		if s.Ground != "" {
			out.Subject.Ground = s.Ground
		}
		if s.Dispute != "" {
			out.Subject.Dispute = s.Dispute
		}
		out.Subject.Children = append(out.Subject.Children, s.Children...)
		for _, f := range r.Fields {
			if !f.Value.Empty() {
				out.Fields[f.Name] = f
			}
		}
		out.Forms = append(out.Forms, r.Forms...)
		if r.Record.Known && (!r.Former || !out.Record.Known) {
			out.Record = r.Record
		}
		out.Rulings = append(out.Rulings, r.Rulings...)
		for _, x := range r.Deliveries {
			if x.State == Away {
				x.Person = r.WhoIsAway(x, roster)
			}
			if x.Person != "" {
				out.Deliveries = append(out.Deliveries, x)
			}
		}
		maps.Copy(out.Names, r.Names)
		for _, q := range r.Doubts {
			if r.Evidence.Kind == Message {
				q.By, q.On = r.Sender, max(r.Sent, r.Learned)
			}
			out.Doubts = append(out.Doubts, q)
		}
		for _, q := range r.Asides { // a form that is sent again holds what it held
			if !slices.ContainsFunc(out.Asides, func(o Doubt) bool { return o.What == q.What && o.Passage == q.Passage }) {
				q.By, q.On = r.Sender, max(r.Sent, r.Learned)
				out.Asides = append(out.Asides, q)
			}
		}
	}
	slices.Sort(out.Subject.Children)
	out.Subject.Children = slices.Compact(out.Subject.Children)
	slices.SortStableFunc(out.Forms, func(a, b FormPart) int {
		if a.Sent != b.Sent {
			return int(a.Sent - b.Sent)
		}
		return strings.Compare(a.Digest, b.Digest)
	})
	out.Forms = slices.CompactFunc(out.Forms, func(a, b FormPart) bool { return a.Digest == b.Digest })
}

// onePerBlock keeps, of the facts that versions of one form block say, those of the latest version that says them. What
// a later version repeats unchanged is no news: it keeps its first author and the day on which it was learned. The order is that of the
// evidence. It works in place.
func (out *File) onePerBlock(facts []Statement, order map[string]int) []Statement {
	type slot struct {
		block string
		kind  FactKind
	}
	var slots []slot
	versions := make(map[slot][]Statement)
	kept := facts[:0]
	for _, f := range facts {
		if f.Block == "" {
			kept = append(kept, f)
			continue
		}
		s := slot{f.Block, f.Kind}
		if versions[s] == nil {
			slots = append(slots, s)
		}
		versions[s] = append(versions[s], f)
	}
	for _, s := range slots {
		vs := versions[s]
		slices.SortStableFunc(vs, func(a, b Statement) int { return order[a.Evidence] - order[b.Evidence] })
		stands := vs[0]
		for _, v := range vs[1:] {
			switch {
			case v.Denied == stands.Denied && v.Until == stands.Until && (v.On == stands.On || v.Undated && stands.Undated):
			// a start is not moved by another hand, nor by the form of another stage with the day of its own alert
			case v.Kind == Raised && (!v.Said.Address.Same(stands.Said.Address) || v.Stage != stands.Stage):
				if chosen, _ := out.ask(movedStart(stands, v)); chosen.Say == claimed(v) {
					stands = v
				}
			default:
				stands = v
			}
		}
		kept = append(kept, stands)
	}
	return kept
}
