package mailbox

import (
	"bytes"
	"strings"

	"golang.org/x/text/encoding/unicode"
)

// wide gives a text that may be in UTF-16, as the editors of Windows save "Unicode", in UTF-8 and without the mark at its
// beginning. Set is the character set that its part names; where it names one, the library has read it by that. False: its
// bytes are UTF-16, and were read as something else.
func wide(data []byte, set string) ([]byte, bool) {
	switch {
	case strings.HasPrefix(strings.ToLower(set), "utf-16"):
		if swapped(data) { // the names leave open which byte comes first
			data = []byte(strings.Map(func(r rune) rune {
				if r < 1<<16 {
					return r>>8 | r&0xff<<8
				}
				return r
			}, string(data)))
		}
	case set != "":
		return bytes.TrimPrefix(data, []byte("\ufeff")), bytes.Count(data, []byte{0}) <= len(data)/10
	default:
		big, little := zeros(data)
		order := unicode.LittleEndian
		switch {
		case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")): // the mark says which
		case big > len(data)/10 && little == 0:
			order = unicode.BigEndian
		case little > len(data)/10 && big == 0:
		default:
			return bytes.TrimPrefix(data, []byte("\ufeff")), big+little <= len(data)/10
		}
		text, err := unicode.UTF16(order, unicode.UseBOM).NewDecoder().Bytes(data)
		if err != nil {
			return nil, false
		}
		data = text
	}
	return bytes.TrimPrefix(data, []byte("\ufeff")), true
}

// garbled says whether so much of a text could not be read in the character set that it names that it must be in another one: one
// character in twenty. A letter here and there changes no meaning that a person would not see.
func garbled(text string) bool {
	lost := strings.Count(text, "\ufffd")
	return lost > 0 && 20*lost >= len([]rune(text))
}

// zeros counts those at even places, where UTF-16 with the big end first has them in a European text, and those at odd places.
func zeros(data []byte) (even, odd int) {
	for i, c := range data {
		switch {
		case c != 0:
		case i%2 == 0:
			even++
		default:
			odd++
		}
	}
	return even, odd
}

// swapped says whether most characters of a text would be ASCII if their two bytes changed places.
func swapped(data []byte) bool {
	n, all := 0, 0
	for _, r := range string(data) {
		if all++; r&0xff == 0 && r>>8 < 0x80 && r > 0xff || r == 0xfffe {
			n++
		}
	}
	return 2*n > all
}
