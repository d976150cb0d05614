package mailbox

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"drpd/core/drp"
	"drpd/core/port"
)

// IMAP is a folder on an IMAP server. It is opened for reading only: no message is marked, moved or removed by reading it,
// and nothing is said to a server before the connection is private. Only PutAway moves messages, into the folder
// that the configuration names, and only those that were stored.
type IMAP struct {
	Name     string // of the source, in the configuration
	Server   string // host:port
	StartTLS bool   // the connection begins in the clear and is made private before anything is said; else private from the first byte
	User     string
	Password func() (string, error) // read anew at each poll
	Token    Token                  // instead of a password
	Folder   string
	Done     string         // the folder into which messages are put away; "": none is
	Roots    *x509.CertPool // nil: those of the machine
	IdleTime time.Duration  // how long one IDLE of Watch lasts; 0: 9 minutes
}

// imapCursor says how far the folder was read. A message is known by its UID only as long as the folder keeps its
// UIDVALIDITY; what is read again is known by its bytes.
type imapCursor struct {
	Validity uint32     `json:"validity"`
	UID      imap.UID   `json:"uid"`
	Empty    []imap.UID `json:"empty,omitempty"` // messages whose text had not arrived yet, or that the server left out
	More     bool       `json:"more,omitempty"`  // the folder was not read to its end
	// Asked is how often each of these was asked for by itself.
	Asked map[imap.UID]int `json:"asked,omitempty"`
	// Inbox are the messages that were read and are still in the folder, with their evidence; kept only where some are put away.
	Inbox map[imap.UID]string `json:"left,omitempty"`
}

// How much one poll and one command fetch at most, but for a message that is larger by itself: what is left comes with the next.
const (
	maxPoll  = 8 << 20
	maxFetch = 4 << 20
	dialTime = 30 * time.Second
)

// Poll gives the messages that have come since the cursor.
func (m *IMAP) Poll(ctx context.Context, at []byte, now time.Time) ([]drp.Evidence, []byte, error) {
	var c imapCursor
	if len(at) > 0 {
		if err := json.Unmarshal(at, &c); err != nil {
			return nil, nil, fmt.Errorf("mailbox %s: its cursor cannot be read: %w", m.Name, err)
		}
	}
	client, err := m.open(ctx, nil)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = client.Close() }()
	defer context.AfterFunc(ctx, func() { _ = client.Close() })() // the library knows no context
	selected, err := m.examine(ctx, client)
	if err != nil {
		return nil, nil, err
	}
	if selected.UIDValidity != c.Validity { // another folder under the same name: read from its beginning
		c = imapCursor{Validity: selected.UIDValidity}
	}
	if err := m.look(client, &c); err != nil {
		return nil, nil, m.fail(ctx, err, "the list of messages broke off")
	}
	list, err := m.sizes(client, c, selected.NumMessages)
	if err != nil {
		return nil, nil, m.fail(ctx, err, "the list of messages broke off")
	}
	out := m.fetch(client, list, &c, now)
	if ctx.Err() != nil {
		return nil, nil, m.fail(ctx, ctx.Err(), "the reading of messages broke off")
	}
	if err := client.Logout().Wait(); err != nil && ctx.Err() != nil {
		return nil, nil, m.fail(ctx, err, "the reading was stopped")
	}
	next, err := json.Marshal(c)
	return out, next, cmp.Or(err, m.missing(c, list))
}

// More says whether the folder was not read to its end.
func (m *IMAP) More(cursor []byte) bool {
	var c imapCursor
	return json.Unmarshal(cursor, &c) == nil && c.More
}

