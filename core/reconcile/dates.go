package reconcile

import (
	"cmp"
	"fmt"
	"slices"

	"drpd/core/drp"
)

// A date on which something can hardly have happened is a slip of the pen until somebody says otherwise: its owner is asked at once,
// nothing goes up by itself over it, and nobody is late by it. What is so dated is taken out of the facts before any rule sees them. Once
// a person has said that the day is wrong, it counts from the day on which it was learned: what was said stays said.

// likelyStart asks about a day of raising that can hardly be right. Until somebody says that it is, the dispute counts from the day
// on which drpd learned of it, or on which somebody was alerted before: nothing waits for a year because of a typing slip.
func (s *story) likelyStart() {
	f := *s.raised
	why := s.unlikely(f, true)
	if why == "" {
		return
	}
	begun := f.Learned
	for _, p := range s.Past { // a later version of a record has spoilt a day that somebody was alerted by
		if p.Reason == drp.ReasonAlert && p.Sent() {
			begun = min(begun, p.On)
		}
	}
	q := drp.IsTheDateRight(f, why, begun)
	if f.On > s.Today { // what was learned of has begun: it cannot lie silent until then
		q = q.Without(drp.Accept)
	}
	choice := s.asked.ask(&s.File, q)
	if choice == drp.Accept {
		f.Learned = max(f.Learned, f.On) // it is not doubted any more
		s.raised = &f
		return
	}
	mistaken := f
	s.mistaken = &mistaken
	if s.startAsked = choice == ""; s.startAsked {
		f.Doubt = fmt.Sprintf("%q is dated %s: %s", f.Kind, f.On, why)
	}
	f.On = begun
	s.raised = &f
}

// whyNoStart says why a day of raising is not the one from which the dispute counts.
func (s *story) whyNoStart(f drp.Fact) string {
	says := "the dispute counts as raised on " + s.raised.On.String()
	if s.mistaken == nil || !same(f, *s.mistaken) {
		return says
	}
	if s.startAsked {
		return says + " while a person is asked whether its day is right"
	}
	return says + ": a person has said that its day is not right"
}

// begins says whether a fact is how a dispute begins, or how somebody says that it did.
func (s *story) begins(f drp.Fact) bool {
	return f.Kind == drp.Raised || same(f, *s.raised) || s.mistaken != nil && same(f, *s.mistaken)
}

// dated takes what has a day that can hardly be right out of the facts until a person has said what holds, and then puts it where it
// belongs.
func (s *story) dated() {
	out := make([]drp.Fact, 0, len(s.File.Facts))
	for _, f := range s.File.Facts {
		if !s.begins(f) {
			var counts bool
			if f, counts = s.likely(f); !counts {
				s.inQuestion = append(s.inQuestion, f)
				continue
			}
		}
		out = append(out, f)
	}
	slices.SortStableFunc(out, func(a, b drp.Fact) int { return cmp.Compare(a.On, b.On) })
	s.File.Facts = out
}

// likely gives a fact as it counts, and says whether it does: one whose day can hardly be right waits for a person.
func (s *story) likely(f drp.Fact) (drp.Fact, bool) {
	q, asks := s.dateQuestion(f)
	if !asks {
		return f, true
	}
	switch s.asked.ask(&s.File, q) {
	case drp.Accept:
		f.Learned = max(f.Learned, f.On)
		return f, true
	case drp.Refuse:
		s.aside(f, "a person has said that its day is not right: it counts from %s, on which it was learned", f.Learned)
		f.On = f.Learned
		return f, true
	default:
		s.aside(f, "its day is in question: a person is asked whether it is right")
		if f.Kind == drp.EmergencyDeclared { // harm waits for nobody's answer
			f.On = f.Learned
			return f, true
		}
	}
	return f, false
}

// dateQuestion gives the question about the day of a fact that began no dispute, where there is one.
func (s *story) dateQuestion(f drp.Fact) (q drp.Conflict, asks bool) {
	why := s.unlikely(f, false)
	if why == "" {
		return q, false
	}
	return drp.IsTheDateRight(f, why, f.Learned), true
}

// unlikely says why a day can hardly be right, or "": what has happened was not learned before it did, and not before the calendar
// begins. What people plan may lie ahead; the day on which a dispute began may not. Nobody answers a dispute, or ends it, before it was
// raised.
func (s *story) unlikely(f drp.Fact, start bool) string {
	switch first := s.Calendar.First(); {
	case f.Learned.IsZero():
		return ""
	case f.On < first:
		return "it lies before " + first.Long() + ", with which the calendar begins"
	case f.On > f.Learned && (start || !f.Kind.MayLieAhead()):
		return "it lies after " + f.Learned.Long() + ", on which it was learned"
	case start || f.Learned < s.raised.On || f.Kind == drp.MessageCame: // words count as of the day on which they came
	case f.On < s.raised.On && (mayMeet(f) || f.Kind == drp.Escalated), f.On < s.raised.On-longBefore && f.Kind != drp.Raised:
		return "it lies before " + s.raised.On.Long() + ", on which the dispute was raised"
	}
	return ""
}

// longBefore is how many days before the raising nothing of a dispute is believed to have happened: a review comes every half year, and
// a slip of the pen in the year is longer ago.
const longBefore = 275
