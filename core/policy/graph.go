package policy

import (
	"fmt"
	"strings"
)

// edge is a way from one stage to another, or to the end ("").
type edge struct{ from, to, label string }

// start and end stand for what is no stage.
const (
	graphStart = "start"
	graphEnd   = "ended"
)

// edges lists the ways through a policy, in the order of its stages.
func (p *Policy) edges() []edge {
	s := &shower{p: p}
	out := []edge{{graphStart, p.Stages[0].ID, "raised"}}
	for _, x := range p.Start {
		out = append(out, edge{graphStart, x.At, s.holds(&x.If)})
	}
	if r := p.Recurrence; r != nil {
		out = append(out, edge{graphStart, r.Start, "raised before"})
	}
	for _, st := range p.Stages {
		if st.Opens != nil {
			out = append(out, edge{st.ID, st.Opens.Stage, "same day"})
		}
		for i, e := range st.Expiry {
			if i > 0 && sameExit(st.Expiry[i-1], e) {
				continue
			}
			when := exitNames[e.When]
			if i+1 < len(st.Expiry) && sameExit(e, st.Expiry[i+1]) {
				when = "not resolved"
			}
			label := when + map[string]string{Escalate: "", Prompt: ", asked", TakeEffect: ", by default"}[e.Do]
			if e.To == "" && e.Do != TakeEffect {
				continue
			}
			to := e.To
			if e.Do == TakeEffect {
				to = graphEnd
			}
			out = append(out, edge{st.ID, to, label})
			for _, other := range e.Or {
				out = append(out, edge{st.ID, other, label + ", or"})
			}
		}
		for _, m := range st.Moves {
			out = append(out, edge{st.ID, m.To, Spaced(string(m.On))})
		}
		ends := st.Ends
		if len(ends) == 0 {
			ends = p.Ends
		}
		if st.Opens == nil {
			out = append(out, edge{st.ID, graphEnd, Spaced(string(ends[0].Fact))})
		}
	}
	return out
}

// Mermaid draws the policy as a Mermaid flow chart.
func (p *Policy) Mermaid() string {
	var b strings.Builder
	b.WriteString("flowchart TD\n    " + node(graphStart) + "((raised))\n")
	for _, s := range p.Stages {
		fmt.Fprintf(&b, "    %s[\"%s<br/>%s\"]\n", node(s.ID), plain(s.Title), plain((&shower{p: p, bare: true}).limit(&s)))
	}
	b.WriteString("    " + node(graphEnd) + "((ended))\n")
	for _, e := range p.edges() {
		fmt.Fprintf(&b, "    %s -- \"%s\" --> %s\n", node(e.from), plain(e.label), node(e.to))
	}
	return b.String()
}

// DOT draws the policy for Graphviz.
func (p *Policy) DOT() string {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %q {\n    node [shape=box, fontname=\"sans-serif\"]; edge [fontname=\"sans-serif\", fontsize=10];\n"+
		"    %s [shape=circle, label=\"raised\"];\n    %s [shape=doublecircle, label=\"ended\"];\n", p.ID, graphStart, graphEnd)
	for _, s := range p.Stages {
		fmt.Fprintf(&b, "    %q [label=\"%s\\n%s\"];\n", s.ID, plain(s.Title), plain((&shower{p: p, bare: true}).limit(&s)))
	}
	for _, e := range p.edges() {
		fmt.Fprintf(&b, "    %q -> %q [label=\"%s\"];\n", e.from, e.to, plain(e.label))
	}
	b.WriteString("}\n")
	return b.String()
}

// node makes an id that Mermaid takes for one: "end" is a word of its own there.
func node(id string) string { return "n_" + strings.ReplaceAll(id, "-", "_") }

func plain(s string) string { return strings.NewReplacer(`"`, "'", "\n", " ").Replace(s) }
