package mailbox

import (
	"bufio"
	"strings"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/textproto"

	"drpd/mapping"
)

// Statuses reads a delivery status.
func Statuses(data []byte) []mapping.DeliveryReport { return statuses(data) }

// Vouched says whether a server's word, in the headers of a message, proves an address.
func Vouched(server, header, from string) (bool, string, error) {
	h, err := textproto.ReadHeader(bufio.NewReader(strings.NewReader(header + "\r\n\r\n")))
	if err != nil {
		return false, "", err
	}
	ok, why := (&parser{Reader: &Reader{TrustedServer: server}}).proved(&message.Header{Header: h}, from)
	return ok, why, nil
}

// People reads the addresses of From, To or Cc.
func People(field string) ([]string, bool) { return people(field) }
