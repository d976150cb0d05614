package graphtest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// refusal is an answer that is no success.
type refusal struct {
	status     int
	code       string
	retryAfter string
}

func refused(status int, code string) *refusal { return &refusal{status: status, code: code} }

// errors as the service gives them: its own words may name people, as here they do.
func (s *Service) refuse(w http.ResponseWriter, r *refusal) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("request-id", "0a1b2c3d-0000-4000-8000-00000000cafe")
	if r.retryAfter != "" {
		h.Set("Retry-After", r.retryAfter)
	}
	w.WriteHeader(r.status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": r.code, "message": "Canary Person may not do this",
		"innerError": map[string]string{"date": "2026-11-01T09:00:00", "request-id": "0a1b2c3d-0000-4000-8000-00000000cafe"}}})
}

const (
	maxRequest = 4 << 20
	mostAtOnce = 4 // calls about one mailbox by one application
)

// serve answers one call.
func (s *Service) serve(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/v1.0")
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	s.mu.Lock()
	s.calls = append(s.calls, r.Method+" "+path)
	trick, tricked := s.trick(path)
	s.mu.Unlock()
	switch {
	case tricked && trick.While != nil:
		trick.While(w)
	case tricked && trick.Headers != nil:
		if wrong := trick.Headers(r.Header); wrong != "" {
			s.refuse(w, refused(http.StatusBadRequest, wrong))
			return
		}
	case tricked && trick.Answer != nil:
		trick.Answer(w)
		return
	case tricked:
		if trick.Done {
			s.answer(&quiet{http.Header{}}, r, path, body)
		}
		if trick.Status == 0 {
			panic(http.ErrAbortHandler)
		}
		s.refuse(w, &refusal{trick.Status, trick.Code, trick.RetryAfter})
		return
	}
	if err != nil {
		s.refuse(w, refused(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge"))
		return
	}
	s.answer(w, r, path, body)
}

// quiet is an answer that nobody gets.
type quiet struct{ h http.Header }

func (q *quiet) Header() http.Header         { return q.h }
func (q *quiet) Write(b []byte) (int, error) { return len(b), nil }
func (q *quiet) WriteHeader(int)             {}

func (s *Service) trick(path string) (Trick, bool) {
	i := slices.IndexFunc(s.tricks, func(t Trick) bool { return strings.HasSuffix(path, t.Path) })
	if i < 0 {
		return Trick{}, false
	}
	t := s.tricks[i]
	s.tricks = slices.Delete(s.tricks, i, i+1)
	return t, true
}

func (s *Service) answer(w http.ResponseWriter, r *http.Request, path string, body []byte) {
	parts := strings.Split(strings.Trim(keyed.ReplaceAllString(path, "/mailFolders/$1"), "/"), "/")
	if len(parts) < 3 || parts[0] != "users" {
		s.refuse(w, refused(http.StatusBadRequest, "BadRequest"))
		return
	}
	user := strings.ToLower(parts[1])
	s.mu.Lock()
	s.under[user]++
	many := s.under[user] > mostAtOnce
	s.mu.Unlock()
	defer func() { defer s.locked()(); s.under[user]-- }()
	if many {
		s.refuse(w, &refusal{http.StatusTooManyRequests, "ApplicationThrottled", "1"})
		return
	}
	defer s.locked()()
	b, no := s.may(r, user, parts[2])
	if no == nil {
		no = s.route(w, r, b, parts[2:], body)
	}
	if no != nil {
		s.refuse(w, no)
	}
}

// may says whether the token, the mailbox and the role are right.
func (s *Service) may(r *http.Request, user, what string) (*box, *refusal) {
	token, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if audience, known := s.tokens[token]; !isBearer || !known || audience != Audience {
		return nil, refused(http.StatusUnauthorized, "InvalidAuthenticationToken")
	}
	role := Read
	if what == "sendMail" {
		role = Send
	}
	b := s.boxes[user]
	switch {
	case b == nil:
		return nil, refused(http.StatusNotFound, "ErrorInvalidUser")
	case !s.roles[role][user]:
		return nil, refused(http.StatusForbidden, "ErrorAccessDenied")
	}
	return b, nil
}

func (s *Service) route(w http.ResponseWriter, r *http.Request, b *box, parts []string, body []byte) *refusal {
	is := func(method string, want ...string) bool {
		return r.Method == method && len(parts) == len(want) && !slices.ContainsFunc(indexes(want), func(i int) bool {
			return want[i] != "*" && want[i] != parts[i]
		})
	}
	switch {
	case is("POST", "sendMail"):
		return s.sendMail(w, r, b, body)
	case is("GET", "mailFolders"):
		return s.folders(w, r, b, "")
	case is("POST", "messages", "*", "move"):
		return s.moved(w, r, b, parts[1], body)
	case is("GET", "messages", "*"), is("GET", "messages", "*", "$value"):
		return s.message(w, r, b, parts[1], len(parts) == 3)
	}
	if len(parts) < 2 || parts[0] != "mailFolders" || r.Method != http.MethodGet {
		return refused(http.StatusBadRequest, "BadRequest")
	}
	f := b.folderID(parts[1])
	switch {
	case f == nil:
		return refused(http.StatusNotFound, "ErrorItemNotFound")
	case len(parts) == 2:
		if no := options(r, folderFields, "$select"); no != nil {
			return no
		}
		return give(w, http.StatusOK, map[string]any{"id": f.id, "displayName": f.name})
	case parts[2] == "childFolders":
		return s.folders(w, r, b, f.id)
	case is("GET", "mailFolders", "*", "messages"):
		return s.messages(w, r, b, f)
	case is("GET", "mailFolders", "*", "messages", "delta"):
		return s.delta(w, r, b, f)
	}
	return refused(http.StatusBadRequest, "BadRequest")
}

func indexes(s []string) (out []int) {
	for i := range s {
		out = append(out, i)
	}
	return out
}

// folderID finds a folder by its id, or by the name that the service knows it by; not by what people call it.
func (b *box) folderID(id string) *folder {
	for _, f := range b.folders {
		if f.id == id || f.known != "" && f.known == strings.ToLower(id) {
			return f
		}
	}
	return nil
}

var (
	messageFields = []string{"id", "receivedDateTime", "internetMessageId", "parentFolderId", "subject", "isRead", "isDraft", "from"}
	folderFields  = []string{"id", "displayName", "parentFolderId", "totalItemCount"}
	keyed         = regexp.MustCompile(`(?i)/mailFolders\('([^']*)'\)`)
	equals        = regexp.MustCompile(`^(\w+) eq '((?:[^']|'')*)'$`)
)

// options refuses a query that the service does not know, or properties that there are not.
func options(r *http.Request, fields []string, known ...string) *refusal {
	for name, values := range r.URL.Query() {
		if !slices.Contains(known, name) || len(values) != 1 {
			return refused(http.StatusBadRequest, "RequestBroker--ParseUri")
		}
		if name != "$select" {
			continue
		}
		for field := range strings.SplitSeq(values[0], ",") {
			if !slices.Contains(fields, field) {
				return refused(http.StatusBadRequest, "RequestBroker--ParseUri")
			}
		}
	}
	return nil
}

// filter reads a filter of one equation.
func filter(r *http.Request, field string) (value string, has bool, no *refusal) {
	text := r.URL.Query().Get("$filter")
	if text == "" {
		return "", false, nil
	}
	m := equals.FindStringSubmatch(text)
	if m == nil || m[1] != field {
		return "", false, refused(http.StatusBadRequest, "ErrorInvalidUrlQueryFilter")
	}
	return strings.ReplaceAll(m[2], "''", "'"), true, nil
}

func give(w http.ResponseWriter, status int, what any) *refusal {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(what)
	return nil
}

func (s *Service) folders(w http.ResponseWriter, r *http.Request, b *box, parent string) *refusal {
	no := options(r, folderFields, "$select", "$filter")
	name, has, wrong := filter(r, "displayName")
	if no != nil || wrong != nil {
		return refused(http.StatusBadRequest, "RequestBroker--ParseUri")
	}
	found := []any{}
	for _, f := range b.folders {
		if f.parent == parent && (!has || strings.EqualFold(f.name, name)) {
			found = append(found, map[string]any{"id": f.id, "displayName": f.name})
		}
	}
	return give(w, http.StatusOK, map[string]any{"value": found})
}

// immutable says whether ids that outlast a move are asked for, and how many things a page is to have.
func prefers(r *http.Request) (immutable bool, page int) {
	page = 10
	for _, line := range r.Header.Values("Prefer") {
		for p := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
			switch {
			case name == "IdType" && strings.Trim(value, `"`) == "ImmutableId":
				immutable = true
			case name == "odata.maxpagesize":
				if n, err := strconv.Atoi(value); err == nil && n > 0 {
					page = min(n, 1000)
				}
			}
		}
	}
	return immutable, page
}

func (i *item) named(immutable bool) string {
	if immutable {
		return i.immutable
	}
	return i.id
}

// of finds a message by the kind of id that the call speaks of.
func (b *box) of(r *http.Request, id string) *item {
	immutable, _ := prefers(r)
	for _, i := range b.items {
		if i.named(immutable) == id && !i.hidden {
			return i
		}
	}
	return nil
}

func (i *item) shown(r *http.Request) map[string]any {
	immutable, _ := prefers(r)
	return map[string]any{"@odata.type": "#microsoft.graph.message", "id": i.named(immutable), "parentFolderId": i.folder, "internetMessageId": i.message,
		"receivedDateTime": i.came.Format(time.RFC3339)}
}

func (s *Service) message(w http.ResponseWriter, r *http.Request, b *box, id string, value bool) *refusal {
	if no := options(r, messageFields, "$select"); no != nil {
		return no
	}
	i := b.of(r, id)
	if i == nil {
		return refused(http.StatusNotFound, "ErrorItemNotFound")
	}
	if !value {
		return give(w, http.StatusOK, i.shown(r))
	}
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Content-Length", strconv.Itoa(len(i.raw)))
	_, _ = w.Write(i.raw)
	return nil
}

func (s *Service) messages(w http.ResponseWriter, r *http.Request, b *box, f *folder) *refusal {
	if no := options(r, messageFields, "$select", "$filter", "$top"); no != nil {
		return no
	}
	id, has, no := filter(r, "internetMessageId")
	if no != nil {
		return no
	}
	found := []any{}
	for _, i := range b.items {
		if i.folder == f.id && !i.hidden && (!has || i.message == id) && len(found) < 10 {
			found = append(found, i.shown(r))
		}
	}
	return give(w, http.StatusOK, map[string]any{"value": found})
}

func (s *Service) moved(w http.ResponseWriter, r *http.Request, b *box, id string, body []byte) *refusal {
	var to struct {
		ID string `json:"destinationId"`
	}
	if r.Header.Get("Content-Type") != "application/json" || json.Unmarshal(body, &to) != nil || to.ID == "" {
		return refused(http.StatusBadRequest, "RequestBodyRead")
	}
	i, f := b.of(r, id), b.folderID(to.ID)
	if i == nil || f == nil {
		return refused(http.StatusNotFound, "ErrorItemNotFound")
	}
	s.move(b, i, f.id)
	return give(w, http.StatusCreated, i.shown(r))
}

// sendMail takes a message as MIME. It goes to everybody whom its headers name.
func (s *Service) sendMail(w http.ResponseWriter, r *http.Request, b *box, body []byte) *refusal {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if kind != "text/plain" {
		return refused(http.StatusBadRequest, "RequestBodyRead")
	}
	raw, err := base64.StdEncoding.DecodeString(strings.Map(func(c rune) rune {
		if c == '\r' || c == '\n' {
			return -1
		}
		return c
	}, string(body)))
	if err != nil || len(raw) == 0 {
		return refused(http.StatusBadRequest, "ErrorMimeContentInvalidBase64String")
	}
	m, err := mail.ReadMessage(strings.NewReader(string(raw)))
	if err != nil {
		return refused(http.StatusBadRequest, "ErrorMimeContentInvalid")
	}
	from, err := mail.ParseAddress(m.Header.Get("From"))
	if err != nil || !strings.EqualFold(from.Address, b.address) {
		return refused(http.StatusForbidden, "ErrorSendAsDenied")
	}
	sent := Sent{From: b.address, Raw: raw}
	for _, field := range []string{"To", "Cc", "Bcc"} {
		if m.Header.Get(field) == "" {
			continue
		}
		all, err := m.Header.AddressList(field)
		if err != nil {
			return refused(http.StatusBadRequest, "ErrorInvalidRecipients")
		}
		for _, a := range all {
			sent.To = append(sent.To, a.Address)
		}
	}
	if len(sent.To) == 0 {
		return refused(http.StatusBadRequest, "ErrorInvalidRecipients")
	}
	s.sent = append(s.sent, sent)
	id := m.Header.Get("Message-Id")
	if id == "" {
		id = fmt.Sprintf("<%d@made.up.example>", len(s.sent))
	}
	s.put(b, b.folderID("sentitems").id, raw, id, s.late)
	w.WriteHeader(http.StatusAccepted)
	return nil
}
