package mapping

import "slices"

// Elsewhere gives the mapping with each of its relations in another place: as it reads rows of the same columns that do not lie in the
// record system.
func (s *System) Elsewhere(place func(Named) Relation) *System {
	out := *s
	moved := make(map[string]Relation)
	for _, n := range s.Relations() {
		r := place(n)
		r.Change = n.Change
		moved[n.Place()] = r
	}
	to := func(into *Relation, path ...any) {
		if r, read := moved[Named{Path: path}.Place()]; read {
			*into = r
		}
	}
	to(&out.Forms.Relation, "forms")
	to(&out.People.Relation, "people")
	out.Answers, out.LeaveOut = slices.Clone(s.Answers), slices.Clone(s.LeaveOut)
	for i := range out.Answers {
		to(&out.Answers[i].Relation, "answers", i)
	}
	for i := range out.LeaveOut {
		to(&out.LeaveOut[i].Relation, "leave_out", i)
	}
	out.Moves, out.Children, out.Person, out.Loaded = copied(s.Moves), copied(s.Children), copied(s.Person), copied(s.Loaded)
	if out.Moves != nil {
		to(&out.Moves.Relation, "moves")
	}
	if out.Children != nil {
		to(&out.Children.Relation, "children")
	}
	if out.Person != nil {
		to(&out.Person.Relation, "person")
	}
	if out.Loaded != nil {
		to(&out.Loaded.Relation, "loaded")
	}
	return &out
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	out := *p
	return &out
}
