package graphtest

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
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
