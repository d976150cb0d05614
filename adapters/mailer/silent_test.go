package mailer_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"drpd/adapters/mailer"
	"drpd/core/drp"
	"drpd/core/port"
)

// A relay that takes the connection and says nothing is left at once when drpd is told to stop, and it is certain that it
// has got nothing.
func TestSilentRelay(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		conn, err := l.Accept()
		if err == nil {
			t.Cleanup(func() { _ = conn.Close() })
		}
		stop()
	}()
	r := &mailer.Relay{Name: "internal", Server: l.Addr().String(), StartTLS: true, Hello: "drpd.fairshire.example"}
	began := time.Now()
	err = r.Deliver(ctx, port.Envelope{Address: drp.NewPrivate("a@council.example")}, "drp@fairshire.example", []byte("x"), goes)
	var uncertain port.Uncertain
	if !errors.Is(err, context.Canceled) || errors.As(err, &uncertain) || time.Since(began) > 20*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
}
