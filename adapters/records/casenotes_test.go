package records_test

import (
	"strings"
	"testing"
	"time"
)

// Disputes that are kept as case notes: once two are open about one child nobody can tell of which a later note is. It counts for neither,
// and both ask; nor does a closing end both. What was noted before stands, and what is written in a note decides nothing.
func TestTwoDisputesAsNotes(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		s, m, db := load(t, e, "casenotes")
		poll := func(cursor []byte, later time.Duration) (string, []byte) {
			t.Helper()
			batch, next, err := s.Poll(t.Context(), cursor, noon.Add(later))
			if err != nil {
				t.Fatal(err)
			}
			forms, _ := said(m, batch)
			return forms, next
		}
		_, cursor := poll(nil, 0)
		note := func(id, date, kind string) {
			t.Helper()
			if _, err := db.ExecContext(t.Context(), `INSERT INTO CASE_NOTES VALUES (`+id+`, 20401, '`+kind+`', '`+date+`', 131, 'DRP resolved.', NULL)`); err != nil {
				t.Fatal(err)
			}
		}
		note("5020", "2026-03-10", "DRP raised")
		note("5021", "2026-03-12", "DRP answer stage 2")
		note("5022", "2026-03-13", "DRP closed")
		note("5023", "2026-03-13", "Visit")
		got, cursor := poll(cursor, time.Hour)
		if n := strings.Count(got, "responded stage-1 2026-03-05 by 131"); n != 1 {
			t.Errorf("what was noted before counts %d times:\n%s", n, got)
		}
		for _, form := range []string{"form/5001", "form/5020"} {
			_, of, _ := strings.Cut(got, form)
			of, _, _ = strings.Cut(of, "form/")
			if strings.Contains(of, "responded stage-2") || strings.Contains(of, "authorised true") || strings.Contains(of, "resolved") ||
				!strings.Contains(of, `doubt: `) || strings.Count(of, "doubt: ") < 2 {
				t.Errorf("%s:%s", form, of)
			}
		}
		note("5030", "2026-03-14", "DRP closed")
		note("5031", "2026-03-16", "DRP raised")
		note("5032", "2026-03-17", "DRP answer stage 1")
		got, _ = poll(cursor, 2*time.Hour)
		_, of, _ := strings.Cut(got, "form/5031")
		if of, _, _ = strings.Cut(of, "form/"); !strings.Contains(of, "responded stage-1 2026-03-17 by 131") || strings.Contains(of, "doubt") {
			t.Errorf("a dispute of its own, after both are closed: %s", of)
		}
	})
}
