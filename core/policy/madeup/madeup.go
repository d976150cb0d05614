// Package madeup writes small procedures for tests: stages with any mix of limits, exits, answers and alerts. Some of them the check
// of policies refuses.
package madeup

import (
	"fmt"
	"strings"
)

// Policy writes the text of a policy file. pick draws a number from 0 to below n; the same numbers give the same text.
func Policy(id string, pick func(n int) int) string {
	m := &maker{pick: pick, stages: 1 + pick(3)}
	m.line("policy: %s\ncode: M\ntitle: A made-up procedure\nsource: made up\nversion: 1\neffective: 2015-01-01\nforms: [%s-form]", id, id)
	m.line("owner: [owner]\nduty: duty\nraisers: [owner]")
	m.line("roles: {owner: owner, duty: duty manager, manager: manager, senior: senior manager, director: director, operator: operator, " +
		"practice-lead: practice lead}")
	m.line("clauses: {M1: a made-up rule}")
	m.line("stages:")
	for i := range m.stages {
		m.stage(i)
	}
	m.line("ends:\n  - {clause: M1, fact: resolved, by: [owner]}\n  - {clause: M1, fact: withdrawn, by: [owner]}")
	if pick(3) == 0 {
		m.line("more_time: {clause: M1, by: [owner]}\ntime_out: {clause: M1, permission: [manager]}")
	}
	m.line("corrections: {clause: M1}\nin_force: {clause: M1, version: started}")
	m.line("hand_over: {clause: M1, id: hand-over, from: ended, until: ended, amount: %s, severity: guidance}",
		m.one("none stated", "immediately", "2 working days"))
	m.line("ask_again: %s", m.one("5 working days", "1 working day", "2 working days", "10 working days", "1 week", "7 calendar days"))
	return m.out.String()
}

type maker struct {
	out    strings.Builder
	pick   func(n int) int
	stages int
}

func (m *maker) line(format string, args ...any) { fmt.Fprintf(&m.out, format+"\n", args...) }

func (m *maker) one(of ...string) string { return of[m.pick(len(of))] }

func (m *maker) stage(i int) {
	holder := []string{"manager", "senior", "director"}[i]
	m.line("  - id: s%d\n    title: Stage %d\n    holder: [%s]", i, i, holder)
	m.line("    alert: {by: %s, says: answer, to: [{clause: M1, role: %s}]}", m.one("drpd", "drpd", "owner"), holder)
	answers := m.pick(3) > 0
	if answers {
		m.line("    answer: {clause: M1, by: [%s], says: answer%s}", m.one(holder, holder, holder+", duty"),
			m.one("", "", ", any: true", ", joint: true"))
	}
	contest := answers && m.pick(5) == 0
	m.limit(contest)
	m.exits(i, contest)
	if m.pick(6) == 0 {
		m.line("    ends:\n      - {clause: M1, fact: determined, by: [%s]}", holder)
	}
	if m.pick(8) == 0 {
		m.line("    silent: because the made-up procedure says so")
	}
}

func (m *maker) limit(contest bool) {
	amount := m.one("none", "none stated", "set for the case", "1 working day", "3 working days", "5 working days", "10 working days",
		"28 calendar days", "10 weeks", "immediately")
	if amount == "none" {
		m.line("    limit: none")
		if !contest {
			return
		}
	} else {
		m.line("    limit: answer")
	}
	m.line("    clocks:")
	if amount != "none" {
		chase := ""
		if m.pick(2) == 0 {
			chase = ", chase: " + m.one("1 working day", "5 working days", "1 week", "10 working days")
		}
		m.line("      - {clause: M1, id: answer, from: %s, until: %s, amount: %s%s, severity: %s%s}",
			m.one("raised", "entered", "previous", "alerted", "meeting-held"),
			m.one("ended", "answered", "meeting-held"), amount, chase, m.one("maximum", "target", "guidance"), m.one("", "", ", waits: true"))
	}
	if contest {
		m.line("      - {clause: M1, id: contest, from: answered, until: ended, amount: 5 working days, waits: true, severity: maximum}")
	}
}

func (m *maker) exits(i int, contest bool) {
	next := ""
	if i+1 < m.stages {
		next = fmt.Sprintf(", to: s%d", i+1)
	}
	var out []string
	for _, when := range []string{"no-answer", "unsatisfactory", "rejected"} {
		if m.pick(8) == 0 && len(out) > 0 || when == "rejected" && m.pick(2) == 0 {
			continue
		}
		do := "prompt"
		if next != "" && m.pick(2) == 0 {
			do = "escalate"
		}
		exit := fmt.Sprintf("{clause: M1, when: %s, do: %s%s%s%s}", when, do, next, m.one("", "", "", ", ask: [owner, duty]"),
			m.one("", "", ", on: last-day"))
		if when == "unsatisfactory" && contest {
			exit = "{clause: M1, when: unsatisfactory, do: take-effect, clock: contest, fact: determined}"
		}
		out = append(out, "      - "+exit)
	}
	m.line("    on_expiry:\n%s", strings.Join(out, "\n"))
}