// Check sees whether the folder can be opened, and says what is wrong where it cannot.
func (m *IMAP) Check(ctx context.Context) error {
	client, err := m.open(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	defer context.AfterFunc(ctx, func() { _ = client.Close() })()
	if _, err = m.examine(ctx, client); err != nil || m.Done == "" {
		return err
	}
	if _, err := client.Status(m.Done, &imap.StatusOptions{NumMessages: true}).Wait(); err != nil {
		return m.fail(ctx, err, "folder "+m.Done+" is not there, or this login may not see it: make it, or leave done_folder out")
	}
	return nil
}

// Holds says whether the folder holds a message with an ID.
func (m *IMAP) Holds(ctx context.Context, id string) (bool, error) {
	client, err := m.open(ctx, nil)
	if err != nil {
		return false, err
	}
	defer func() { _ = client.Close() }()
	defer context.AfterFunc(ctx, func() { _ = client.Close() })()
	if _, err := m.examine(ctx, client); err != nil {
		return false, err
	}
	found, err := client.UIDSearch(&imap.SearchCriteria{Header: []imap.SearchCriteriaHeaderField{{Key: "Message-ID", Value: id}}}, nil).Wait()
	if err != nil {
		return false, m.fail(ctx, err, "the folder cannot be searched")
	}
	return len(found.AllUIDs()) > 0, nil
}

// examine opens the folder for reading only.
func (m *IMAP) examine(ctx context.Context, client *imapclient.Client) (*imap.SelectData, error) {
	selected, err := client.Select(m.Folder, &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil {
		return nil, m.fail(ctx, err, "folder "+m.Folder+" cannot be opened: is its name right, and may this login read it?")
	}
	return selected, nil
}

// open connects, privately, and logs in; news, if any, hears what the server says unasked.
func (m *IMAP) open(ctx context.Context, news *imapclient.UnilateralDataHandler) (*imapclient.Client, error) {
	host, _, err := net.SplitHostPort(m.Server)
	if err != nil {
		return nil, fmt.Errorf("mailbox %s: %q is no server: write it as host:993", m.Name, m.Server)
	}
	var secret string // a token, or a password
	if m.Token != nil {
		secret, err = m.Token.Token(ctx)
	} else {
		secret, err = m.Password()
	}
	if err != nil {
		return nil, fmt.Errorf("mailbox %s: %w", m.Name, err)
	}
	options := &imapclient.Options{
		TLSConfig:             &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, RootCAs: m.Roots, NextProtos: []string{"imap"}},
		UnilateralDataHandler: news,
	}
	conn, err := (&net.Dialer{Timeout: dialTime}).DialContext(ctx, "tcp", m.Server)
	if err != nil {
		return nil, m.fail(ctx, err, noAnswer)
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })() // the library knows no context, and waits for ever for a login
	client, err := m.private(ctx, conn, options)
	if err != nil {
		return nil, m.fail(ctx, errors.Join(err, conn.Close()), noAnswer)
	}
	if err := m.login(client, secret); err != nil {
		_ = client.Close()
		return nil, m.fail(ctx, err, m.refused(err))
	}
	return client, nil
}

const noAnswer = "the server does not answer, or offers no private connection: are host, port and tls right?"

// private makes a connection private, before anything is said on it.
func (m *IMAP) private(ctx context.Context, conn net.Conn, options *imapclient.Options) (*imapclient.Client, error) {
	if m.StartTLS {
		return imapclient.NewStartTLS(conn, options)
	}
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	hidden := tls.Client(conn, options.TLSConfig)
	if err := hidden.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return imapclient.New(hidden, options), nil
}

// Token gives access tokens for a mailbox.
type Token interface {
	Token(ctx context.Context) (string, error)
	Forget()
}

func (m *IMAP) login(client *imapclient.Client, secret string) error {
	if m.Token == nil {
		return client.Login(m.User, secret).Wait()
	}
	if !client.Caps().Has("AUTH=XOAUTH2") {
		return errNoXOAUTH2
	}
	err := client.Authenticate(&xoauth2{m.User, secret})
	if err != nil {
		m.Token.Forget()
	}
	return err
}

var errNoXOAUTH2 = errors.New("no XOAUTH2")

