package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"drpd/adapters/ledger"
	"drpd/cmd/drpd/config"
	"drpd/core/drp"
	"drpd/core/letter"
	"drpd/core/policy"
	"drpd/core/strict"
	"drpd/core/workday"
	"drpd/mapping"
	"drpd/policies"
)

// london is the zone of every authority that the procedures are for.
func london() *time.Location {
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		panic("the zone data is compiled in: " + err.Error())
	}
	return zone
}

// parts is all that a configuration names, read and checked, before anything is opened.
type parts struct {
	config   *config.Config
	policies policy.Set
	mapping  mapping.Set
	former   []recordSystem
	next     *recordSystem // to which the council is to move; nil: to none, or it has
	moves    string        // what the ledger says of moves, as it was taken over
	taken    bool          // that was done
	file     string        // the configuration's
	roster   drp.Roster
	calendar *workday.Calendar
	writer   *letter.Writer
	inputs   string
}

// prepare reads everything that the configuration names. All faults come together.
func prepare(name string) (*parts, error) {
	c, err := config.Load(name)
	if err != nil {
		return nil, err
	}
	p := &parts{config: c, file: name}
	var errs []error
	keep := func(err error) { errs = append(errs, err) }
	over, err := overlays(c)
	keep(err)
	p.policies, err = policy.Load(policyFS(c), over...)
	keep(err)
	keep(p.load())
	for _, f := range c.Forms {
		fsys, file := shippedOr(c, "forms", f)
		form, err := mapping.LoadForm(fsys, file)
		keep(err)
		p.mapping.Forms = append(p.mapping.Forms, form)
	}
	p.mapping.Mailbox = c.Mailbox.Address
	if errors.Join(errs...) == nil {
		keep(p.systems())
	}
	if errors.Join(errs...) == nil {
		p.policies, err = p.policies.Using(p.formTypes())
		keep(err)
	}
	if errors.Join(errs...) == nil {
		p.roster, err = config.LoadRoster(c.Path(c.Roster), p.policies, p.titled())
		keep(err)
	}
	if errors.Join(errs...) == nil {
		keep(p.reports())
	}
	var own []workday.Holiday
	for _, h := range c.Calendar.Holidays {
		own = append(own, workday.Holiday{On: h.On, Name: h.Name})
	}
	p.calendar, err = workday.EnglandAndWales(own...)
	keep(err)
	var templates fs.FS
	if c.Templates != "" {
		templates = os.DirFS(c.Path(c.Templates))
	}
	if p.policies != nil { // a folder of templates is named as one of them
		p.writer, err = letter.NewWriter(c.Authority, templates, p.policies)
		keep(err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	p.writer.Mailbox = c.Mailbox.Address
	p.inputs, err = p.digest()
	return p, err
}

// systems sees that one system holds the forms and one says who works with a child: where another is named for that, it alone does. So it is
// to be after a move, too.
func (p *parts) systems() error {
	err := p.system("records", p.config.Records, p.mapping.System)
	if p.next != nil {
		err = errors.Join(err, p.system("moving_to", p.next.Records, p.next.mapping))
		if a, b := p.config.Records.Worklist, p.next.Worklist; a != "" && b != "" && a != b {
			err = errors.Join(err, fmt.Errorf("configuration: moving_to.worklist is %s, and records.worklist %s: name one folder for both, so that "+
				"what is keyed in from the old one's is read", b, a))
		}
	}
	if err == nil && len(p.former) == 0 {
		unnumbered(p.mapping.System)
		if p.next == nil {
			unnumbered(p.mapping.People)
		}
	}
	return err
}

// unnumbered leaves out the number that a child had in a system before: no dispute goes by it.
func unnumbered(s *mapping.System) {
	if s != nil && s.Person != nil {
		s.Person.Formerly = ""
	}
}

func (p *parts) system(key string, c config.Records, s *mapping.System) error {
	people := p.mapping.People
	switch {
	case !s.HasForms():
		return fmt.Errorf("configuration: mapping %s reads no forms: name it under people, and another under %s", s.Name, key)
	case s.Notes.Way == mapping.WayWorklist && c.Worklist == "":
		return fmt.Errorf("configuration: mapping %s has its case notes keyed in by a person: say %s.worklist, the folder for "+
			"the worklists", s.Name, key)
	case s.Notes.Way != mapping.WayWorklist && c.Worklist != "":
		return fmt.Errorf("configuration: %s.worklist is given, but mapping %s writes case notes by way %s: leave it out, or say way: "+
			"worklist in the mapping", key, s.Name, s.Notes.Way)
	case people == nil && !s.HasPeople():
		return fmt.Errorf("configuration: mapping %s does not say who works with a child: name a system that does under people", s.Name)
	case people != nil && people.HasForms():
		return fmt.Errorf("configuration: mappings %s and %s both hold forms: name one under records, and the other under former if the "+
			"council has moved", s.Name, people.Name)
	case people != nil:
		s.People = mapping.PeopleTable{} // the word of the source that is named for it counts
	}
	return nil
}

// reports checks that the reports name roles and procedures that exist, and that somebody may see restricted records.
func (p *parts) reports() error {
	var errs []error
	bad := func(path []any, format string, args ...any) {
		at := append([]any{p.config.Where(append([]any{"reports", "overdue"}, path...)...)}, args...)
		errs = append(errs, fmt.Errorf("%s: "+format, at...))
	}
	var known []string
	for _, x := range p.policies {
		known = append(known, x.ID)
	}
	for i, o := range p.config.Reports.Overdue {
		if !slices.ContainsFunc(p.roster, func(h drp.Holder) bool { return h.Role == o.To }) {
			bad([]any{i, "to"}, "report %q goes to the role %q, which nobody of the roster holds", o.Name, o.To)
		}
		for j, id := range o.Policies {
			if !slices.Contains(known, id) {
				bad([]any{i, "policies", j}, "report %q is about the procedure %q: no such procedure%s", o.Name, id, strict.Suggest(id, slices.Compact(slices.Clone(known))))
			}
		}
	}
	cleared := func(h drp.Holder) bool {
		return h.Cleared && slices.ContainsFunc(p.config.Reports.Overdue, func(o config.Overdue) bool { return o.To == h.Role })
	}
	if p.mapping.Person() != nil && len(p.config.Reports.Overdue) > 0 && !slices.ContainsFunc(p.roster, cleared) {
		bad(nil, "nobody who gets a report is cleared to see restricted records: they would be seen by no one; add cleared: true to a holder "+
			"in the roster")
	}
	return errors.Join(errs...)
}

func policyFS(c *config.Config) fs.FS {
	if c.Policies == "" {
		return policies.FS
	}
	return os.DirFS(c.Path(c.Policies))
}

// overlays reads the authority's overlays, a file each.
func overlays(c *config.Config) ([]strict.Overlay, error) {
	if c.Overlays == "" {
		return nil, nil
	}
	folder := c.Path(c.Overlays)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("overlays: %w", err)
	}
	var files []string
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".yaml" {
			files = append(files, filepath.Join(folder, e.Name()))
		}
	}
	return readOverlays(files)
}

