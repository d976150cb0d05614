// Package graphtest is a service that answers as Microsoft's documentation of Microsoft Graph and of its tokens says, for some mailboxes,
// and refuses what that refuses. It is for tests only. Microsoft's own service was not tried: what its documentation does not say, it
// does not know.
package graphtest

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"drpd/adapters/servertest"
)

// What the application says to get a token.
const (
	ClientID = "11111111-2222-3333-4444-555555555555"
	Secret   = "Made-up-secret"
	Audience = "https://graph.microsoft.com"
)

// The roles of Exchange Online's RBAC for Applications that the service knows.
const (
	Read = "Application Mail.ReadWrite"
	Send = "Application Mail.Send"
)

// Service is the service.
type Service struct {
	URL      string         // of Graph
	TokenURL string         // of its tokens
	Roots    *x509.CertPool // who trusts its certificate
	CA       string         // the file with its authority

	mu     sync.Mutex
	boxes  map[string]*box
	tokens map[string]string          // of the application: their audience
	roles  map[string]map[string]bool // role: the mailboxes that its scope holds
	states map[string]*state          // of lists of changes, by their tokens
	next   int                        // of what is numbered
	tricks []Trick
	under  map[string]int // calls under way, by mailbox
	calls  []string
	sent   []Sent
	most   int  // things on one page, whatever is asked for; 0: as asked
	late   bool // copies in Sent Items come later
	own    bool // and have IDs of the service's own
}

// Sent is a message that was taken, and the addresses to which it goes: those of its headers.
type Sent struct {
	From string
	To   []string
	Raw  []byte
}

// Trick is what one call meets, in place of an answer or after what it wanted was done.
type Trick struct {
	Path       string // the end of the address of the call that meets it
	Status     int    // the answer; 0: the connection is lost
	Code       string
	RetryAfter string
	Done       bool                       // what the call wanted is done all the same
	Answer     func(http.ResponseWriter)  // in place of the status
	While      func(http.ResponseWriter)  // runs before the call is answered as it should
	Headers    func(h http.Header) string // says what is wrong with the headers of the call; "": nothing
}

// box is a mailbox.
type box struct {
	address string
	folders []*folder
	items   []*item
	changes []change
}

type folder struct {
	id, name, known, parent string
}

type item struct {
	immutable, id, folder, message string
	raw                            []byte
	came                           time.Time
	hidden                         bool
}

// change is what happened to a message in a folder.
type change struct {
	folder string
	item   *item
	id     string // that the message had then
	there  bool
}