// refused says what a refused login means, in the order in which it is to be tried.
func (m *IMAP) refused(err error) string {
	switch {
	case m.Token == nil:
		return "the login was refused: is the password right, has it not expired, and does the server take passwords at all (Microsoft " +
			"365 does not)?"
	case errors.Is(err, errNoXOAUTH2):
		return "the server takes no tokens (XOAUTH2): name a password_file instead, or another server"
	}
	return "the token was refused: 1. is user the mailbox's own address; 2. was the service principal made with the object id of the " +
		"enterprise application, and not of the app registration; " +
		"3. has it FullAccess to this mailbox; 4. has IMAP.AccessAsApp the administrator's consent; 5. is IMAP on for this mailbox?"
}

// xoauth2 is the login by token that Microsoft 365 takes.
type xoauth2 struct{ user, token string }

// Start implements sasl.Client.
func (x *xoauth2) Start() (mech string, first []byte, err error) {
	return "XOAUTH2", []byte("user=" + x.user + "\x01auth=Bearer " + x.token + "\x01\x01"), nil
}

// Next ends the login: what a server says after the first word is why it refuses.
func (x *xoauth2) Next([]byte) ([]byte, error) { return nil, errors.New("the token was refused") }

// fail says what broke, without the server's words, which may name people.
func (m *IMAP) fail(ctx context.Context, err error, what string) error {
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return drp.Quiet("mailbox "+m.Name+": the server does not go on answering", ctx.Err())
	case ctx.Err() != nil:
		return fmt.Errorf("mailbox %s: %w", m.Name, ctx.Err())
	case errors.As(err, &unknown):
		what = "the server's certificate is signed by nobody whom this machine trusts: name its authority under ca_file"
	case errors.As(err, &invalid), errors.As(err, &name):
		what = "the server's certificate has expired, or is for another name"
	}
	return drp.Quiet("mailbox "+m.Name+": "+what, err)
}

type listed struct {
	uid  imap.UID
	size int64
	came time.Time
}

// large says whether a message is over the size limit.
func (l listed) large() bool { return l.size > maxMessage }

// wanted is how much of a message is fetched, in bytes.
func (l listed) wanted() int64 {
	if l.large() {
		return maxHead
	}
	return l.size
}

// sizes lists the messages that are new, or were asked for before, by their UID: what is new comes first, and of the others what was
// asked for least often.
func (m *IMAP) sizes(client *imapclient.Client, c imapCursor, there uint32) (out []listed, err error) {
	if there == 0 {
		return nil, nil
	}
	var set imap.UIDSet
	set.AddRange(c.UID+1, 0)
	set.AddNum(c.Empty...)
	messages, err := client.Fetch(set, &imap.FetchOptions{UID: true, RFC822Size: true, InternalDate: true}).Collect()
	if err != nil {
		return nil, err
	}
	for _, x := range messages {
		if x.UID > c.UID || slices.Contains(c.Empty, x.UID) { // a server may give the last one though nothing is new
			out = append(out, listed{x.UID, x.RFC822Size, x.InternalDate})
		}
	}
	slices.SortFunc(out, func(a, b listed) int {
		if old := a.uid <= c.UID; old != (b.uid <= c.UID) {
			return map[bool]int{true: 1, false: -1}[old]
		}
		return cmp.Or(c.Asked[a.uid]-c.Asked[b.uid], cmp.Compare(a.uid, b.uid))
	})
	return slices.CompactFunc(out, func(a, b listed) bool { return a.uid == b.uid }), nil
}

