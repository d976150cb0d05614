package mailer_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"drpd/adapters/mailer"
	"drpd/adapters/servertest"
	"drpd/core/daemon/porttest"
	"drpd/core/drp"
	"drpd/core/port"
)

// relay is a mail server that can answer anything at every verb, or hang up.
type relay struct {
	addr  string
	roots *x509.CertPool
	cert  tls.Certificate
	tls   bool // from the first byte
	plain bool // offers no STARTTLS
	max   uint16
	login string

	mu    sync.Mutex
	say   map[string]string // verb: answer; "" to hang up
	heard []string          // every line, with what was heard in the clear marked
	got   [][]byte
	lines int // connections
}

const hangUp = ""

func startRelay(t testing.TB, change func(*relay)) *relay {
	t.Helper()
	cert, roots := servertest.Authority(t)
	r := &relay{roots: roots, cert: cert, say: make(map[string]string)}
	if change != nil {
		change(r)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.addr = l.Addr().String()
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r.mu.Lock()
			r.lines++
			r.mu.Unlock()
			go r.serve(c)
		}
	}()
	return r
}

func (r *relay) config() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{r.cert}, MaxVersion: r.max, MinVersion: tls.VersionTLS10} //nolint:gosec // an old server is what is tested
}

func (r *relay) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	private := r.tls
	if private {
		c = tls.Server(c, r.config())
	}
	in := bufio.NewReader(c)
	_, _ = io.WriteString(c, "220 relay ESMTP\r\n")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		r.mu.Lock()
		mark := ""
		if !private {
			mark = "in the clear: "
		}
		r.heard = append(r.heard, mark+line)
		answer, told := r.say[verb]
		r.mu.Unlock()
		if told && verb != "DATA" && verb != "." {
			if answer == hangUp {
				return
			}
			_, _ = io.WriteString(c, answer+"\r\n")
			continue
		}
		switch verb {
		case "EHLO":
			caps := "250-relay\r\n250-DSN\r\n250-ENHANCEDSTATUSCODES\r\n"
			if !private && !r.plain {
				caps += "250-STARTTLS\r\n"
			}
			if r.login != "" {
				caps += "250-AUTH " + r.login + "\r\n"
			}
			_, _ = io.WriteString(c, caps+"250 8BITMIME\r\n")
		case "STARTTLS":
			_, _ = io.WriteString(c, "220 go\r\n")
			c = tls.Server(c, r.config())
			in, private = bufio.NewReader(c), true
		case "AUTH":
			_, _ = io.WriteString(c, "235 2.7.0 ok\r\n")
		case "DATA":
			if !r.data(c, in, answer, told) {
				return
			}
		case "QUIT":
			_, _ = io.WriteString(c, "221 bye\r\n")
			return
		default:
			_, _ = io.WriteString(c, "250 2.0.0 ok\r\n")
		}
	}
}

func (r *relay) data(c net.Conn, in *bufio.Reader, answer string, told bool) bool {
	if told {
		_, _ = io.WriteString(c, answer+"\r\n")
		return answer != hangUp
	}
	_, _ = io.WriteString(c, "354 go\r\n")
	var body []byte
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return false
		}
		if string(line) == ".\r\n" {
			break
		}
		body = append(body, strings.TrimPrefix(string(line), ".")...)
	}
	r.mu.Lock()
	answer, told = r.say["."]
	if !told || answer == hangUp || answer[0] == '2' {
		r.got = append(r.got, body)
	}
	r.mu.Unlock()
	if told && answer == hangUp {
		return false
	}
	if !told {
		answer = "250 2.0.0 queued"
	}
	_, _ = io.WriteString(c, answer+"\r\n")
	return true
}

func (r *relay) answers(verb, answer string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.say[verb] = answer
}

func (r *relay) has() [][]byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// told is everything that it heard, as one text.
func (r *relay) told() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.heard, "\n")
}

func (r *relay) transport() *mailer.Relay {
	return &mailer.Relay{Name: "internal", Server: r.addr, StartTLS: !r.tls, Hello: "drpd.council.example", Roots: r.roots}
}

// goes lets a message leave.
func goes() error { return nil }

func envelope(n int) port.Envelope {
	p := port.Person{ID: fmt.Sprintf("w-%d", n), Name: drp.NewPrivate("Canary Name"),
		Address: drp.NewPrivate(fmt.Sprintf("canary%d@council.example", n))}
	return port.Envelope{Key: fmt.Sprintf("%024d", n), Dispute: "W-AAAAAA", Reason: drp.ReasonAlert, Person: p.ID, Role: "team-manager",
		Address: p.Address, To: []port.Person{p}, At: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)}
}

