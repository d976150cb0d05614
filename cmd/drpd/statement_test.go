package main

import (
	"strings"
	"testing"

	"drpd/core/drp"
)

// Words that were not understood are not shown like an answer line.
func TestStatementInFreeWords(t *testing.T) {
	for kind, free := range map[drp.FactKind]bool{drp.MessageCame: true, drp.Responded: false} {
		var out strings.Builder
		a := &app{out: &out}
		a.statement(nil, drp.Statement{Fact: drp.Fact{Kind: kind, Source: "mailbox", Position: "body"}})
		if says := strings.Contains(out.String(), "message-came, in words of their own"); says != free {
			t.Errorf("%s: %s", kind, out.String())
		}
	}
}
