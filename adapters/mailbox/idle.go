package mailbox

import (
	"context"
	"errors"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// How long one IDLE lasts at most: servers end it after 29 minutes (RFC 2177), and some devices on the way forget a quiet
// connection sooner. How long to wait before a connection is made anew.
const (
	idleTime   = 9 * time.Minute
	firstPause = time.Second
	longPause  = 5 * time.Minute
)

var errNoIdle = errors.New("the server has no IDLE")

// Watch says that mail has come, as soon as the server tells, until it is stopped. It reads nothing: a poll does, and one
// that is never woken polls all the same. A connection that is lost is made anew, and mail may have come in between. It
// ends where the server cannot tell.
func (m *IMAP) Watch(ctx context.Context, wake func()) {
	for pause := firstPause; ctx.Err() == nil; pause = min(2*pause, longPause) {
		began := time.Now()
		if errors.Is(m.idle(ctx, wake), errNoIdle) {
			return
		}
		if time.Since(began) > longPause {
			pause = firstPause
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// idle holds one connection until it breaks.
func (m *IMAP) idle(ctx context.Context, wake func()) error {
	news := make(chan struct{}, 1)
	client, err := m.open(ctx, &imapclient.UnilateralDataHandler{Mailbox: func(d *imapclient.UnilateralDataMailbox) {
		if d.NumMessages == nil {
			return
		}
		select { // no command may be given here
		case news <- struct{}{}:
		default:
		}
	}})
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	defer context.AfterFunc(ctx, func() { _ = client.Close() })()
	if !client.Caps().Has(imap.CapIdle) {
		return errNoIdle
	}
	if _, err := m.examine(ctx, client); err != nil {
		return err
	}
	wake() // what came before the server was listened to
	for {
		if err := m.listen(client, news, wake); err != nil {
			return err
		}
	}
}

// listen is one IDLE. Its end is answered by the server, or the connection is dead.
func (m *IMAP) listen(client *imapclient.Client, news <-chan struct{}, wake func()) error {
	cmd, err := client.Idle()
	if err != nil {
		return err
	}
	length := m.IdleTime
	if length == 0 {
		length = idleTime
	}
	for over := time.After(length); ; {
		select {
		case <-news:
			wake()
			continue
		case <-client.Closed():
			return errors.New("the connection was lost")
		case <-over:
		}
		break
	}
	dead := time.AfterFunc(dialTime, func() { _ = client.Close() })
	defer dead.Stop()
	if err := cmd.Close(); err != nil {
		return err
	}
	return cmd.Wait()
}