// routed is a router with one route, for everything, by a transport.
func routed(x mailer.Transport) *mailer.Router {
	r := through(nil)
	r.Routes[0].Transport, r.Routes[0].Archive = x, nil
	return r
}

func TestRelayConformance(t *testing.T) {
	for _, implicit := range []bool{false, true} {
		t.Run(map[bool]string{false: "starttls", true: "implicit"}[implicit], func(t *testing.T) {
			r := startRelay(t, func(r *relay) { r.tls = implicit })
			porttest.TestMailer(t, routed(r.transport()), func(*testing.T) [][]byte { return r.has() })
			if said := r.told(); !strings.Contains(said, "RCPT TO:<a.name@council.example> NOTIFY=FAILURE,DELAY") ||
				!strings.Contains(said, "RET=HDRS") || strings.Contains(said, "NOOP") || strings.Contains(said, "RSET") {
				t.Errorf("it was told\n%s", said)
			}
		})
	}
}

// A relay that cannot be reached, or takes no login, is down for every message; one that refuses a message is not.
func TestRelayIsDown(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*relay, *mailer.Relay)
		down   bool
	}{
		"nobody listens":       {func(_ *relay, x *mailer.Relay) { x.Server = "127.0.0.1:1" }, true},
		"it hangs up at once":  {func(r *relay, _ *mailer.Relay) { r.say["EHLO"] = hangUp }, true},
		"no TLS":               {func(r *relay, _ *mailer.Relay) { r.plain = true }, true},
		"it refuses a sender":  {func(r *relay, _ *mailer.Relay) { r.say["MAIL"] = "451 4.3.0 later" }, false},
		"it knows nobody":      {func(r *relay, _ *mailer.Relay) { r.say["RCPT"] = "550 5.1.1 no such" }, false},
		"it is lost half-way":  {func(r *relay, _ *mailer.Relay) { r.say["RCPT"] = hangUp }, false},
		"it takes the message": {func(*relay, *mailer.Relay) {}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := startRelay(t, nil)
			x := r.transport()
			tt.change(r, x)
			err := x.Deliver(t.Context(), envelope(1), "drp@council.example", []byte("Subject: x\r\n\r\nx\r\n"), goes)
			var down port.Down
			if errors.As(err, &down) != tt.down {
				t.Errorf("it is down: %v: %v", !tt.down, err)
			}
		})
	}
}

// A message is said to leave once the relay waits for its words, and not before; where it must not, the relay has nothing of it.
func TestLeaves(t *testing.T) {
	r := startRelay(t, nil)
	x := r.transport()
	heard := func(verb string) bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return slices.ContainsFunc(r.heard, func(l string) bool { return strings.HasPrefix(l, verb) })
	}
	refused := errors.New("it must not leave")
	message := []byte("Subject: x\r\n\r\nx\r\n")
	err := x.Deliver(t.Context(), envelope(1), "drp@council.example", message, func() error {
		if !heard("DATA") {
			t.Error("the relay does not wait for it yet")
		}
		return refused
	})
	if !errors.Is(err, refused) || len(r.has()) > 0 {
		t.Errorf("%v; the relay has %d messages", err, len(r.has()))
	}
	if err := x.Deliver(t.Context(), envelope(1), "drp@council.example", message, goes); err != nil || len(r.has()) != 1 || r.lines != 2 {
		t.Errorf("on a new connection: %v, %d messages, %d connections", err, len(r.has()), r.lines)
	}
	r.mu.Lock()
	r.say["RCPT"] = "550 5.1.1 no such"
	r.mu.Unlock()
	if err := x.Deliver(t.Context(), envelope(1), "drp@council.example", message, func() error { return refused }); errors.Is(err, refused) {
		t.Error("what nobody takes leaves")
	}
}

