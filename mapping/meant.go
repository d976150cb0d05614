package mapping

import (
	"regexp"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/workday"
)

// dayIn finds what may be a date among other words.
var dayIn = regexp.MustCompile(`(?i)\b(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?,? )?` +
	`(?:\d{1,2}(?:st|nd|rd|th)?(?: of)? [a-z]{3,9}(?:,? \d{2,4}\b)?|\d{1,4}[./-]\d{1,2}(?:[./-]\d{2,4})?\b)`)

// meant gives the most likely meaning of words that are not simply yes, no or a date: the yes or no with which they begin, and the
// one date in them. It makes no fact: it is what a person is offered to accept.
func meant(text string, came workday.Date) (yes, said bool, on workday.Date) {
	words := strings.Fields(text)
	for n := min(2, len(words)); n > 0 && !said; n-- { // "not yet" before "not"
		yes, said = yesNo(strings.Trim(strings.Join(words[:n], " "), ",;:!-–—()\"'“”‘’"))
	}
	for _, s := range dayIn.FindAllString(strings.Join(words, " "), -1) {
		d, err := dayBy(s, came)
		if err != nil || !on.IsZero() && d != on {
			return false, false, 0 // which day is meant?
		}
		on = d
	}
	return yes, said, on
}

// Words that take back what stands beside them: it happens later or perhaps, or something must be done first.
var (
	onlyIf = regexp.MustCompile(`(?i)\b(?:as long as|as soon as|assuming|depend(?:s|ing|ent)|if|once|pending|provided|providing|subject to|` +
		`unless|until|when|(?:will|to|should|would|could|might) be)\b`)
	putOff = regexp.MustCompile(`(?i)\b(?:adjourn(?:ed)?|cancel(?:led|ed)?|deferred|delayed|moved|postpon(?:ed|ement)|put (?:back|off)|` +
		`re-?(?:arranged|booked|scheduled))\b`)
	later = regexp.MustCompile(`(?i)\b(?:arranged|booked|did not|didn['’]t|due|expect(?:ed)?|hop(?:e|ed|ing)|maybe|perhaps|planned|` +
		`scheduled|set for|shall|will|tomorrow)\b`)
)

// takenBack says whether words that name a day, or say yes, say for all that not that something has happened.
func takenBack(text string, said bool, on, came workday.Date) bool {
	return on > came || onlyIf.MatchString(text) || !said && (putOff.MatchString(text) || later.MatchString(text))
}

// meantBy is what words would make of a fact that they are about, or nothing. A denial is of the day on which it came.
func meantBy(f drp.Statement, text string, came workday.Date) []drp.Statement {
	yes, said, on := meant(text, came)
	switch {
	case said && !yes, f.Kind == drp.MeetingHeld && !said && (on.IsZero() || on > came) && putOff.MatchString(text):
		f.Denied = true
	case !f.Kind.SetsDate() && takenBack(text, said, on, came):
		return nil
	case on.IsZero() && (!said || f.Kind.SetsDate()):
		return nil
	case on.IsZero():
	case f.Kind.SetsDate():
		f.Until = on
	default:
		f.On, f.Undated, f.Doubt = on, false, ""
	}
	return []drp.Statement{f}
}

// meaning is what the parts of a fact, one of which could not be read for certain, would say if a person accepts it.
func (r *formReader) meaning(stage string, kind drp.FactKind, parts []answerAt) []drp.Statement {
	plain := slices.Clone(parts)
	dated := slices.ContainsFunc(parts, func(a answerAt) bool { return a.def.Is == "date" })
	for i, a := range parts {
		yes, said, on := meant(a.text, r.learned)
		switch a.def.Is {
		case "date", "until":
			if _, err := dayBy(a.text, r.learned); err == nil {
				continue
			}
			if plain[i].text = on.String(); on.IsZero() || a.def.Is == "date" && takenBack(a.text, said, on, r.learned) {
				return nil
			}
		case "yes":
			if _, known := yesNo(a.text); known {
				continue
			}
			if (yes || !said) && takenBack(a.text, said, on, r.learned) {
				return nil
			}
			if plain[i].text = "no"; yes || !said && !on.IsZero() {
				plain[i].text = "yes"
			} else if !said {
				return nil
			}
			if !dated && yes && !on.IsZero() {
				plain = append(plain, answerAt{def: &FormAnswer{Is: "date"}, text: on.String(), position: a.position})
			}
		}
	}
	one := *r
	one.out, one.page = &drp.Reading{}, nil
	one.fact(stage, kind, plain)
	if len(one.out.Doubts) > 0 {
		return nil
	}
	return one.out.Statements()
}