// keepPolicies keeps the texts of the policies in the ledger, so that a dispute keeps the one it started under also when
// the file, or an overlay, is changed.
func keepPolicies(ctx context.Context, l *ledger.Ledger, set policy.Set, now time.Time) error {
	for _, p := range set {
		if p.Kept {
			continue
		}
		if err := l.KeepPolicy(ctx, ledger.KeptPolicy{Digest: p.Digest, Name: p.ID, Text: string(p.Text)}, now); err != nil {
			return fmt.Errorf("policy %s: %w", p.ID, err)
		}
	}
	return nil
}

// recall adds the policies that were kept and are no longer loaded.
func (p *parts) recall(ctx context.Context, l *ledger.Ledger) error {
	kept, err := l.KeptPolicies(ctx)
	if err != nil {
		return err
	}
	disputes, err := l.List(ctx)
	if err != nil {
		return err
	}
	for _, k := range kept {
		if p.policies.ByDigest(k.Digest) != nil {
			continue
		}
		old, err := policy.ParseKept(k.Name+"/policy.yaml as it was kept", []byte(k.Text))
		used := slices.ContainsFunc(disputes, func(d ledger.Listed) bool { return !d.Closed && d.Policy == k.Digest })
		switch {
		case err != nil && used:
			return fmt.Errorf("a policy under which open disputes started can no longer be read: %w", err)
		case err != nil:
			continue
		}
		p.policies = p.policies.WithKept(old)
	}
	return nil
}

// shippedOr finds a mapping: a name is one that comes with drpd, a path is a file of the authority.
func shippedOr(c *config.Config, folder, name string) (fs.FS, string) {
	if !strings.ContainsAny(name, `./\`) {
		return mapping.Shipped, folder + "/" + name + ".yaml"
	}
	path := c.Path(name)
	return os.DirFS(filepath.Dir(path)), filepath.Base(path)
}

// digest changes when an input of the decisions does: configuration, roster, mapping, calendar. Policies are not in it:
// a dispute keeps its own.
func (p *parts) digest() (string, error) {
	h := sha256.New()
	for _, file := range []string{p.file, p.config.Path(p.config.Roster)} {
		b, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		_, _ = h.Write(b)
	}
	// by its values: the same mapping has the same digest in every process
	system, err := json.Marshal([]*mapping.System{p.mapping.System, p.mapping.People})
	if err != nil {
		return "", err
	}
	_, _ = fmt.Fprintf(h, "%s %s", p.calendar.Digest(), system)
	return hex.EncodeToString(h.Sum(nil))[:12], nil
}
