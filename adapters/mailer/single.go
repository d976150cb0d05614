package mailer

import (
	"bytes"
	"fmt"
	"html"
	netmail "net/mail"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/letter"
	"drpd/core/port"
)

// alone makes a message one for its recipient only, for a transport that sends it to everybody whom its headers name: they name nobody
// else, and its words say who else gets it.
func alone(e port.Envelope, l letter.Letter) (port.Envelope, letter.Letter) {
	is := func(p port.Person) bool { return strings.EqualFold(p.Address.Reveal(), e.Address.Reveal()) }
	var others []string
	for _, p := range e.To {
		if !is(p) {
			others = append(others, shown(p))
		}
	}
	for _, p := range e.Cc {
		if !is(p) {
			others = append(others, shown(p)+" (copy)")
		}
	}
	only := func(from []port.Person) (out []port.Person) {
		if i := slices.IndexFunc(from, is); i >= 0 {
			out = from[i : i+1]
		}
		return out
	}
	to, cc := only(e.To), only(e.Cc)
	switch {
	case len(to) > 0:
		cc = nil
	case len(cc) == 0:
		to = []port.Person{{ID: e.Person, Address: e.Address}}
	}
	e.To, e.Cc = to, cc
	if len(others) == 0 {
		return e, l
	}
	const lead = "Each person gets this message by itself. It also goes to: "
	said := strings.Join(others, "; ") + "."
	l.Text = strings.TrimRight(l.Text, "\n") + "\n\n" + lead + said + "\n"
	paragraph := "<p>" + lead + html.EscapeString(said) + "</p>\n"
	if i := strings.LastIndex(l.HTML, "</body>"); i >= 0 {
		l.HTML = l.HTML[:i] + paragraph + l.HTML[i:]
	} else {
		l.HTML += paragraph
	}
	return e, l
}

// shown is a person as a header would show them.
func shown(p port.Person) string {
	if name := oneLine(p.Name.Reveal()); name != "" {
		return name + " <" + p.Address.Reveal() + ">"
	}
	return p.Address.Reveal()
}

// onlyTo sees that a message's headers name nobody but its recipient.
func onlyTo(raw []byte, address drp.Private) error {
	held := func(err error) error {
		return port.Held{Gate: "route", Why: "the message names others than its recipient in its headers, and would go to all of them: it was not sent",
			Err: err}
	}
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return held(err)
	}
	var all []*netmail.Address
	for _, field := range []string{"To", "Cc", "Bcc"} {
		if len(m.Header[field]) == 0 {
			continue
		}
		some, err := m.Header.AddressList(field)
		if err != nil || len(m.Header[field]) > 1 {
			return held(err)
		}
		all = append(all, some...)
	}
	if len(all) != 1 || !strings.EqualFold(all[0].Address, address.Reveal()) {
		return held(fmt.Errorf("%d addresses", len(all)))
	}
	return nil
}
