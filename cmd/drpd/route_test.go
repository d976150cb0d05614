package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"drpd/adapters/mailer"
	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/port"
)

type noRelay struct{}

func (noRelay) Deliver(context.Context, port.Envelope, string, []byte, func() error) error {
	return errors.New("the relay does not answer")
}

// A message that waits while its route is given other terms is made anew under these; nobody needs to say so.
func TestRouteChanged(t *testing.T) {
	dir := theCouncil(t)
	c := openCouncil(t, dir)
	defer func() { _ = c.close() }()
	e := drp.Effect{Kind: drp.Email, Reason: drp.ReasonInform, To: []string{policy.Operator}, On: corpusDay, Says: "something"}.Keyed("route")
	if err := c.ledger.AddEffects(t.Context(), []drp.Effect{e}, at(corpusDay, 11)); err != nil {
		t.Fatal(err)
	}
	way := &c.Mail.(*mailer.Router).Routes[0]
	folder := way.Transport
	way.Transport = noRelay{}
	c.cycle(t, corpusDay, 11)
	way.Transport, way.Headers = folder, map[string]string{"X-Protect": "official-sensitive"}
	c.clock = c.clock.Add(time.Hour)
	if _, err := c.Cycle(t.Context()); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "mail", "out", "*_"+e.Key[:8]+".eml"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	raw, err := os.ReadFile(files[0])
	if err != nil || !strings.Contains(string(raw), "\r\nX-Protect: official-sensitive\r\n") {
		t.Errorf("%v\n%s", err, raw)
	}
}
