package mailbox

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"drpd/core/drp"
)

// Take reads one message, wherever it lies, as evidence of a source, by the limits of every mailbox: of one over the size limit its head
// is kept. size is in bytes; below zero nobody knows it. Of a message whose text has not arrived yet it gives none: the evidence has no ID.
func Take(source string, message io.Reader, size int64, now time.Time) (drp.Evidence, error) {
	if size > maxMessage {
		head, err := io.ReadAll(io.LimitReader(message, maxHead))
		if err != nil {
			return drp.Evidence{}, err
		}
		return evidence(source, overSize(fmt.Sprintf("%d bytes", size), head), now), nil
	}
	text := bytes.NewBuffer(make([]byte, 0, max(size, 0)+bytes.MinRead))
	if _, err := text.ReadFrom(io.LimitReader(message, maxMessage+1)); err != nil {
		return drp.Evidence{}, err
	}
	body := text.Bytes()
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		return drp.Evidence{}, nil
	case len(body) > maxMessage:
		body = overSize(fmt.Sprintf("more than %d bytes", maxMessage), body)
	}
	return evidence(source, body, now), nil
}