// fetch reads messages whole, many with one command, and moves the cursor past them. One that the server does not give, or over
// which it refuses the command or hangs up, is asked for again by itself, so that it stops no other: at once, over another connection,
// where the command was for many, and else with the next poll.
func (m *IMAP) fetch(client *imapclient.Client, list []listed, c *imapCursor, now time.Time) (out []drp.Evidence) {
	known := make(map[string]bool)
	add := func(uid imap.UID, body []byte) {
		ev := evidence(m.Name, body, now)
		if m.Done != "" {
			if c.Inbox == nil {
				c.Inbox = make(map[imap.UID]string)
			}
			c.Inbox[uid] = ev.ID
		}
		if !known[ev.ID] {
			known[ev.ID] = true
			out = append(out, ev)
		}
	}
	var empty []imap.UID
	asked := make(map[imap.UID]int)
	var total int64
	var late []imap.UID
	before, gone, again := c.UID, false, false
	for len(list) > 0 && !gone {
		if total > 0 && total+list[0].wanted() > maxPoll {
			break
		}
		some := together(list, before, min(maxFetch, maxPoll-total))
		var err error
		late, err = bodies(client, some, add)
		var refused *imap.Error
		gone = err != nil && !errors.As(err, &refused)
		for _, uid := range late {
			empty = append(empty, uid)
			if uid <= before {
				asked[uid] = c.Asked[uid] + 1
			}
		}
		again = again || err != nil && some[0].uid > before
		for _, x := range some {
			total += x.wanted()
			c.UID = max(c.UID, x.uid)
		}
		list = list[len(some):]
	}
	for _, x := range list { // not reached
		if x.uid > before {
			again = again || c.UID > before
			continue
		}
		empty = append(empty, x.uid)
		asked[x.uid] = c.Asked[x.uid]
		again = again || gone && slices.ContainsFunc(late, func(uid imap.UID) bool { return asked[uid] > asked[x.uid] })
	}
	c.Empty, c.Asked, c.More = empty, asked, again
	return out
}

// together gives the messages at the head of a list that are fetched with one command: many that are new, up to a number of bytes, and
// by itself one that is too large, or was asked for before.
func together(list []listed, before imap.UID, most int64) []listed {
	alone := func(x listed) bool { return x.uid <= before || x.large() }
	n, size := 1, list[0].size
	for n < len(list) && !alone(list[0]) && !alone(list[n]) && size+list[n].size <= most {
		size += list[n].size
		n++
	}
	return list[:n]
}

// bodies fetches messages, of one that is too large its head alone. It gives those that have no text yet, or that the server did
// not give though it listed them.
func bodies(client *imapclient.Client, some []listed, add func(imap.UID, []byte)) (late []imap.UID, err error) {
	var set imap.UIDSet
	for _, x := range some {
		set.AddNum(x.uid)
	}
	section := &imap.FetchItemBodySection{Peek: true}
	large := some[0].large()
	if large {
		section.Partial = &imap.SectionPartial{Size: maxHead}
	}
	given := make(map[imap.UID]bool)
	cmd := client.Fetch(set, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}})
	for msg := cmd.Next(); msg != nil && err == nil; msg = cmd.Next() {
		var uid imap.UID
		var body []byte
		if uid, body, err = bodyOf(msg); err != nil || len(bytes.TrimSpace(body)) == 0 {
			continue
		}
		given[uid] = true
		switch {
		case large:
			body = overSize(fmt.Sprintf("%d bytes", some[0].size), body)
		case len(body) > maxMessage:
			body = overSize(fmt.Sprintf("more than %d bytes", maxMessage), body)
		}
		add(uid, body)
	}
	for _, x := range some {
		if !given[x.uid] {
			late = append(late, x.uid)
		}
	}
	return late, cmp.Or(err, cmd.Close())
}

// bodyOf reads what the server gives of one message.
func bodyOf(msg *imapclient.FetchMessageData) (uid imap.UID, body []byte, err error) {
	for item := msg.Next(); item != nil; item = msg.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			uid = item.UID
		case imapclient.FetchItemDataBodySection:
			if item.Literal == nil {
				continue
			}
			text := bytes.NewBuffer(make([]byte, 0, min(item.Literal.Size(), maxMessage)+bytes.MinRead))
			if _, err = text.ReadFrom(io.LimitReader(item.Literal, maxMessage+1)); err != nil {
				return uid, nil, err
			}
			body = text.Bytes()
		}
	}
	return uid, body, nil
}

// How often a message is asked for before a person is told that its text does not come, and how many are named at once.
const (
	patient = 3
	mostOf  = 5
)

