package porttest_test

import (
	"testing"
	"time"

	"drpd/core/daemon"
	"drpd/core/daemon/porttest"
)

func TestFakes(t *testing.T) {
	t.Run("ledger", func(t *testing.T) {
		porttest.TestLedger(t, func(*testing.T) daemon.Ledger { return porttest.NewLedger(time.UTC) })
	})
	t.Run("fence", func(t *testing.T) {
		l := porttest.NewLedger(time.UTC)
		porttest.TestFence(t, l, l.Another())
	})
	t.Run("notes", func(t *testing.T) {
		n := porttest.NewNotes()
		porttest.TestNotes(t, n, func(_ *testing.T, ref string) (out []string) {
			for _, x := range n.Written[ref] {
				out = append(out, x.Text)
			}
			return out
		})
	})
	t.Run("forms", func(t *testing.T) {
		n := porttest.NewNotes()
		porttest.TestFormKeeper(t, n, func(_ *testing.T, _ string) int { return len(n.Kept) })
	})
	t.Run("mailer", func(t *testing.T) {
		m := porttest.NewMailer()
		porttest.TestMailer(t, m, func(*testing.T) (out [][]byte) {
			for _, s := range m.Sent {
				for _, e := range s {
					out = append(out, e.Message)
				}
			}
			return out
		})
	})
}
