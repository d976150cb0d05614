package graph

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"drpd/core/drp"
	"drpd/core/port"
)

// Mailbox is a folder of the mailbox as a source of messages. Reading changes nothing; only PutAway moves messages, into the folder that
// the configuration names, and only those that were stored.
type Mailbox struct {
	*Client
	Name   string // of the source, in the configuration
	Folder string
	Done   string // the folder into which messages are put away; "": none is
	// Take makes evidence of one message, by the limits of every mailbox; of one that is empty it gives none. size is in bytes; -1: nobody
	// knows it.
	Take func(source string, message io.Reader, size int64, now time.Time) (drp.Evidence, error)
}

// cursor says how far the folder was read. A message is known by its id, which it keeps for as long as it is in the mailbox, so that the
// list may begin anew, and no message is taken for a new one. What is fetched a second time all the same is known by its bytes.
type cursor struct {
	Of      string    `json:"graph"`             // the mailbox and the folder: of another one nothing is known
	Link    string    `json:"link,omitempty"`    // where the list goes on; "": it begins
	Seen    []string  `json:"seen,omitempty"`    // digests of the ids of the messages in the folder that were listed
	Anew    bool      `json:"anew,omitempty"`    // the list has begun, and is not at its end
	Met     []string  `json:"met,omitempty"`     // since then
	Waiting []waiting `json:"waiting,omitempty"` // were listed, and not read
	// Inbox are the messages that were read and are still in the folder, with their evidence; kept only where some are put away.
	Inbox map[string]string `json:"inbox,omitempty"`
	More  bool              `json:"more,omitempty"` // the folder was not read to its end
}

// waiting is a message that was listed, and not read.
type waiting struct {
	ID    string    `json:"id"`
	Came  time.Time `json:"came,omitzero"`
	Asked int       `json:"asked,omitempty"` // how often it was asked for, and not given
}

// How much one poll reads at most, but for a message that is larger by itself, and how many messages one page lists.
const (
	maxPoll  = 8 << 20
	maxPages = 1000
	pageSize = 100
)

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])[:24]
}

func (m *Mailbox) read(at []byte) (c cursor, err error) {
	if len(at) > 0 {
		err = json.Unmarshal(at, &c)
	}
	if err != nil {
		return c, fmt.Errorf("mailbox %s: its cursor cannot be read: %w", m.Name, err)
	}
	if of := digest(strings.Join([]string{m.base(), strings.ToLower(m.Mailbox), m.Folder}, "\n")); c.Of != of {
		c = cursor{Of: of}
	}
	return c, nil
}

// Poll gives the messages that have come since the cursor.
func (m *Mailbox) Poll(ctx context.Context, at []byte, now time.Time) ([]drp.Evidence, []byte, error) {
	c, err := m.read(at)
	if err != nil {
		return nil, nil, err
	}
	p := &poll{Mailbox: m, cursor: c, now: now, known: make(map[string]bool), tried: make(map[string]bool)}
	p.cursor.More = false
	if err = p.all(ctx); err != nil {
		if len(p.out) == 0 {
			return nil, nil, err
		}
		p.cursor.More = true // what was read is kept, and the next poll says what was wrong
	}
	next, err := json.Marshal(p.cursor)
	return p.out, next, cmp.Or(err, p.missing())
}

// More says whether the folder was not read to its end.
func (m *Mailbox) More(at []byte) bool {
	c, err := m.read(at)
	return err == nil && c.More
}

// poll is one poll.
type poll struct {
	*Mailbox
	cursor
	now   time.Time
	out   []drp.Evidence
	known map[string]bool // evidence that is in it
	total int64           // bytes
	tried map[string]bool // messages that were asked for in it, and not given
	lost  int             // calls for messages in a row of which no answer came
	began bool            // the list was begun anew in it
	ended bool            // and is at its end
}

// errFull ends a poll that has enough.
var errFull = errors.New("enough for one poll")

// all reads what is new, and then what was asked for before and not given.
func (p *poll) all(ctx context.Context) error {
	for page := 0; ; page++ {
		err := p.fetch(ctx, func(w waiting) bool { return w.Asked == 0 })
		if errors.Is(err, errFull) {
			p.cursor.More = true
			return nil
		}
		if err != nil {
			return err
		}
		if p.ended || page == maxPages {
			break
		}
		if err := p.list(ctx); err != nil {
			return err
		}
	}
	err := p.fetch(ctx, func(w waiting) bool { return !p.tried[w.ID] })
	if errors.Is(err, errFull) { // with the next poll
		return nil
	}
	return err
}

// list reads a page of what has changed in the folder.
func (p *poll) list(ctx context.Context) error {
	at := p.Link
	if at == "" {
		folder, err := p.folder(ctx, p.Folder)
		if err != nil {
			return err
		}
		at = query(p.user("mailFolders", folder, "messages", "delta"), "$select", "receivedDateTime")
		p.Anew, p.Met = true, nil
	}
	var l list
	err := p.get(ctx, at, pageSize, func(body []byte) (err error) {
		l, err = readDelta(body)
		return err
	})
	if err == nil {
		err = p.own(l.Next + l.Delta)
	}
	var f *fault
	if errors.As(err, &f) && (f.expired() || f.status == http.StatusNotFound) && p.Link != "" && !p.began {
		p.Link, p.began = "", true // the service has forgotten where the list was, or the folder was made anew
		return p.list(ctx)
	}
	if err != nil {
		return err
	}
	for _, i := range l.Value {
		p.met(i)
	}
	if p.Link = l.Next; l.Delta != "" {
		p.Link, p.ended = l.Delta, true
		p.settle()
	}
	return nil
}

