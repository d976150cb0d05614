package mapping

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/workday"
)

// DeliveryReport is what a machine says of a message that was sent: a delivery report for one recipient (RFC 3464), or a read
// receipt (RFC 8098).
type DeliveryReport struct {
	About  string // the message, by its ID
	Action string // failed, delayed, delivered, relayed, expanded; displayed
	Status string // 5.1.1
}

// arrivals are what the actions of a report mean. A message that was handed on to a system that tells no more has been
// delivered as far as anybody will know.
func arrival(action string) (drp.Arrival, bool) {
	switch action {
	case "failed":
		return drp.Returned, true
	case "delayed":
		return drp.Delayed, true
	case "delivered", "relayed", "expanded":
		return drp.Delivered, true
	case "displayed":
		return drp.Opened, true
	}
	return "", false
}

// deliveries reads what a machine says of messages of drpd's. It counts only where it names one by its ID; whether that was
// ever sent is for the ledger to say. What may be a report and cannot be read is unclear: a person must look.
func (s *Set) deliveries(evidence string, l Letter, on workday.Date) (out []drp.DeliveryStatus, unclear string) {
	for _, r := range l.DeliveryReports {
		_, effect, person, ok := s.Tags.SentAs(r.About)
		for _, to := range slices.Concat(l.To, l.Cc, l.Delivered) { // or it came to the address that a message had as its return path
			if !ok {
				effect, person, ok = s.Tags.ReturnedTo(s.tag(to))
			}
		}
		state, known := arrival(r.Action)
		if known && !ok && state == drp.Returned && strings.TrimSpace(r.About) == "" {
			unclear = "a message came back, and the report does not say which"
		}
		if !ok || !known {
			continue
		}
		out = append(out, drp.DeliveryStatus{Effect: effect, Person: person, State: state, Status: r.Status, On: on, Evidence: evidence})
	}
	if _, effect, person, ok := s.Tags.SentAs(l.Answers + " " + l.Thread); ok && l.Replied && len(l.DeliveryReports) == 0 {
		if until, away := awayUntil(l.Subject+"\n"+l.Text, on); away {
			out = append(out, drp.DeliveryStatus{Effect: effect, Person: person, State: drp.Away, On: on, Until: until, Evidence: evidence})
		}
	}
	if _, _, _, ok := s.Tags.SentAs(l.Mentions); ok && !l.Replied && len(l.DeliveryReports) == 0 {
		unclear = "a machine writes about a message of drpd's, and what it says cannot be read: did it arrive?"
	}
	return out, unclear
}

var (
	absent = regexp.MustCompile(`(?i)out of (the )?office|away from (the |my )?(office|desk)|not in (the )?office|annual leave|on leave|sick leave|maternity leave|(i am|i'm|currently|be) away|on holiday|unavailable|away until`)
	day    = `((?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,? )?(?:the )?\d{1,2}(?:st|nd|rd|th)?(?: of)? ?[a-z]{3,9}\.?,? ?(?:\d{4})?|\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}|\d{4}-\d{2}-\d{2})`
	// The last day of an absence, or the first day after it.
	last  = regexp.MustCompile(`(?i)(?:until|till|up to|to and including|through)(?: and including)?(?: on)?:? ` + day)
	first = regexp.MustCompile(`(?i)(?:return(?:ing)?|back|in the office again|available again)(?: to (?:the office|work))?(?: in the office)?(?: at work)?(?: from)?(?: on)?:? ` + day)
)

// awayUntil says whether an automatic answer says that somebody is away, and its last day: zero where it gives none that
// can be read, or one that has passed.
func awayUntil(text string, sent workday.Date) (until workday.Date, away bool) {
	text = strings.Join(strings.Fields(strings.ReplaceAll(text, "\u2019", "'")), " ")
	if !absent.MatchString(text) && !first.MatchString(text) {
		return 0, false
	}
	if m := first.FindStringSubmatch(text); m != nil {
		if on, ok := dayNear(m[1], sent); ok {
			return on - 1, true
		}
	}
	if m := last.FindStringSubmatch(text); m != nil {
		if on, ok := dayNear(m[1], sent); ok {
			return on, true
		}
	}
	return 0, true
}

// dayNear reads a day as people write it; one without a year is the next of its kind.
func dayNear(text string, sent workday.Date) (workday.Date, bool) {
	text = strings.TrimRight(strings.NewReplacer("the ", "", " of ", " ", "sept ", "sep ", ". ",
		" ").Replace(strings.ToLower(text)+" "), " .,")
	on, err := ParseDay(text, nil)
	for year := sent.Year(); err != nil && year <= sent.Year()+1; year++ {
		if on, err = ParseDay(fmt.Sprintf("%s %d", text, year), nil); err == nil && on < sent {
			err = errPast
		}
	}
	return on, err == nil && on >= sent && on <= sent+longestAway
}

// longestAway is how far ahead the end of an absence is believed.
const longestAway = 400

var errPast = errors.New("it has passed")
