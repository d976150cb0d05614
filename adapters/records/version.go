package records

import (
	"strings"

	"drpd/core/port"
	"drpd/mapping"
)

func (p *poll) stamp() string { return p.now.UTC().Format("2006-01-02T15:04:05.000Z") }

// A version is the change column as a point in time, so that it sorts as text. What a change column cannot tell is put
// behind it by the time of the poll: another content under the same change is later, and so is all that comes after a row
// had vanished.
const (
	sameAgain = "+" // after a change, before the time of the poll
	again     = "~" // sorts after every version: before the time of the poll at which a row had vanished, or came back
)

// version gives the version of a row whose change column reads so, after the version that the ledger holds.
func (p *poll) version(change string, m port.RowVersion) string {
	own := p.normal(change)
	switch {
	case strings.HasPrefix(m.Version, again):
		return again + p.stamp() + " " + own
	case own == "":
		return p.stamp()
	case own == changeOf(m.Version):
		return own + sameAgain + p.stamp()
	}
	return own
}

const stampLayout = "2006-01-02T15:04:05.000000Z"

func (p *poll) normal(change string) string {
	if t, ok := p.m.Stamp(p.m.Forms.Change, change); ok {
		return t.UTC().Format(stampLayout)
	}
	return change
}

// changeOf gives the change that a version is of.
func changeOf(version string) string {
	if rest, ok := strings.CutPrefix(version, again); ok {
		_, version, _ = strings.Cut(rest, " ")
	}
	own, _, _ := strings.Cut(version, sameAgain)
	return own
}

// gone says whether a version is of a row that had vanished.
func gone(m port.RowVersion) bool {
	return strings.HasPrefix(m.Version, again) && !strings.Contains(m.Version, " ")
}

// filledUp gives the forms that the ledger has under a key filled up with spaces: an older drpd took a column of a fixed
// length as it came. They stay what they are. Under another key each would have vanished and would begin a second dispute.
func (s *System) filledUp() map[string]string {
	out := make(map[string]string)
	if !s.dialect.pads() {
		return out
	}
	for at, m := range s.base.versions {
		key, ok := mapping.FormOf(at)
		bare := strings.TrimRight(key, " ")
		if _, both := s.base.versions[mapping.FormKey(bare)]; ok && bare != key && !both && !gone(m) {
			out[bare] = key
		}
	}
	return out
}

// formKey gives the key under which the ledger has a form.
func (s *System) formKey(key string) string {
	if own := s.filled[key]; own != "" {
		return own
	}
	return key
}
