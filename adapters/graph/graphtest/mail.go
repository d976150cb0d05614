package graphtest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"
)

// prefers says whether ids that outlast a move are asked for, and how many things a page is to have.
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
	if no := options(r, messageFields, "$select", "$filter", "$top", "$orderby"); no != nil {
		return no
	}
	id, has, no := filter(r, "internetMessageId")
	if no != nil {
		return no
	}
	most := 10
	if n, err := strconv.Atoi(r.URL.Query().Get("$top")); err == nil && n > 0 {
		most = min(n, 1000)
	}
	order := r.URL.Query().Get("$orderby")
	if order != "" && (order != "sentDateTime desc" || has) { // the two together want more than this service knows
		return refused(http.StatusBadRequest, "InefficientFilter")
	}
	all := slices.Clone(b.items)
	if order != "" {
		slices.Reverse(all)
	}
	found := []any{}
	for _, i := range all {
		if i.folder == f.id && !i.hidden && (!has || i.message == id) && len(found) < most {
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
	if id == "" || s.own {
		id = fmt.Sprintf("<%d@made.up.example>", len(s.sent))
	}
	s.put(b, b.folderID("sentitems").id, raw, id, s.late)
	w.WriteHeader(http.StatusAccepted)
	return nil
}