// Start starts a service with no mailbox.
func Start(t testing.TB) *Service {
	t.Helper()
	dir := t.TempDir()
	ca, roots := servertest.Files(t, dir)
	own, err := tls.LoadX509KeyPair(ca, filepath.Join(dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	s := &Service{Roots: roots, CA: ca, boxes: map[string]*box{}, tokens: map[string]string{}, roles: map[string]map[string]bool{},
		states: map[string]*state{}, under: map[string]int{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /made-up-tenant/oauth2/v2.0/token", s.token)
	mux.HandleFunc("/v1.0/", s.serve)
	server := httptest.NewUnstartedServer(mux)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12}
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // who does not trust its certificate
	server.StartTLS()
	t.Cleanup(server.Close)
	s.URL, s.TokenURL = server.URL+"/v1.0", server.URL+"/made-up-tenant/oauth2/v2.0/token"
	return s
}

// Mailbox makes a mailbox with the folders that every one has, which its people call as they like.
func (s *Service) Mailbox(address string) {
	defer s.locked()()
	b := &box{address: address}
	s.boxes[strings.ToLower(address)] = b
	for known, name := range map[string]string{"inbox": "Inbox", "sentitems": "Sent Items", "archive": "Archive", "drafts": "Drafts",
		"deleteditems": "Deleted Items", "junkemail": "Junk Email"} {
		b.folders = append(b.folders, &folder{id: s.number("AQMkfolder"), name: name, known: known})
	}
}

// Grant gives the application a role, with a management scope that holds one mailbox more.
func (s *Service) Grant(role, address string) {
	defer s.locked()()
	if s.roles[role] == nil {
		s.roles[role] = map[string]bool{}
	}
	s.roles[role][strings.ToLower(address)] = true
}

// Revoke takes every role from the application.
func (s *Service) Revoke() {
	defer s.locked()()
	clear(s.roles)
}

// Folder makes a folder, below another one or at the top.
func (s *Service) Folder(address, below, name string) {
	defer s.locked()()
	b := s.boxes[strings.ToLower(address)]
	parent := ""
	if below != "" {
		parent = b.folderOf(below).id
	}
	b.folders = append(b.folders, &folder{id: s.number("AQMkfolder"), name: name, parent: parent})
}

// Post puts a message into a folder, as a delivery does.
func (s *Service) Post(address, folder, raw string) {
	defer s.locked()()
	b := s.boxes[strings.ToLower(address)]
	id := ""
	if m, err := mail.ReadMessage(strings.NewReader(raw)); err == nil {
		id = m.Header.Get("Message-Id")
	}
	s.put(b, b.folderOf(folder).id, []byte(raw), id, false)
}

// Lying gives the messages of a folder.
func (s *Service) Lying(address, folder string) (out []string) {
	defer s.locked()()
	b := s.boxes[strings.ToLower(address)]
	f := b.folderOf(folder)
	for _, i := range b.items {
		if f != nil && i.folder == f.id {
			out = append(out, string(i.raw))
		}
	}
	return out
}

// Drag moves the messages of one folder into another, as somebody does in Outlook; "" removes them.
func (s *Service) Drag(address, from, to string) {
	defer s.locked()()
	b := s.boxes[strings.ToLower(address)]
	f := b.folderOf(from)
	for _, i := range slices.Clone(b.items) {
		switch {
		case i.folder != f.id:
		case to == "":
			b.remove(i)
		default:
			s.move(b, i, b.folderOf(to).id)
		}
	}
}

// Touch marks every message of a folder, as read: a change of which the list of changes tells.
func (s *Service) Touch(address, folder string) {
	defer s.locked()()
	b := s.boxes[strings.ToLower(address)]
	f := b.folderOf(folder)
	for _, i := range b.items {
		if i.folder == f.id {
			b.changes = append(b.changes, change{f.id, i, i.id, true})
		}
	}
}

// Remake removes a folder with all in it, and makes another of that name.
func (s *Service) Remake(address, name string) {
	defer s.locked()()
	b := s.boxes[strings.ToLower(address)]
	f := b.folderOf(name)
	b.items = slices.DeleteFunc(b.items, func(i *item) bool { return i.folder == f.id })
	f.id = s.number("AQMkfolder")
}

// Expire makes the service forget where all lists of changes were.
func (s *Service) Expire() {
	defer s.locked()()
	clear(s.states)
}

// Trick has the next calls meet something, each one trick.
func (s *Service) Trick(tricks ...Trick) {
	defer s.locked()()
	s.tricks = append(s.tricks, tricks...)
}

// Well ends all tricks that no call has met yet.
func (s *Service) Well() {
	defer s.locked()()
	s.tricks = nil
}

// Unmet says how many tricks no call has met yet.
func (s *Service) Unmet() int {
	defer s.locked()()
	return len(s.tricks)
}

// Late keeps the copies of what is sent out of Sent Items until it is called again with false.
func (s *Service) Late(late bool) {
	defer s.locked()()
	s.late = late
	for _, b := range s.boxes {
		for _, i := range b.items {
			i.hidden = i.hidden && late
		}
	}
}

// Pages makes pages short, whatever is asked for.
func (s *Service) Pages(most int) {
	defer s.locked()()
	s.most = most
}

// OwnIDs gives what is sent from now on another Message-ID, as the documentation does not rule out.
func (s *Service) OwnIDs() {
	defer s.locked()()
	s.own = true
}

// Sent gives what was taken, in its order.
func (s *Service) Sent() []Sent {
	defer s.locked()()
	return slices.Clone(s.sent)
}

// Calls gives the calls that were made since the last time, as METHOD path, without what comes after a question mark.
func (s *Service) Calls() (out []string) {
	defer s.locked()()
	out, s.calls = s.calls, nil
	return out
}

// Token gives a token for an audience, as the server of tokens would.
func (s *Service) Token(audience string) string {
	defer s.locked()()
	return s.give(audience)
}

func (s *Service) locked() (unlock func()) { s.mu.Lock(); return s.mu.Unlock }

func (s *Service) number(of string) string {
	s.next++
	return fmt.Sprintf("%s-%06d=", of, s.next)
}

func (s *Service) give(audience string) string {
	token := s.number("token")
	s.tokens[token] = audience
	return token
}

// token is the server of tokens: the client credentials flow.
func (s *Service) token(w http.ResponseWriter, r *http.Request) {
	defer s.locked()()
	refuse := func(code string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": "invalid_client", "error_description": code + ": made up"})
	}
	scope, isDefault := strings.CutSuffix(r.PostFormValue("scope"), "/.default")
	switch {
	case r.PostFormValue("grant_type") != "client_credentials" || r.PostFormValue("client_id") != ClientID:
		refuse("AADSTS700016")
	case r.PostFormValue("client_secret") != Secret:
		refuse("AADSTS7000215")
	case !isDefault:
		refuse("AADSTS70011")
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": s.give(scope), "token_type": "Bearer", "expires_in": 3599})
	}
}

func (b *box) folderOf(name string) *folder {
	for _, f := range b.folders {
		if f.known == strings.ToLower(name) || f.name == name || f.id == name {
			return f
		}
	}
	return nil
}

func (b *box) remove(i *item) {
	b.items = slices.DeleteFunc(b.items, func(x *item) bool { return x == i })
	b.changes = append(b.changes, change{i.folder, i, i.id, false})
}

func (s *Service) put(b *box, folder string, raw []byte, message string, hidden bool) {
	i := &item{immutable: s.number("AAkALgimmutable"), id: s.number("AAMkitem"), folder: folder, raw: raw, message: message, hidden: hidden,
		came: time.Date(2026, time.November, 1, 9, 0, s.next, 0, time.UTC)}
	b.items = append(b.items, i)
	b.changes = append(b.changes, change{folder, i, i.id, true})
}

// move moves a message: its id is another one from then on, but for the immutable one.
func (s *Service) move(b *box, i *item, to string) {
	b.changes = append(b.changes, change{i.folder, i, i.id, false})
	i.folder, i.id = to, s.number("AAMkitem")
	b.changes = append(b.changes, change{to, i, i.id, true})
}

func escaped(s string) string { return url.QueryEscape(s) }