// missing says which messages the server has not given, though it was asked again and again; nil where there are none.
func (m *IMAP) missing(c imapCursor, list []listed) error {
	var names []string
	for _, x := range list {
		if c.Asked[x.uid] >= patient {
			names = append(names, fmt.Sprintf("number %d, which came at %s (%d bytes)", x.uid,
				x.came.UTC().Format("15:04 UTC on Monday 2 January 2006"), x.size))
		}
	}
	slices.Sort(names)
	if len(names) > mostOf {
		names = append(names[:mostOf], fmt.Sprintf("and %d more", len(names)-mostOf))
	}
	if len(names) == 0 {
		return nil
	}
	return port.Remark{Err: fmt.Errorf("mailbox %s: the server lists messages of which it does not give the text, though it was asked %d "+
		"times: %s; what they say is not known: read them in the mailbox, ask their senders to send them again, and move them to another "+
		"folder; all others are read", m.Name, patient, strings.Join(names, "; "))}
}

// look forgets the messages that are not in the folder any more.
func (m *IMAP) look(client *imapclient.Client, c *imapCursor) error {
	if m.Done == "" || len(c.Inbox) == 0 {
		c.Inbox = nil
		return nil
	}
	var set imap.UIDSet
	for uid := range c.Inbox {
		set.AddNum(uid)
	}
	there, err := client.UIDSearch(&imap.SearchCriteria{UID: []imap.UIDSet{set}}, nil).Wait()
	if err != nil {
		return err
	}
	here := make(map[imap.UID]bool)
	for _, uid := range there.AllUIDs() {
		here[uid] = true
	}
	maps.DeleteFunc(c.Inbox, func(uid imap.UID, _ string) bool { return !here[uid] })
	return nil
}

// Items gives the messages that were read and are still in the folder.
func (m *IMAP) Items(cursor []byte) (out []port.InboxItem, err error) {
	if m.Done == "" || len(cursor) == 0 {
		return nil, nil
	}
	var c imapCursor
	if err := json.Unmarshal(cursor, &c); err != nil {
		return nil, fmt.Errorf("mailbox %s: its cursor cannot be read: %w", m.Name, err)
	}
	for _, uid := range slices.Sorted(maps.Keys(c.Inbox)) {
		out = append(out, port.InboxItem{Evidence: c.Inbox[uid], Location: fmt.Sprintf("%d/%d", c.Validity, uid)})
	}
	return out, nil
}

// PutAway moves messages into the folder for those that are done. One that is not there any more is passed over, and so is
// one of a folder that was made anew since.
func (m *IMAP) PutAway(ctx context.Context, locations []string) error {
	client, err := m.open(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	defer context.AfterFunc(ctx, func() { _ = client.Close() })()
	selected, err := client.Select(m.Folder, nil).Wait()
	if err != nil {
		return m.fail(ctx, err, "folder "+m.Folder+" cannot be opened for putting messages away")
	}
	var set imap.UIDSet
	for _, p := range locations {
		var validity uint32
		var uid imap.UID
		if _, err := fmt.Sscanf(p, "%d/%d", &validity, &uid); err == nil && validity == selected.UIDValidity {
			set.AddNum(uid)
		}
	}
	if len(set) == 0 {
		return nil
	}
	there, err := client.UIDSearch(&imap.SearchCriteria{UID: []imap.UIDSet{set}}, nil).Wait()
	if err != nil {
		return m.fail(ctx, err, "the list of messages broke off")
	}
	if set = imap.UIDSetNum(there.AllUIDs()...); len(set) == 0 {
		return nil
	}
	if caps := client.Caps(); !caps.Has(imap.CapMove) && !caps.Has(imap.CapUIDPlus) { // else it would remove what others have marked for it
		return fmt.Errorf("mailbox %s: the server can move no single messages (it has neither MOVE nor UIDPLUS): leave done_folder out", m.Name)
	}
	if _, err := client.Move(set, m.Done).Wait(); err != nil {
		return m.fail(ctx, err, "messages cannot be moved to folder "+m.Done+": is it there, and may this login write to it?")
	}
	return nil
}
