package strict

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Overlay is a file that changes another before it is read: an authority's own settings over a shipped file.
//
//	overlay: NAME            # the file that it changes, by its own name
//	version: 2               # only that version of it; left out: every version
//	authority: WHOSE
//	changes:
//	  - {set: PATH, to: VALUE, because: REASON}      # put a value in the place of another, or where there was none
//	  - {add: PATH, to: VALUE, because: REASON}      # one more item at the end of a list
//	  - {remove: PATH, because: REASON}
//
// A path is keys with dots between them. An item of a list is called by its id, its role, its clause or another of its
// values, or by several as key=value,key=value where one alone fits more than one item.
type Overlay struct {
	Name string
	Src  []byte
}

type overlayFile struct {
	Overlay   string   `yaml:"overlay"`
	Version   int      `yaml:"version"`
	Authority string   `yaml:"authority"`
	Changes   []change `yaml:"changes"`
}

type change struct {
	Set     string `yaml:"set"`
	Add     string `yaml:"add"`
	Remove  string `yaml:"remove"`
	To      any    `yaml:"to"`
	Because string `yaml:"because"`
}

// Overlays says which file an overlay changes, and which version of it (0: every one); faults of its form come when it
// is merged.
func (o Overlay) Overlays() (name string, version int) {
	var in overlayFile
	_ = Load(o.Name, o.Src, &in)
	return in.Overlay, in.Version
}

// Err says what is wrong with the overlay's own form, before it is merged with anything.
func (o Overlay) Err() error {
	var in overlayFile
	f := Load(o.Name, o.Src, &in)
	if f.root != nil && in.Overlay == "" {
		f.Fault([]any{"overlay"}, "it does not say what it changes: overlay: with the name of a policy")
	}
	return f.Err()
}

// merge applies an overlay to the file, all changes in order. Its faults cite its own lines.
func (f *File) merge(o Overlay, keep []string) {
	var in overlayFile
	src := Load(o.Name, o.Src, &in)
	if src.root == nil || len(src.faults) > 0 {
		f.faults = append(f.faults, src.faults...)
		return
	}
	for i, c := range in.Changes {
		at := []any{"changes", i}
		ops := slices.DeleteFunc([]string{c.Set, c.Add, c.Remove}, func(s string) bool { return s == "" })
		node := child(child(child(src.root, "changes"), i), "to")
		switch {
		case len(ops) != 1:
			src.Fault(at, "a change is one of set:, add: or remove:")
		case c.Because == "":
			src.Fault(at, "a change needs its reason: because:")
		case c.Remove == "" && node == nil:
			src.Fault(at, "say what it is to be: to:")
		case c.Remove != "" && slices.Contains(keep, strings.Split(c.Remove, ".")[0]):
			src.Fault(at, "%q may not be removed: it is what the source says", c.Remove)
		default:
			if err := f.apply(c, node, o.Name); err != nil {
				src.Fault(at, "%v", err)
				continue
			}
			f.changes = append(f.changes, describe(c))
		}
	}
	f.faults = append(f.faults, src.faults...)
}

func describe(c change) string {
	switch {
	case c.Set != "":
		return fmt.Sprintf("%s is set to %v: %s", c.Set, c.To, c.Because)
	case c.Add != "":
		return fmt.Sprintf("to %s is added %v: %s", c.Add, c.To, c.Because)
	}
	return c.Remove + " is removed: " + c.Because
}

func (f *File) apply(c change, value *yaml.Node, file string) error {
	path := strings.Split(c.Set+c.Add+c.Remove, ".")
	last := path[len(path)-1]
	parent, err := find(f.root, path[:len(path)-1])
	if err != nil {
		return err
	}
	f.own(value, file)
	switch {
	case c.Add != "":
		list, err := find(parent, path[len(path)-1:])
		if err != nil && parent.Kind == yaml.MappingNode { // a list that the file leaves out
			list = &yaml.Node{Kind: yaml.SequenceNode, Line: value.Line, Column: value.Column}
			put(parent, last, list)
			f.own(list, file)
			err = nil
		}
		if err != nil {
			return err
		}
		if list.Kind != yaml.SequenceNode {
			return fmt.Errorf("%s is no list: write set:", c.Add)
		}
		list.Content = append(list.Content, value)
	case parent.Kind == yaml.SequenceNode:
		i, err := item(parent, last)
		if err != nil {
			return err
		}
		if c.Remove != "" {
			parent.Content = slices.Delete(parent.Content, i, i+1)
			return nil
		}
		parent.Content[i] = value
	case c.Remove != "":
		for i := 0; i+1 < len(parent.Content); i += 2 {
			if parent.Content[i].Value == last {
				parent.Content = slices.Delete(parent.Content, i, i+2)
				return nil
			}
		}
		return missing(parent, last)
	default:
		put(parent, last, value)
	}
	return nil
}

// own remembers that a value stands in another file.
func (f *File) own(n *yaml.Node, file string) {
	if n == nil {
		return
	}
	if f.elsewhere == nil {
		f.elsewhere = make(map[*yaml.Node]string)
	}
	f.elsewhere[n] = file
	for _, c := range n.Content {
		f.own(c, file)
	}
}

func put(parent *yaml.Node, key string, value *yaml.Node) {
	for i := 0; i+1 < len(parent.Content); i += 2 {
		if parent.Content[i].Value == key {
			parent.Content[i+1] = value
			return
		}
	}
	parent.Content = append(parent.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key, Line: value.Line,
		Column: value.Column}, value)
}

func find(n *yaml.Node, path []string) (*yaml.Node, error) {
	for _, step := range path {
		if n.Kind == yaml.SequenceNode {
			i, err := item(n, step)
			if err != nil {
				return nil, err
			}
			n = n.Content[i]
			continue
		}
		next := child(n, step)
		if next == nil {
			return nil, missing(n, step)
		}
		n = next
	}
	return n, nil
}

func missing(n *yaml.Node, step string) error {
	var keys []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		keys = append(keys, n.Content[i].Value)
	}
	return fmt.Errorf("no such key %q%s", step, Suggest(step, keys))
}

// names are the keys by whose values an item of a list can be called.
var names = []string{"id", "role", "field", "fact", "expect", "when", "on", "what", "clause"}

// item finds the one item of a list that a step calls.
func item(n *yaml.Node, step string) (int, error) {
	found, known := -1, []string(nil)
	for i, c := range n.Content {
		fits := c.Kind == yaml.ScalarNode && c.Value == step
		for _, key := range names {
			if v := child(c, key); v != nil {
				known = append(known, v.Value)
				fits = fits || v.Value == step
			}
		}
		if strings.Contains(step, "=") {
			fits = true
			for _, part := range strings.Split(step, ",") {
				key, want, _ := strings.Cut(part, "=")
				v := child(c, key)
				fits = fits && v != nil && v.Value == want
			}
		}
		switch {
		case fits && found >= 0:
			return 0, fmt.Errorf("%q fits more than one item: write key=value,key=value, such as clause=X1,when=no-answer", step)
		case fits:
			found = i
		}
	}
	if found < 0 {
		slices.Sort(known)
		return 0, fmt.Errorf("no item of the list is called %q%s", step, Suggest(step, slices.Compact(known)))
	}
	return found, nil
}
