package mailbox_test

import (
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"testing"

	"drpd/adapters/mailbox"
)

// TestPeople reads From, To and Cc as people's programs write them; the names are made up.
func TestPeople(t *testing.T) {
	for field, want := range map[string]string{
		// Ordinary.
		`tess@a.example`:                                            "tess@a.example",
		`<tess@a.example>`:                                          "tess@a.example",
		`Tess Mallory <Tess@A.example>`:                             "tess@a.example",
		`"Mallory, Tess" <tess@a.example>, ivor@a.example`:          "tess@a.example ivor@a.example",
		`tess@a.example (Tess Mallory), <ivor@a.example> (Ivor)`:    "tess@a.example ivor@a.example",
		"Tess <tess@a.example>,\r\n\tIvor <ivor@a.example>":         "tess@a.example ivor@a.example",
		`"tess m\"x"@a.example`:                                     `tess m"x@a.example`,
		`tess@[192.0.2.1]`:                                          "tess@[192.0.2.1]",
		`Team: tess@a.example, Ivor <ivor@a.example>;, b@a.example`: "tess@a.example ivor@a.example b@a.example",
		`undisclosed-recipients:;`:                                  "",
		`Undisclosed recipients`:                                    "",
		``:                                                          "",
		// Character sets.
		`=?windows-1252?Q?Tess_O=92Mallory?= <tess@a.example>`:                     "tess@a.example",
		`=?x-unknown?B?4pyT?= =?gb18030?B?1tA=?= <tess@a.example>, ivor@a.example`: "tess@a.example ivor@a.example",
		`=?utf-8?Q?Mallory,_Tess_<x@b.example>?= <tess@a.example>`:                 "tess@a.example",
		"T\xe9ss O\x92Mallory <tess@a.example>, ivor@a.example":                    "tess@a.example ivor@a.example",
		`Síle O’Dea <sile@a.example>`:                                              "sile@a.example",
		`=?utf-8?Q?Tess Mallory?= <tess@a.example>`:                                "tess@a.example",
		// Brackets, commas, dots, colons, addresses.
		`Tess Mallory (Childrens) [OFFICIAL] <tess@a.example>`:            "tess@a.example",
		`Tess [x@b.example] <tess@a.example>`:                             "tess@a.example",
		`Tess (x@b.example, <y@b.example>) <tess@a.example>`:              "tess@a.example",
		`Mallory, Tess <tess@a.example>, Reed, Ivor J. <ivor@a.example>`:  "tess@a.example ivor@a.example",
		`Dr. T. J. Mallory, B.A., CQSW <tess@a.example>`:                  "tess@a.example",
		`Tess Mallory - Team Manager/North & West: Care <tess@a.example>`: "tess@a.example",
		`tess@a.example <tess@a.example>`:                                 "tess@a.example",
		`"tess@b.example" <tess@a.example>`:                               "tess@a.example",
		`'tess@b.example' (x) <tess@a.example>`:                           "tess@a.example !",
		`tess@a.example; ivor@a.example;`:                                 "tess@a.example ivor@a.example",
		`<tess@a.example> <ivor@a.example>`:                               "tess@a.example ivor@a.example",
		`,, tess@a.example ,`:                                             "tess@a.example",
		`<@relay.example:tess@a.example>`:                                 "tess@a.example",
		// One that cannot be read loses no other, and is told of.
		`Tess Mallory, ivor@a.example`:         "ivor@a.example !",
		`ivor@a.example, Tess Mallory`:         "ivor@a.example !",
		`tess@, ivor@a.example`:                "ivor@a.example !",
		`<tess>, ivor@a.example`:               "ivor@a.example !",
		`<>, ivor@a.example`:                   "ivor@a.example !",
		`tess @ a.example, ivor@a.example`:     "ivor@a.example !",
		`"Tess <tess@a.example>`:               "tess@a.example !",
		`"A <a@a.example>, "B" <b@a.example>`:  "b@a.example !",
		`Tess (Mallory <tess@a.example>`:       "tess@a.example !",
		`Tess <tess@a.example, ivor@a.example`: "tess@a.example ivor@a.example !",
		`chair@a.example <x@b.example>`:        "x@b.example !",
		`=?utf-8?Q?Tess_<tess@a.example>?=`:    "!",
		`<tess@a.example@b.example>`:           "!",
		"tess\xff@a.example, ivor@a.example":   "ivor@a.example !",
	} {
		addresses, whole := mailbox.People(field)
		got := strings.Join(addresses, " ")
		if !whole {
			got = strings.TrimSpace(got + " !")
		}
		if got != want {
			t.Errorf("%s: %q, want %q", field, got, want)
		}
	}
}

// What cannot be read of a person's To is told of; of a machine's nobody needs to know. Two headers of one name are read.
func TestRecipients(t *testing.T) {
	const from = vouched + "From: =?windows-1252?Q?Tess_O=92Mallory?= <tess@council.example>\r\n"
	l := reader(t).Read([]byte(from + "To: Tess Mallory, tm@council.example\r\nTo: a@council.example\r\n" +
		"Cc: <b>, =?windows-1252?Q?S=EDle?= <c@council.example>\r\n\r\nx"))
	if l.From != "tess@council.example" || !l.Trusted ||
		fmt.Sprint(l.To, l.Cc) != "[tm@council.example a@council.example] [c@council.example]" ||
		len(l.Problems) != 2 || l.Problems[0].Position != "header To" || l.Problems[1].Position != "header Cc" {
		t.Errorf("%+v", l)
	}
	if l := reader(t).Read([]byte(from + "Auto-Submitted: auto-replied\r\nTo: Tess Mallory\r\n\r\nx")); len(l.Problems) > 0 {
		t.Errorf("%+v", l.Problems)
	}
}

// FuzzPeople: what the standard library reads as a list is read as the same list.
func FuzzPeople(f *testing.F) {
	for _, m := range mails(f) {
		for field := range strings.SplitSeq(strings.ReplaceAll(string(m), "\r\n ", " "), "\r\n") {
			if name, value, ok := strings.Cut(field, ": "); ok && slices.Contains([]string{"From", "To", "Cc"}, name) {
				f.Add(value)
			}
		}
	}
	f.Add(`"a b"@c.example, D (e) <f@[192.0.2.1]>, g: h@i.example;`)
	f.Fuzz(func(t *testing.T, field string) {
		got, whole := mailbox.People(field)
		for _, a := range got {
			if at := strings.LastIndexByte(a, '@'); at < 1 || at == len(a)-1 {
				t.Errorf("%q is no address", a)
			}
		}
		list, err := mail.ParseAddressList(field)
		if err != nil || !whole {
			return
		}
		var want []string
		for _, a := range list {
			want = append(want, a.Address)
		}
		if !strings.EqualFold(strings.Join(got, " "), strings.Join(want, " ")) {
			t.Errorf("%q: %q, and the library reads %q", field, got, want)
		}
	})
}