// met takes in a line of the list. The same message may be on it more than once.
func (p *poll) met(i item) {
	name := digest(i.ID)
	if i.Removed != nil {
		drop(&p.Seen, name)
		drop(&p.Met, name)
		p.Waiting = slices.DeleteFunc(p.Waiting, func(w waiting) bool { return w.ID == i.ID })
		delete(p.Inbox, i.ID)
		return
	}
	if p.Anew {
		put(&p.Met, name)
	}
	if put(&p.Seen, name) {
		p.Waiting = append(p.Waiting, waiting{ID: i.ID, Came: i.came()})
	}
}

// settle forgets what a list that has begun anew has not met: it is not in the folder any more.
func (p *poll) settle() {
	if !p.Anew {
		return
	}
	away := func(id string) bool {
		_, met := slices.BinarySearch(p.Met, digest(id))
		return !met
	}
	p.Waiting = slices.DeleteFunc(p.Waiting, func(w waiting) bool { return away(w.ID) })
	maps.DeleteFunc(p.Inbox, func(id, _ string) bool { return away(id) })
	p.Seen, p.Met, p.Anew = p.Met, nil, false
}

// put puts a name into a sorted list, and says whether it is new there.
func put(in *[]string, name string) bool {
	i, there := slices.BinarySearch(*in, name)
	if !there {
		*in = slices.Insert(*in, i, name)
	}
	return !there
}

func drop(from *[]string, name string) {
	if i, there := slices.BinarySearch(*from, name); there {
		*from = slices.Delete(*from, i, i+1)
	}
}

// fetch reads messages that wait, what was asked for least often first. One that the service does not give stops no other: it is asked
// for again with the next poll.
func (p *poll) fetch(ctx context.Context, which func(waiting) bool) error {
	for {
		next := -1
		for i, w := range p.Waiting {
			if which(w) && (next < 0 || w.Asked < p.Waiting[next].Asked) {
				next = i
			}
		}
		if next < 0 {
			return nil
		}
		if err := p.one(ctx, next); err != nil {
			return err
		}
	}
}

// one reads one message. An error is one of the way: no other message could be read either.
func (p *poll) one(ctx context.Context, next int) error {
	w := &p.Waiting[next]
	ev, err := p.message(ctx, w.ID)
	var f *fault
	var b *busy
	isFault := errors.As(err, &f)
	switch {
	case err == nil && ev.ID != "":
		p.add(w.ID, ev)
		p.lost = 0
	case isFault && f.gone(): // somebody has removed it meanwhile
		p.lost = 0
	case err != nil && (ctx.Err() != nil || errors.As(err, &b) || !isFault && !errors.Is(err, errLost)),
		isFault && (f.status == http.StatusUnauthorized || f.status == http.StatusForbidden):
		return err
	default:
		if p.lost++; err == nil || isFault {
			p.lost = 0
		}
		w.Asked++
		p.tried[w.ID] = true
		if p.lost > 1 {
			return err
		}
		return nil
	}
	p.Waiting = slices.Delete(p.Waiting, next, next+1)
	return nil
}

// message fetches one message.
func (p *poll) message(ctx context.Context, id string) (ev drp.Evidence, err error) {
	ask := call{method: http.MethodGet, url: p.user("messages", id, "$value"), role: roleRead, immutable: true}
	err = p.do(ctx, ask, func(resp *http.Response) error {
		if p.total > 0 && max(resp.ContentLength, 0) > maxPoll-p.total {
			return errFull
		}
		var err error
		if ev, err = p.Take(p.Name, resp.Body, resp.ContentLength, p.now); err != nil {
			return p.fail(resp.Request.Context(), err)
		}
		return nil
	})
	return ev, err
}

func (p *poll) add(id string, ev drp.Evidence) {
	if p.Done != "" {
		if p.Inbox == nil {
			p.Inbox = make(map[string]string)
		}
		p.Inbox[id] = ev.ID
	}
	p.total += int64(len(ev.Body))
	if !p.known[ev.ID] {
		p.known[ev.ID] = true
		p.out = append(p.out, ev)
	}
}

// How often a message is asked for before a person is told that it does not come, and how many are named at once.
const (
	patient = 3
	mostOf  = 5
)

// missing says which messages the service has not given, though it was asked again and again; nil where there are none.
func (p *poll) missing() error {
	var names []string
	for _, w := range p.Waiting {
		if w.Asked >= patient {
			names = append(names, "one that came at "+w.Came.Format("15:04 UTC on Monday 2 January 2006"))
		}
	}
	slices.Sort(names)
	if len(names) > mostOf {
		names = append(names[:mostOf], fmt.Sprintf("and %d more", len(names)-mostOf))
	}
	if len(names) == 0 {
		return nil
	}
	return port.Remark{Err: fmt.Errorf("mailbox %s: Microsoft Graph lists messages that it does not give, though it was asked %d times: %s; "+
		"what they say is not known: read them in the mailbox, ask their senders to send them again, and move them to another folder; all "+
		"others are read", p.Name, patient, strings.Join(names, "; "))}
}