// A relay that offers no private connection, or none that can be trusted, hears neither a sender nor a recipient, a login
// or a message; and what is held says so without a name.
func TestNothingWithoutTLS(t *testing.T) {
	for name, tt := range map[string]struct {
		change  func(*relay)
		trusted bool
		want    string
	}{
		"no STARTTLS": {func(r *relay) { r.plain = true }, true,
			"it offers no private connection of TLS 1.2 or newer: nothing was sent, not even from whom"},
		"STARTTLS is refused": {func(r *relay) { r.say["STARTTLS"] = "454 4.7.0 TLS not available" }, true, ""},
		"an old TLS":          {func(r *relay) { r.max = tls.VersionTLS11 }, true, "it offers no private connection of TLS 1.2 or newer"},
		"an old TLS, implied": {func(r *relay) { r.max, r.tls = tls.VersionTLS11, true }, true,
			"it offers no private connection of TLS 1.2 or newer"},
		"an unknown server": {nil, false, "its certificate is signed by nobody whom this machine trusts: name its authority under ca_file"},
	} {
		t.Run(name, func(t *testing.T) {
			r := startRelay(t, tt.change)
			r.login = "PLAIN"
			x := r.transport()
			x.User, x.Password = "drp@council.example", func() (string, error) { return "canary-secret", nil }
			if !tt.trusted {
				x.Roots = x509.NewCertPool()
			}
			err := x.Deliver(t.Context(), envelope(1), "drp@council.example", []byte("Subject: canary\r\n\r\nx\r\n"), goes)
			var held port.Held
			if tt.want != "" && (!errors.As(err, &held) || held.Gate != "tls" || !strings.Contains(held.Why, tt.want)) {
				t.Errorf("%#v, want %q", err, tt.want)
			}
			if err == nil || strings.Contains(err.Error(), "canary") {
				t.Errorf("%v", err)
			}
			if said := r.told(); strings.Contains(said, "MAIL") || strings.Contains(said, "RCPT") || strings.Contains(said, "AUTH") ||
				strings.Contains(said, "canary") || len(r.has()) > 0 {
				t.Errorf("it was told\n%s", said)
			}
		})
	}
}

// What an answer at each verb means: an unknown recipient is for good, a line that is lost after the last byte leaves it
// open, and all else is tried again. What the relay says is not told: it may name people.
func TestAnswers(t *testing.T) {
	const temporary, permanent, uncertain, fine = "temporary", "permanent", "uncertain", "fine"
	for _, tt := range []struct{ verb, answer, want string }{
		{"EHLO", hangUp, temporary}, {"MAIL", "451 4.3.0 canary", temporary}, {"MAIL", "550 5.7.1 canary not allowed", temporary},
		{"MAIL", "421 4.7.0 canary", temporary}, {"MAIL", hangUp, temporary},
		{"RCPT", "450 4.2.0 canary", temporary}, {"RCPT", "550 5.1.1 <canary@council.example> unknown", permanent},
		{"RCPT", "550 canary unknown", permanent}, {"RCPT", "553 5.1.3 canary", permanent},
		{"RCPT", "554 5.7.1 canary relay access denied", temporary}, {"RCPT", "550 5.7.1 canary policy", temporary},
		{"RCPT", "552 5.2.2 canary full", permanent}, {"RCPT", hangUp, temporary},
		{"DATA", "451 4.3.0 canary", temporary}, {"DATA", "554 5.6.0 canary", temporary}, {"DATA", hangUp, temporary},
		{".", "451 4.3.0 canary", temporary}, {".", "554 5.7.1 canary spam", temporary}, {".", "552 5.3.4 canary too big", permanent},
		{".", hangUp, uncertain}, {".", "250 2.0.0 canary", fine},
	} {
		t.Run(tt.verb+" "+tt.answer, func(t *testing.T) {
			r := startRelay(t, nil)
			r.answers(tt.verb, tt.answer)
			x := r.transport()
			err := x.Deliver(t.Context(), envelope(1), "drp@council.example", []byte("Subject: canary\r\n\r\nx\r\n"), goes)
			got := temporary
			var p port.Permanent
			var u port.Uncertain
			switch {
			case err == nil:
				got = fine
			case errors.As(err, &p):
				got = permanent
				if tt.verb == "RCPT" && (!p.Recipient || !strings.Contains(tt.answer, p.Status)) {
					t.Errorf("%+v", p)
				}
			case errors.As(err, &u):
				got = uncertain
			}
			if got != tt.want || err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("%s: %v, want %s", got, err, tt.want)
			}
			r.mu.Lock()
			delete(r.say, tt.verb)
			r.mu.Unlock()
			if err := x.Deliver(t.Context(), envelope(2), "drp@council.example", []byte("Subject: x\r\n\r\nx\r\n"), goes); err != nil {
				t.Errorf("the next message does not go: %v", err)
			}
		})
	}
}

