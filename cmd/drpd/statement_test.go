package main

import (
	"strings"
	"testing"

	"drpd/core/drp"
)

// Words that were not understood are not shown like an answer line.
func TestStatementInFreeWords(t *testing.T) {
	for _, free := range []bool{true, false} {
		var out strings.Builder
		a := &app{out: &out}
		a.statement(nil, drp.Statement{Fact: drp.Fact{Kind: drp.Responded, Free: free, Source: "mailbox", Place: "body"}})
		if says := strings.Contains(out.String(), "responded, in words of their own"); says != free {
			t.Errorf("free %v: %s", free, out.String())
		}
	}
}
