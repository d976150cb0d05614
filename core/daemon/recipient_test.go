package daemon_test

import (
	"slices"
	"testing"

	"drpd/core/policy"
)

// Somebody whom another version of the procedure names is told, in to or in cc, also after a date was corrected; nobody who was
// told gets it again, and a correction that follows goes to all.
func TestNewRecipient(t *testing.T) {
	for name, add := range map[string]func(s *policy.Stage, r policy.Recipient){
		"to": func(s *policy.Stage, r policy.Recipient) { s.Alert.To = append(slices.Clone(s.Alert.To), r) },
		"cc": func(s *policy.Stage, r policy.Recipient) { s.Alert.Cc = append(slices.Clone(s.Alert.Cc), r) },
	} {
		t.Run(name, func(t *testing.T) {
			w, c := calm(t)
			w.at(16, 9)
			c.facts[0].On-- // the date has changed, and who was told gets a correction
			w.tell(c, nil)
			for _, hour := range []int{9, 10, 11} {
				w.at(17, hour)
			}
			if w.count["sent: correction"] == 0 {
				t.Fatal("no correction")
			}
			first := &c.policy.Stages[0]
			before := w.gotOf(first.ID)
			changed := *first.Alert
			first.Alert = &changed
			const fresh = "chief-executive"
			if slices.Contains(before, fresh) || c.policy.Roles[fresh] == "" {
				t.Fatalf("%v", before)
			}
			recipient := first.Alert.To[0]
			recipient.Role = fresh
			add(first, recipient)
			w.restart()
			w.d.Inputs = "another version"
			for day := 18; day <= 19; day++ {
				w.at(day, 9)
				w.at(day, 14)
			}
			want := slices.Sorted(slices.Values(append(slices.Clone(before), fresh)))
			if got := w.gotOf(first.ID); !slices.Equal(got, want) {
				t.Errorf("the alert went to %v, want %v", got, want)
			}
			corrections := w.count["sent: correction"]
			c.facts[0].On -= 3
			w.tell(c, nil)
			for _, hour := range []int{15, 16, 17} {
				w.at(19, hour)
			}
			if got := w.count["sent: correction"] - corrections; got != len(want) {
				t.Errorf("%d corrections, want one to each of %v", got, want)
			}
			for _, wrong := range w.wrong {
				t.Error(wrong)
			}
		})
	}
}
