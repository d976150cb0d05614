package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// What an answer may hold at most.
const (
	maxLink = 16 << 10 // bytes of an address
	maxID   = 1 << 10  // bytes of an id
	maxList = 2000     // things on one page
	maxNest = 8        // codes of one error, one inside the other
)

// fault is an answer that is no success. Graph's own message is not kept: it may name people.
type fault struct {
	who, means string
	status     int
	codes      []string // the outermost first
	request    string   // the request's id, by which Microsoft finds it
}

func (f *fault) Error() string {
	said := fmt.Sprintf("%s: %s (%d", f.who, f.means, f.status)
	if len(f.codes) > 0 {
		said += " " + f.codes[0]
	}
	if f.request != "" {
		said += ", request-id " + f.request
	}
	return said + ")"
}

// is says whether one of an error's codes is one of these. Microsoft writes them in more than one case.
func (f *fault) is(codes ...string) bool {
	return slices.ContainsFunc(f.codes, func(has string) bool {
		return slices.ContainsFunc(codes, func(want string) bool { return strings.EqualFold(has, want) })
	})
}

// gone says whether what was asked for is not there any more.
func (f *fault) gone() bool {
	return f.status == http.StatusNotFound && f.is("ErrorItemNotFound", "itemNotFound")
}

// expired says whether the place from which a list was to go on is not known any more.
func (f *fault) expired() bool {
	return f.status == http.StatusGone || f.is("syncStateNotFound", "syncStateInvalid", "resyncRequired")
}

// said is an error as Graph writes it: one may stand inside another.
type said struct {
	Code    string `json:"code"`
	Request string `json:"request-id"`
	Inner   *said  `json:"innererror"` // and innerError
}

// readFault reads the body of an answer that is no success: as much of it as can be read.
func readFault(body []byte) *fault {
	var answer struct {
		Error said `json:"error"`
	}
	f := &fault{}
	if json.Unmarshal(body, &answer) != nil {
		return f
	}
	for e, n := &answer.Error, 0; e != nil && n < maxNest; e, n = e.Inner, n+1 {
		if code := plain(e.Code); code != "" {
			f.codes = append(f.codes, code)
		}
		if id := plain(e.Request); id != "" {
			f.request = id
		}
	}
	return f
}

// plain is a code or an id as it may stand in a log; nothing where it is anything else.
func plain(s string) string {
	other := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
	}
	if len(s) > 64 || strings.ContainsFunc(s, other) {
		return ""
	}
	return s
}

// item is a message on a list, or a folder.
type item struct {
	ID      string    `json:"id"`
	Name    string    `json:"displayName"`
	Message string    `json:"internetMessageId"`
	Parent  string    `json:"parentFolderId"`
	Came    string    `json:"receivedDateTime"`
	Removed *struct{} `json:"@removed"` // it is not in the folder any more
}

// came is when a message was received; nothing where that cannot be read.
func (i item) came() time.Time {
	at, err := time.Parse(time.RFC3339, i.Came)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// list is a page of things.
type list struct {
	Value []item `json:"value"`
	Next  string `json:"@odata.nextLink"`  // where the next page is
	Delta string `json:"@odata.deltaLink"` // where what changes from now on is, after the last page
}

// errAnswer is the error of an answer that cannot be what was asked for.
var errAnswer = errors.New("Microsoft Graph answers in a way that drpd does not know") //nolint:staticcheck // a name

// readList reads a page.
func readList(body []byte) (list, error) {
	var l list
	if err := json.Unmarshal(body, &l); err != nil || l.Value == nil {
		return list{}, errAnswer
	}
	if len(l.Value) > maxList || len(l.Next) > maxLink || len(l.Delta) > maxLink {
		return list{}, errAnswer
	}
	for _, i := range l.Value {
		if i.ID == "" || len(i.ID) > maxID {
			return list{}, errAnswer
		}
	}
	return l, nil
}

// readDelta reads a page of changes, which says where to go on.
func readDelta(body []byte) (list, error) {
	l, err := readList(body)
	if err == nil && (l.Next == "") == (l.Delta == "") {
		return list{}, errAnswer
	}
	return l, err
}

// readItem reads one thing.
func readItem(body []byte) (item, error) {
	var i item
	if json.Unmarshal(body, &i) != nil || i.ID == "" || len(i.ID) > maxID {
		return item{}, errAnswer
	}
	return i, nil
}
