package daemon

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"drpd/core/drp"
)

// numbers are the numbers that children have in one record system after another. Nil where a council has had one system alone.
type numbers struct {
	before, after map[string]string   // of a number the child's one in the system before, and in the one after
	has           map[string][]string // the systems that have a child under a number
	says          map[string][]numbered
}

// numbered is what a system says of a child that has a number of its own there: the child's number in another system.
type numbered struct{ system, own, other string }

func newNumbers() *numbers {
	return &numbers{before: make(map[string]string), after: make(map[string]string), has: make(map[string][]string),
		says: make(map[string][]numbered)}
}

// add adds what evidence of a system says of numbers.
func (n *numbers) add(system string, r drp.Reading) {
	if n == nil {
		return
	}
	for _, number := range slices.Sorted(maps.Keys(r.Formerly)) {
		was := r.Formerly[number]
		own, other := number, was
		if !slices.Contains(r.Subject.Children, number) { // the council has gone back from that system
			own, other = was, number
		}
		n.pair(number, was, numbered{system, own, other})
	}
	if r.Evidence.Kind != drp.Row || !knows(r) { // people write a number as they know it, of whichever system
		return
	}
	for _, c := range r.Subject.Children {
		if !slices.Contains(n.has[c], system) {
			n.has[c] = append(n.has[c], system)
		}
	}
}

// knows says whether a row is of a child that its system has. A system is asked for every number that drpd knows, and gives a row without
// anything in it for one that is another system's.
func knows(r drp.Reading) bool {
	return r.Child == nil || len(r.Holders)+len(r.Formerly) > 0 || !r.Child.Initials.Empty() || r.Child.Team != ""
}

func (n *numbers) pair(number, was string, says numbered) {
	if number == was {
		return
	}
	n.before[number] = was
	if after := n.after[was]; after == "" || number < after {
		n.after[was] = number
	}
	if !slices.Contains(n.says[says.own], says) {
		n.says[says.own] = append(n.says[says.own], says)
	}
}

// some takes over what another one knows of a number.
func (n *numbers) some(of *numbers, number string) {
	for _, own := range []string{number, of.before[number], of.after[number]} {
		for _, s := range of.says[own] {
			if was := of.before[s.own]; was == s.other {
				n.pair(s.own, s.other, s)
			} else {
				n.pair(s.other, s.own, s)
			}
		}
		for _, system := range of.has[own] {
			if own != "" && !slices.Contains(n.has[own], system) {
				n.has[own] = append(n.has[own], system)
			}
		}
	}
}

// line gives all numbers of a child, that in the system of today last.
func (n *numbers) line(child string) []string {
	out := []string{child}
	if n == nil {
		return out
	}
	for was := n.before[child]; was != "" && !slices.Contains(out, was); was = n.before[was] {
		out = slices.Insert(out, 0, was)
	}
	for now := n.after[child]; now != "" && !slices.Contains(out, now); now = n.after[now] {
		out = append(out, now)
	}
	return out
}

// now gives the number of a child in the record system of today.
func (n *numbers) now(child string) string { return n.line(child)[len(n.line(child))-1] }

func (n *numbers) allNow(children []string) []string {
	out := make([]string, len(children))
	for i, c := range children {
		out[i] = n.now(c)
	}
	return out
}

// among gives the number under which a dispute knows a child, of those of its children.
func (n *numbers) among(child string, children []string) string {
	if slices.Contains(children, child) {
		return child
	}
	for _, c := range n.line(child) {
		if slices.Contains(children, c) {
			return c
		}
	}
	return child
}

func (n *numbers) allAmong(own, children []string) (out []string) {
	for _, c := range own {
		if c = n.among(c, children); !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// every gives the children under all numbers that they have and had.
func (n *numbers) every(children []string) (out []string) {
	for _, c := range children {
		out = append(out, n.line(c)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// clash says which of these numbers is one child's in one system and another's in another; "" where none is. Of such a number nobody can tell
// whose it is.
func (n *numbers) clash(children []string) string {
	if n == nil {
		return ""
	}
	for _, c := range children {
		for i, s := range n.says[c] {
			for _, system := range n.has[c] {
				if system != s.system {
					return fmt.Sprintf("the number %s is one child's in %s and another's in %s", c, s.system, system)
				}
			}
			if i > 0 && s.other != n.says[c][0].other {
				return fmt.Sprintf("the number %s is of two children: one had %s before, and one %s", c, n.says[c][0].other, s.other)
			}
		}
	}
	return ""
}

// numbers gives what is known of these children's numbers, through all systems: by what is in the ledger, and by what came with it.
func (d *Daemon) numbers(ctx context.Context, children []string, also *numbers) (*numbers, error) {
	if !d.moved() {
		return nil, nil
	}
	out, asked := newNumbers(), []string(nil)
	for next := children; len(next) > 0; {
		people, err := d.Placing.People(ctx, next)
		if err != nil {
			return nil, err
		}
		for _, ev := range people {
			r, err := d.read(ctx, ev)
			if err != nil {
				return nil, err
			}
			out.add(ev.Source, r)
		}
		for _, c := range next {
			if also != nil {
				out.some(also, c)
			}
		}
		asked = append(asked, next...)
		next = slices.DeleteFunc(out.every(children), func(c string) bool { return slices.Contains(asked, c) })
	}
	return out, nil
}

// Every gives children under all numbers that they have in the systems of the council, one after another.
func (d *Daemon) Every(ctx context.Context, children []string) ([]string, error) {
	n, err := d.numbers(ctx, children, nil)
	if err != nil {
		return nil, err
	}
	return n.every(children), nil
}

// FoundIn says under which number a system has a child that drpd knows by another, whether it names somebody who works with the child, and why
// nobody can tell whose number that is; no number where it has none. systems are those that say it.
func (d *Daemon) FoundIn(ctx context.Context, systems []string, child string) (number string, held bool, clash string, err error) {
	n, err := d.numbers(ctx, []string{child}, nil)
	if err != nil {
		return "", false, "", err
	}
	line := n.line(child)
	people, err := d.Placing.People(ctx, line)
	if err != nil {
		return "", false, "", err
	}
	for _, ev := range people {
		if !slices.Contains(systems, ev.Source) {
			continue
		}
		r, err := d.read(ctx, ev)
		if err != nil {
			return "", false, "", err
		}
		for _, own := range r.Subject.Children {
			if slices.Contains(line, own) && knows(r) {
				number, held = own, held || len(r.Holders) > 0
			}
		}
	}
	return number, held, n.clash(line), nil
}
