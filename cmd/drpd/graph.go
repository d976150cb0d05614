package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"drpd/adapters/graph"
	"drpd/adapters/mailbox"
	"drpd/adapters/mailer"
	"drpd/cmd/drpd/config"
	"drpd/core/port"
)

// openGraph gives a mailbox of Microsoft 365; who is what errors call it.
func openGraph(c *config.Config, who string, g *config.Graph) (*graph.Client, error) {
	pool, err := roots(c, g.Roots)
	tokens, badTokens := openTokens(c, g.OAuth, graph.Scope)
	if err = cmp.Or(err, badTokens); err != nil {
		return nil, fmt.Errorf("%s: %w", who, err)
	}
	return &graph.Client{Who: who, Mailbox: g.Mailbox, URL: g.URL, Roots: pool, Token: tokens}, nil
}

// openGraphFolder gives a folder of such a mailbox, read by the limits of every mailbox.
func openGraphFolder(c *config.Config, name string, g *config.GraphFolder) (*graph.Mailbox, error) {
	client, err := openGraph(c, "mailbox "+name, &g.Graph)
	if err != nil {
		return nil, err
	}
	return &graph.Mailbox{Client: client, Name: name, Folder: g.Folder, Done: g.Done, Take: mailbox.Take}, nil
}

// carrier is what carries the messages of a route, over connections that are closed in the end.
type carrier interface {
	mailer.Transport
	Close() error
}

// openCarrier gives a mail server, or a mailbox of Microsoft 365 that sends; held says whether drpd may still send.
func openCarrier(c *config.Config, r config.Relay, held func() error) (carrier, error) {
	if r.Graph == nil {
		return openRelay(c, r, held)
	}
	client, err := openGraph(c, "relay "+r.Name, r.Graph)
	if err != nil {
		return nil, err
	}
	return &graph.Sender{Client: client, Held: held}, nil
}

// byGraph gives a route by Microsoft Graph what it is by its nature: one recipient a message, a size that it takes, and Sent Items, where
// no other archive is named.
func byGraph(x *mailer.Route, r config.Route, out *mailer.Router, sender *graph.Sender) {
	x.Single = true
	if x.Limit == 0 || x.Limit > graph.MaxMessage {
		x.Limit = graph.MaxMessage
	}
	if x.Archive == nil {
		x.Archive = archive(r, out, sender)
	}
}

// archive is where a route's messages can be seen afterwards.
func archive(r config.Route, out *mailer.Router, in interface {
	Holds(ctx context.Context, id string) (bool, error)
}) *mailer.Archive {
	return &mailer.Archive{Lag: time.Duration(r.Lag) * time.Minute,
		Find: func(ctx context.Context, e port.Envelope) (bool, error) { return in.Holds(ctx, out.ID(e)) }}
}
