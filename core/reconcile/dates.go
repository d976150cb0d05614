package reconcile

import (
	"fmt"

	"drpd/core/drp"
)

// A date on which something can hardly have happened is a slip of the pen until somebody says otherwise: they are asked at once.

// likelyStart asks about a day of raising that can hardly be right. Until somebody says that it is, the dispute counts from the day
// on which it was learned, so that nothing waits for a year because of a typing slip; nothing goes to the next stage by itself on it.
func (s *story) likelyStart() {
	f := *s.raised
	why := s.unlikely(f)
	if why == "" || s.accepted(drp.IsTheDateRight(f, why, fmt.Sprintf("it counts from %s, on which it was learned, until it is corrected", f.Learned))) {
		return
	}
	f.Doubt = fmt.Sprintf("%q is dated %s: %s", f.Kind, f.On, why)
	f.On = f.Learned
	s.raised = &f
}

// dateInDoubt asks about a day of something else that can hardly be right, and says whether it is in doubt still.
func (s *story) dateInDoubt(f drp.Fact) bool {
	why := s.unlikely(f)
	return why != "" && !s.accepted(drp.IsTheDateRight(f, why, "it counts for nothing until it is corrected"))
}

// unlikely says why a day can hardly be right, or "". What raised a dispute was learned on that day at the earliest; of other things
// some are dated ahead, but not far.
func (s *story) unlikely(f drp.Fact) string {
	first, last := s.Calendar.First(), s.Calendar.Last()
	n, err := s.Calendar.Between(f.Learned, f.On)
	switch {
	case f.Learned.IsZero():
		return ""
	case f.On < first:
		return "it lies before " + first.Long() + ", with which the calendar begins"
	case f.Kind == s.raised.Kind && f.On > f.Learned:
		return "it lies after " + f.Learned.Long() + ", on which it was learned"
	case f.On > last && f.Learned <= last, err == nil && n > farAway:
		return "it lies far ahead of " + f.Learned.Long() + ", on which it was learned"
	}
	return ""
}
