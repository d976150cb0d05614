package mapping

import "drpd/core/workday"

// AwayUntil reads an automatic answer.
func AwayUntil(text string, sent workday.Date) (workday.Date, bool) { return awayUntil(text, sent) }

// About says which dispute a message is about.
func (s *Set) About(l Letter) (ref, unclear string) { return s.about(l) }
