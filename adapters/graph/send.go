package graph

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"drpd/core/drp"
	"drpd/core/port"
)

// MaxMessage is how many bytes a message may have that goes by Graph: a request has 4 MB at most, and a message grows by a third in it.
// A draft made of MIME has the same limit.
const MaxMessage = 2_900_000

// Sender sends messages from the mailbox. Graph takes their recipients from their headers alone: whoever makes a message for it names
// nobody there but the one to whom it goes.
type Sender struct {
	*Client
	Held func() error // says whether drpd may still send: asked before a message is begun, and before it is ended; nil: it may
}

func (s *Sender) mayGo() error {
	if s.Held == nil {
		return nil
	}
	return s.Held()
}

// Deliver sends one message. The mailbox is its sender, whatever address it came back to by another way; a copy is kept in Sent Items.
func (s *Sender) Deliver(ctx context.Context, _ port.Envelope, _ string, raw []byte, leaves func() error) error {
	if err := s.mayGo(); err != nil {
		return err
	}
	if len(raw) > MaxMessage {
		return port.Permanent{Err: fmt.Errorf("%s: the message has %d bytes, and Microsoft Graph takes %d at most: send less with it, or give its "+
			"recipients a route by a mail server", s.Who, len(raw), MaxMessage)}
	}
	body := &outgoing{left: base64.StdEncoding.AppendEncode(nil, raw), leaves: leaves, may: s.mayGo}
	status := 0
	err := s.do(ctx, call{method: http.MethodPost, url: s.user("sendMail"), kind: "text/plain", stream: body, size: int64(len(body.left)),
		role: roleSend, alone: true}, func(resp *http.Response) error {
		status = resp.StatusCode
		return nil
	})
	ended, refused := body.close()
	switch {
	case refused != nil: // the end of the message was not sent: the service has nothing
		return refused
	case err != nil:
		return s.became(err, ended)
	case status != http.StatusAccepted || !ended:
		return port.Uncertain{Err: fmt.Errorf("%s: Microsoft Graph answered %d and not 202 to a message: nobody knows whether it took it", s.Who, status)}
	}
	return nil
}

// became says what became of a message that was not accepted; ended says whether all of it was sent.
func (s *Sender) became(err error, ended bool) error {
	var f *fault
	var b *busy
	var l *lost
	switch {
	case errors.As(err, &b):
		return port.Down{Err: err}
	case errors.As(err, &f):
		return s.answered(f)
	case ended:
		return port.Uncertain{Err: drp.Quiet(s.Who+": the line was lost after the whole message was sent, before Microsoft Graph said that it "+
			"has it", err)}
	case !errors.As(err, &l):
		if errors.Is(err, context.Canceled) {
			return err
		}
		return port.Held{Gate: "login", Why: err.Error(), Err: err} // there is no token
	case l.tls:
		return port.Held{Gate: "tls", Why: err.Error(), Err: err}
	}
	return port.Down{Err: err}
}

// answered says what a refusal means. A recipient that is none, a message that is too large or is no message are for good; what somebody
// must grant is held; after an error of the service's own nobody knows; for all else trying again may help, and a person is told when
// it does not.
func (s *Sender) answered(f *fault) error {
	says := func(means string) *fault {
		other := *f
		other.means = means
		return &other
	}
	switch {
	case f.is("ErrorInvalidRecipients", "ErrorInvalidRecipientAddress", "ErrorRecipientNotFound"):
		return port.Permanent{Err: says("there is no such recipient"), Recipient: true}
	case f.status == http.StatusRequestEntityTooLarge, f.is("ErrorMessageSizeExceeded", "ErrorRequestSizeExceeded", "RequestEntityTooLarge"):
		return port.Permanent{Err: says("the message is too large: send less with it, or give its recipients a route by a mail server")}
	case f.is("ErrorMimeContentInvalidBase64String", "ErrorMimeContentInvalid", "ErrorMimeContentConversionFailed"):
		return port.Permanent{Err: says("Microsoft Graph cannot read the message: tell whoever looks after drpd")}
	case f.is("ErrorQuotaExceeded", "ErrorSendQuotaExceeded") || f.status == http.StatusInsufficientStorage:
		return port.Held{Gate: "relay", Why: says("the mailbox is full, and may not send: make room in it").Error(), Err: f}
	case f.status == http.StatusUnauthorized, f.status == http.StatusForbidden:
		return port.Held{Gate: "login", Why: f.Error(), Err: f}
	case f.status == http.StatusNotFound:
		return port.Held{Gate: "relay", Why: f.Error(), Err: f}
	case f.status == http.StatusInternalServerError, f.status == http.StatusBadGateway, f.status == http.StatusGatewayTimeout:
		return port.Uncertain{Err: says("Microsoft Graph failed while it had the message: nobody knows whether it goes")}
	}
	return f
}

// outgoing is the body of a message on its way. Right before its first byte it says that it leaves, and before its last it asks whether
// it still may.
type outgoing struct {
	mu          sync.Mutex
	left        []byte
	leaves, may func() error
	begun       bool
	ended       bool
	refused     error
}

// tail is how many bytes are kept back until it is known that the message may go.
const tail = 4

// Read implements io.Reader.
func (o *outgoing) Read(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.refused != nil {
		return 0, o.refused
	}
	if !o.begun {
		o.begun = true
		if o.refused = o.leaves(); o.refused != nil {
			return 0, o.refused
		}
	}
	if len(o.left) > tail {
		n := copy(p, o.left[:len(o.left)-tail])
		o.left = o.left[n:]
		return n, nil
	}
	if !o.ended {
		if o.refused = o.may(); o.refused != nil {
			return 0, o.refused
		}
		o.ended = true
	}
	n := copy(p, o.left)
	if o.left = o.left[n:]; len(o.left) == 0 {
		return n, io.EOF
	}
	return n, nil
}

// errOver is given to whoever still reads a message when its call is over.
var errOver = errors.New("the call is over")

// close ends the reading, and says whether the message's end may have been sent, and what refused it.
func (o *outgoing) close() (ended bool, refused error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	refused = o.refused
	if o.refused == nil {
		o.refused = errOver
	}
	return o.ended, refused
}
