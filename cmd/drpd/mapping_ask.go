package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"drpd/mapping"
)

// prompt asks one question on the terminal.
func (n *newMapping) prompt(q mapping.Question, at, of int) (mapping.Codes, error) {
	n.printf("\n%d of %d  %s", at, of, q.Name)
	if q.Of != "" {
		n.printf(" in %s", q.Of)
	}
	n.printf("\n")
	for _, line := range mapping.Wrapped(q.Says, 92) {
		n.printf("  %s\n", line)
	}
	for i, o := range q.Options {
		n.printf("%s\n", strings.TrimRight(fmt.Sprintf("  %c) %-50s %s", 'a'+rune(i), o.Value, o.Note()), " "))
	}
	hint := "a letter, a name, or none"
	if q.Keeps() {
		hint = "a letter, a code, keep, or none; none all"
	}
	if q.Proposed != "" {
		hint += "; Enter is " + q.Proposed
	}
	for {
		n.printf("  (%s) ", hint)
		line, err := n.line()
		if err != nil {
			return nil, err
		}
		if rest, all := strings.CutSuffix(line, " all"); all && (rest == mapping.None || rest == mapping.Keep && q.Keeps()) {
			n.choices.Rest = map[string]string{q.Section: rest}
			line = rest
		}
		answer, wrong := n.understood(q, line)
		if wrong == "" {
			return answer, nil
		}
		n.printf("  %s\n", wrong)
	}
}

// understood reads an answer that was typed.
func (n *newMapping) understood(q mapping.Question, line string) (answer mapping.Codes, wrong string) {
	if line == "" {
		line = q.Proposed
	}
	if line == "" {
		return nil, "say none if there is no such thing"
	}
	parts := []string{line}
	if q.Keeps() {
		parts = strings.Split(line, ",")
	}
	for _, p := range parts {
		p = strings.TrimSpace(p)
		is := func(o mapping.Option) bool { return o.Value == p }
		if i := 0; len(p) == 1 && !slices.ContainsFunc(q.Options, is) {
			if i = int(p[0] - 'a'); i >= 0 && i < len(q.Options) {
				p = q.Options[i].Value
			}
		}
		if p == mapping.Keep && q.Keeps() {
			p = q.Name
		}
		answer = append(answer, p)
	}
	if isNone(answer) {
		return answer, ""
	}
	if wrong := n.unfit(q, answer); wrong != "" {
		return nil, wrong
	}
	return answer, ""
}

// moreStates asks on the terminal for states that no form has, and that the council knows of.
func (n *newMapping) moreStates(there map[string]int) error {
	for n.in != nil {
		n.printf("\nA state that no form has yet, with what it means, such as IN_PROGRESS: open\n  (Enter: there is no other) ")
		line, err := n.line()
		if line == "" || err != nil {
			return err
		}
		state, means, _ := strings.Cut(line, ":")
		q, answer := mapping.Question{Section: "states", Name: strings.TrimSpace(state)}, mapping.Codes{strings.TrimSpace(means)}
		wrong := n.unfit(q, answer)
		if near := mapping.Slip(q.Name, sortedKeys(there)); wrong == "" && there[q.Name] == 0 && near != "" {
			wrong = fmt.Sprintf("no form has the state %q (%s?)", q.Name, near)
		}
		if wrong != "" || q.Name == "" {
			n.printf("  %s\n", cmp.Or(wrong, "write the state before the colon"))
			continue
		}
		n.choices.Give(q, answer)
		n.changed = true
		if err := n.keep(); err != nil {
			return err
		}
	}
	return nil
}

// line reads a line of the terminal; whoever stops there has kept what was answered.
func (n *newMapping) line() (string, error) {
	stopped := fmt.Errorf("stopped; what was answered is kept in %s: run the same command again", n.kept)
	if n.lines == nil {
		n.lines = typedLines(n.in)
	}
	select {
	case <-n.ctx.Done():
		return "", stopped
	case l := <-n.lines:
		if errors.Is(l.err, io.EOF) {
			return "", stopped
		}
		return strings.TrimSpace(l.text), l.err
	}
}

// typedLine is a line that somebody typed, or why there is none.
type typedLine struct {
	text string
	err  error
}

// typedLines reads lines as they come, until there are no more.
func typedLines(in io.Reader) <-chan typedLine {
	out := make(chan typedLine)
	go func() { // ends with the process: a read of a terminal cannot be broken off
		for r := bufio.NewReader(in); ; {
			text, err := r.ReadString('\n')
			if out <- (typedLine{text, err}); err != nil {
				return
			}
		}
	}()
	return out
}
