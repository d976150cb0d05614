package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Whoever takes over a child's team is told what waits for them: they are not late before they were told, and the first that they read is
// not that no answer has come.
// A child's role that nobody holds any more is told to the operator.
func TestNewManagerOfAChild(t *testing.T) {
	t.Parallel()
	const waits = "Stage 1, discussion with the social worker and the team manager, since Monday 2 November 2026, due by the end of Monday 9 November 2026"
	const title = "team manager / consultant social worker"
	for _, vacant := range []bool{false, true} {
		want := "2026-11-05 accepted [team-manager] you hold the role " + title + " for the child now, and this waits for you: " + waits
		if vacant {
			want = "2026-11-05 accepted [operator] nobody holds the role " + title + " for the child any more. This waits for it: " + waits
		}
		handedOver(t, vacant, want)
	}
}

func handedOver(t *testing.T, vacant bool, want string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "d")
	stage := emptyStage(t, dir)
	defer func() { _ = stage.close() }()
	c := openCouncil(t, dir)
	defer func() { _ = c.close() }()
	raiseAt(t, stage, c, "20401")
	for i, change := range []string{
		`UPDATE CF_INVOLVEMENTS SET END_DATE = '2026-11-04' WHERE PI_NUMBER = '20401' AND ROLE_TITLE = 'TM'`,
		`INSERT INTO CF_INVOLVEMENTS VALUES ('20401', 'TM', 'w-132', '2026-11-05', NULL)`,
	} {
		if vacant && i > 0 {
			break
		}
		if _, err := stage.db.ExecContext(t.Context(), change); err != nil {
			t.Fatal(err)
		}
	}
	c.mornings(t, userDay+8)
	ref := c.about(t, "20401").Ref
	past, err := c.ledger.Effects(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	var heard []string
	for _, p := range past {
		if p.Rule == "hand-over" {
			heard = append(heard, fmt.Sprintf("%s %s %v %s", p.On, p.Life, p.To, p.Says))
		}
	}
	if !slices.Equal(heard, []string{want}) {
		t.Errorf("%q", heard)
	}
	if vacant {
		return
	}
	mail := ""
	for name, text := range tree(t, filepath.Join(c.dir, "mail", "out")) {
		if strings.Contains(text, "To: ") && strings.Contains(name, "w-132") {
			mail += text
		}
	}
	if !strings.Contains(mail, "Responded: yes") {
		t.Errorf("the new team manager hears: %s", mail)
	}
}
