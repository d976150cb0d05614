package audit_test

import (
	"strings"
	"testing"

	"drpd/core/audit"
)

func chain(n int) []audit.Entry {
	var out []audit.Entry
	before := ""
	for i := range n {
		e := audit.Seal([]byte("key"), before, audit.Entry{Seq: int64(i + 1), At: int64(i), Actor: "drpd", Action: "attempted", Subject: "effect",
			Detail: "x"})
		out, before = append(out, e), e.Code
	}
	return out
}

// verify checks a whole chain.
func verify(key string, entries []audit.Entry) (err error) {
	c := audit.Chain{Key: []byte(key)}
	for _, e := range entries {
		err = c.Next(e)
	}
	return err
}

func TestVerify(t *testing.T) {
	if err := verify("key", chain(5)); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		change func([]audit.Entry) []audit.Entry
		want   string
	}{
		"an entry changed": {func(e []audit.Entry) []audit.Entry { e[2].Action = "accepted"; return e }, "audit entry 3 was changed"},
		"words moved about": {func(e []audit.Entry) []audit.Entry { e[2].Actor, e[2].Action = "drpdat", "tempted"; return e },
			"audit entry 3 was changed"},
		"an entry left out": {func(e []audit.Entry) []audit.Entry { return append(e[:2], e[3:]...) }, "audit entry 3 is missing"},
		"left out and numbered": {func(e []audit.Entry) []audit.Entry { e = append(e[:2], e[3:]...); e[2].Seq = 3; return e },
			"audit entry 3 was changed"},
		"two exchanged": {func(e []audit.Entry) []audit.Entry { e[1], e[2] = e[2], e[1]; return e }, "audit entry 2 is missing"},
	} {
		if err := verify("key", tt.change(chain(5))); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if verify("another", chain(2)) == nil {
		t.Error("another key verifies")
	}
}
