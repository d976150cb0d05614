package drp_test

import (
	"encoding/json"
	"strings"
	"testing"

	"drpd/core/drp"
)

// Effects lie in the ledger as JSON, and `explain --json` prints facts: their keys stay what they were, whatever the fields are called.
func TestStoredKeys(t *testing.T) {
	for key, x := range map[string]any{
		`"Reach":["group-manager"]`: drp.Effect{MustReach: []string{"group-manager"}},
		`"Place":"row 2"`:           drp.Fact{Position: "row 2"},
		`"Draft":"answer"`:          drp.Effect{Draft: "answer"},
	} {
		b, err := json.Marshal(x)
		if err != nil || !strings.Contains(string(b), key) {
			t.Errorf("%s, %v: no %s", b, err, key)
		}
	}
	if drp.ReasonInform != "notice" {
		t.Errorf("the stored text of a reason is now %q", drp.ReasonInform)
	}
}