// One connection serves many messages; one that the relay has closed meanwhile is made anew, and nothing is said twice.
func TestConnectionsAreKept(t *testing.T) {
	r := startRelay(t, nil)
	x := r.transport()
	for n := range 50 {
		if err := x.Deliver(t.Context(), envelope(n), "drp@council.example",
			fmt.Appendf(nil, "Subject: %d\r\n\r\n.a line with a dot\r\n", n), goes); err != nil {
			t.Fatal(err)
		}
	}
	if r.lines != 1 || len(r.has()) != 50 || string(r.has()[7]) != "Subject: 7\r\n\r\n.a line with a dot\r\n" {
		t.Errorf("%d connections, %d messages, %q", r.lines, len(r.has()), r.has()[7])
	}
	r.answers("MAIL", hangUp) // as a server that closes what is idle
	if err := x.Deliver(t.Context(), envelope(51), "drp@council.example", []byte("Subject: x\r\n\r\nx\r\n"), goes); err == nil {
		t.Error("sent over a line that was hung up")
	}
	if r.lines != 2 {
		t.Errorf("%d connections: a line that is lost before anything was said is made anew, once", r.lines)
	}
	if err := x.Close(); err != nil {
		t.Error(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := x.Deliver(ctx, envelope(52), "drp@council.example", []byte("x"), goes); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// Whoever is no longer to send, as after a long stop, begins no message; one that was begun is not ended, so that the relay takes nothing.
func TestNoLongerToSend(t *testing.T) {
	r := startRelay(t, nil)
	x := r.transport()
	left := 0
	x.Held = func() error {
		if left--; left < 0 {
			return port.ErrLeaseLost
		}
		return nil
	}
	for asked := range 2 {
		left = asked
		err := x.Deliver(t.Context(), envelope(1), "drp@council.example", []byte("Subject: x\r\n\r\nx\r\n"), goes)
		var uncertain port.Uncertain
		if !errors.Is(err, port.ErrLeaseLost) || errors.As(err, &uncertain) || len(r.has()) > 0 {
			t.Errorf("asked %d times: %d messages, %v", asked+1, len(r.has()), err)
		}
		if begun := strings.Contains(r.told(), "DATA"); begun != (asked == 1) {
			t.Errorf("asked %d times: a message was begun: %v", asked+1, begun)
		}
	}
	left = 2
	if err := x.Deliver(t.Context(), envelope(1), "drp@council.example", []byte("Subject: x\r\n\r\nx\r\n"), goes); err != nil || len(r.has()) != 1 {
		t.Errorf("%d messages, %v", len(r.has()), err)
	}
}

// A login that is refused is held, with what to look at; a token is forgotten.
func TestLogin(t *testing.T) {
	r := startRelay(t, func(r *relay) { r.login = "PLAIN LOGIN XOAUTH2" })
	x := r.transport()
	x.User, x.Password = "drp@council.example", func() (string, error) { return "canary", nil }
	if err := x.Deliver(t.Context(), envelope(1), "drp@council.example", []byte("Subject: x\r\n\r\nx\r\n"), goes); err != nil {
		t.Fatal(err)
	}
	refuse := func(x *mailer.Relay, answer, want string) {
		t.Helper()
		r.answers("AUTH", answer)
		var held port.Held
		err := x.Deliver(t.Context(), envelope(2), "drp@council.example", []byte("Subject: x\r\n\r\nx\r\n"), goes)
		if !errors.As(err, &held) || held.Gate != "login" || !strings.Contains(held.Why, want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%v, want %q", err, want)
		}
	}
	y := r.transport()
	y.User, y.Password = x.User, x.Password
	refuse(y, "535 5.7.8 canary", "is the password right")
	y.Password = func() (string, error) { return "", errors.New("no such file") }
	refuse(y, "235 ok", "no such file")
	k := &tokens{}
	z := r.transport()
	z.User, z.Token = "drp@council.example", k
	refuse(z, "535 5.7.3 canary", "the token was refused: 1. has the application SMTP.SendAsApp")
	if k.forgot != 1 {
		t.Errorf("forgotten %d times", k.forgot)
	}
	if said := r.told(); !strings.Contains(said, "AUTH XOAUTH2 ") || strings.Contains(said, "in the clear: AUTH") {
		t.Error("no login by token, or one in the clear")
	}
}

type tokens struct{ forgot int }

func (k *tokens) Token(context.Context) (string, error) { return "token", nil }
func (k *tokens) Forget()                               { k.forgot++ }

// TestNote: a word about drpd itself goes to each address in a message of its own, and names the next one where the relay says no.
func TestNote(t *testing.T) {
	r := startRelay(t, nil)
	way := r.transport()
	to := []string{"duty@council.example", "head@council.example"}
	if err := way.Note(t.Context(), "drp@council.example", to, "drpd of Fairshire:\r\nBcc: x@y.example", "its work cannot be proved\n",
		time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	got := r.has()
	if len(got) != len(to) {
		t.Fatalf("%d messages: %q", len(got), got)
	}
	for i, raw := range got {
		head, body, _ := strings.Cut(string(raw), "\r\n\r\n")
		if !strings.Contains(head, "To: <"+to[i]+">") || !strings.Contains(head, "Auto-Submitted: auto-generated") ||
			strings.Contains(head, "\r\nBcc:") || !strings.Contains(body, "its work cannot be proved") {
			t.Errorf("%s", raw)
		}
	}
	r.answers("RCPT", "550 5.1.1 no such user")
	if err := way.Note(t.Context(), "drp@council.example", to, "x", "y", time.Unix(0, 0)); err == nil {
		t.Error("nobody got it, and it counts as told")
	}
}
