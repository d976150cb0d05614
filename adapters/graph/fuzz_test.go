package graph

import (
	"strings"
	"testing"
)

// Whatever the service answers, it is read or refused: nothing ends drpd, no list is longer and no id or address larger than it may be,
// and nothing of an error's own words gets into what is said of it.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"value": []}`, `{"value": [{"id": "a", "receivedDateTime": "2026-11-01T09:00:00Z", "@removed": {"reason": "deleted"}}], "@odata.nextLink": "x"}`,
		`{"error": {"code": "ErrorAccessDenied", "message": "m", "innerError": {"code": "x", "request-id": "y", "innererror": {"code": "z"}}}}`,
		`{"id": "a", "parentFolderId": 3}`, `{"error": {"code": "` + strings.Repeat("x", 300) + `"}}`, `[`, `null`, `{"value": null}`, "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if l, err := readDelta(body); err == nil {
			if len(l.Value) > maxList || len(l.Next) > maxLink || len(l.Delta) > maxLink || (l.Next == "") == (l.Delta == "") {
				t.Errorf("%+v", l)
			}
			for _, i := range l.Value {
				if i.ID == "" || len(i.ID) > maxID {
					t.Errorf("id %q", i.ID)
				}
				_ = i.came()
			}
		}
		_, _ = readList(body)
		_, _ = readItem(body)
		said := readFault(body)
		if len(said.codes) > maxNest || strings.ContainsFunc(strings.Join(said.codes, "")+said.request, func(r rune) bool { return r <= ' ' || r > 'z' }) {
			t.Errorf("%q", said)
		}
		said.means = "refused"
		if len(said.Error()) > 250 {
			t.Errorf("%q", said.Error())
		}
	})
}
