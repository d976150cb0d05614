package mailer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"drpd/core/drp"
	"drpd/core/letter"
	"drpd/core/port"
)

// Level says how much a message gives away, or a route may carry: each more than the one before.
type Level int

// The levels.
const (
	Plain    Level = iota // about no child: how drpd is, and what waits for a person
	Case                  // one dispute, with the child's record number
	Papers                // forms, records, reports
	Referral              // a whole case, to CAFCASS
)

// Levels are the names of the levels, in their order.
func Levels() []string { return []string{"plain", "case", "papers", "referral"} }

func (l Level) String() string { return Levels()[l] }

// level is what a message gives away.
func level(e port.Envelope, l letter.Letter) Level {
	switch {
	case e.Reason == drp.ReasonPack:
		return Referral
	case len(l.Files) > 0 || e.Reason == drp.ReasonReport:
		return Papers
	case e.Dispute != "" || slices.ContainsFunc(e.Carries, func(c port.Envelope) bool { return c.Dispute != "" }):
		return Case
	}
	return Plain
}

// Transport carries a message to one person.
type Transport interface {
	// Deliver returns once the message is in other hands. An error is temporary unless it is port.Permanent, port.Held
	// or port.Uncertain. Right before the first byte of the message itself it says that it leaves.
	Deliver(ctx context.Context, e port.Envelope, from string, raw []byte, leaves func() error) error
}

// Archive is where a route's messages can be seen afterwards.
type Archive struct {
	Find func(ctx context.Context, e port.Envelope) (bool, error)
	Lag  time.Duration // how long after a message was sent it may not be there yet
}

// Route is the way to some mail domains, and what it may carry.
type Route struct {
	Name    string
	Domains []string          // council.example, *.gov.example for all below it, * for all
	Never   string            // why nothing goes there; empty: something may
	Carries Level             //
	Subject string            // a tag before the subject
	Headers map[string]string // tags for a gateway
	Limit   int64             // bytes of a message; 0: none known
	Single  bool              `json:",omitempty"` // the transport sends a message to whomever its headers name: they name its one recipient
	// Seal signs what a message holds, or encrypts it for one recipient; nil: it goes as it is. Sealed says which, for the
	// digest of the route's terms.
	Seal      func(entity []byte, to string) ([]byte, error) `json:"-"`
	Sealed    string
	Relay     string    // the name of the transport, for the digest
	Transport Transport `json:"-"`
	Archive   *Archive  `json:"-"` // nil: none
}

// takes says whether the route is for a domain.
func (r *Route) takes(domain string) bool {
	for _, d := range r.Domains {
		below, isBelow := strings.CutPrefix(d, "*.")
		if d == "*" || strings.EqualFold(d, domain) || isBelow && strings.HasSuffix(strings.ToLower(domain), "."+strings.ToLower(below)) {
			return true
		}
	}
	return false
}

// terms names the route as it is now: a message that was made under other terms does not go by it.
func (r *Route) terms() string {
	b, err := json.Marshal(r)
	if err != nil {
		return r.Name
	}
	sum := sha256.Sum256(b)
	return r.Name + "/" + hex.EncodeToString(sum[:])[:12]
}

// Router makes messages and sends each by the route that its recipient's domain demands, or not at all.
type Router struct {
	Maker
	Routes []Route
}

// route gives the first route for an address that may carry a message of that level.
func (r *Router) route(address drp.Private, l Level) (*Route, error) {
	_, domain, _ := strings.Cut(address.Reveal(), "@")
	held := func(format string, args ...any) error {
		return port.Held{Gate: "route", Why: fmt.Sprintf(format, args...)}
	}
	var poor *Route
	for i := range r.Routes {
		x := &r.Routes[i]
		switch {
		case !x.takes(domain):
		case x.Never != "":
			return nil, held("nothing is sent to %s: %s", domain, x.Never)
		case x.Carries >= l:
			return x, nil
		case poor == nil:
			poor = x
		}
	}
	if poor != nil {
		return nil, held("the route %s to %s does not carry %s: name one that does under mail_out.routes", poor.Name, domain, l)
	}
	return nil, held("no route covers %s: add one under mail_out.routes, or another address", domain)
}

// Make implements daemon.Mailer.
func (r *Router) Make(e port.Envelope, l letter.Letter) (port.Made, error) {
	way, err := r.route(e.Address, level(e, l))
	if err != nil {
		return port.Made{}, err
	}
	raw, err := r.render(e, l, way)
	if err != nil {
		return port.Made{}, err
	}
	if way.Limit > 0 && int64(len(raw)) > way.Limit {
		return port.Made{}, port.Held{Gate: "route",
			Why: fmt.Sprintf("the message has %d bytes, and the route %s carries %d", len(raw), way.Name, way.Limit)}
	}
	return port.Made{Message: raw, Route: way.terms()}, nil
}

// by gives the route under whose terms a message was made.
func (r *Router) by(e port.Envelope) (*Route, error) {
	for i := range r.Routes {
		if x := &r.Routes[i]; x.Never == "" && x.terms() == e.Route {
			return x, nil
		}
	}
	return nil, port.Held{Gate: "route", Why: "the route has changed since the message was made: look at it, then say drpd " +
		"outbox retry " + e.Key}
}

// Current implements daemon.Mailer.
func (r *Router) Current(e port.Envelope) bool {
	_, err := r.by(e)
	return err == nil
}

// Send implements daemon.Mailer.
func (r *Router) Send(ctx context.Context, e port.Envelope, raw []byte, leaves func() error) error {
	way, err := r.by(e)
	if err != nil {
		return err
	}
	if way.Single {
		if err := onlyTo(raw, e.Address); err != nil {
			return err
		}
	}
	return way.Transport.Deliver(ctx, e, r.returnsTo(e), raw, leaves)
}

// Uncovered says why nothing of a level could go to an address, or "".
func (r *Router) Uncovered(address drp.Private, l Level) string {
	if _, err := r.route(address, l); err != nil {
		return err.Error()
	}
	return ""
}

// Check looks at each relay once.
func (r *Router) Check(ctx context.Context) (problems []string) {
	seen := make(map[Transport]bool)
	for _, x := range r.Routes {
		c, ok := x.Transport.(interface{ Check(context.Context) error })
		if !ok || x.Transport == nil || seen[x.Transport] {
			continue
		}
		seen[x.Transport] = true
		if err := c.Check(ctx); err != nil {
			problems = append(problems, err.Error())
		}
	}
	return problems
}

// ID is the Message-ID of a message, without its brackets.
func (r *Router) ID(e port.Envelope) string {
	return r.Tags.MessageID(e.Dispute, e.Key, e.Person) + "@" + r.Owner
}

// Find implements daemon.Mailer.
func (r *Router) Find(ctx context.Context, e port.Envelope) (bool, error) {
	way, err := r.by(e)
	if err != nil {
		return false, err
	}
	if way.Archive == nil {
		return false, port.ErrNoArchive
	}
	return way.Archive.Find(ctx, e)
}

// Lag implements daemon.Mailer.
func (r *Router) Lag(e port.Envelope) time.Duration {
	if way, err := r.by(e); err == nil && way.Archive != nil {
		return way.Archive.Lag
	}
	return 0
}

// Room implements daemon.Mailer: how many bytes of files fit into one message to an address.
func (r *Router) Room(e port.Envelope, l letter.Letter) int64 {
	way, err := r.route(e.Address, level(e, l))
	if err != nil || way.Limit == 0 {
		return 0
	}
	const words = 64 << 10                // the letter itself, headers and seals
	return (way.Limit - words) / 100 * 70 // base64, and the same again in part where it is encrypted
}
