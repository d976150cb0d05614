package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"drpd/core/policy"
	"drpd/core/reconcile/cases"
	"drpd/core/strict"
	"drpd/core/workday"
	"drpd/policies"
)

type policyCmd struct {
	List    policyListCmd    `cmd:"" help:"The procedures that are shipped."`
	Show    policyShowCmd    `cmd:"" help:"A procedure in plain English: who does what by when, with each reading marked."`
	Graph   policyGraphCmd   `cmd:"" help:"A procedure as a drawing, for Mermaid or Graphviz."`
	Diff    policyDiffCmd    `cmd:"" help:"What differs between two procedures, or two versions of one, in words."`
	Check   policyCheckCmd   `cmd:"" help:"Check a policy file: every problem at its line."`
	Test    policyTestCmd    `cmd:"" help:"Run the cases of the shipped policies, or of a folder, and prove each clause alive."`
	Schema  policySchemaCmd  `cmd:"" help:"The JSON Schema of the policy language, for editors."`
	Form    policyFormCmd    `cmd:"" help:"The blank dispute form of a procedure, as a Word file that people fill in and drpd reads."`
	Migrate policyMigrateCmd `cmd:"" help:"Move open disputes to another version of their procedure. Shows what would change; does it with --apply."`
}

type policyListCmd struct{}

// Run lists the shipped policies.
func (c *policyListCmd) Run(a *app) error {
	set, err := policy.Load(policies.FS)
	if err != nil {
		return err
	}
	for _, p := range set {
		a.printf("%-16s version %d, from %s: %s (%d stages, %d clauses)\n", p.ID, p.Version, p.Effective, p.Title, len(p.Stages), len(p.Clauses))
	}
	return nil
}

// readPolicy reads a shipped policy by its name, or a file, with overlays over it.
func readPolicy(name string, overlays []string) (*policy.Policy, error) {
	var src []byte
	var err error
	file := name
	if strings.ContainsAny(name, `./\`) {
		src, err = os.ReadFile(name)
	} else {
		file = name + "/policy.yaml"
		if src, err = fs.ReadFile(policies.FS, file); err != nil {
			shipped, _ := fs.Glob(policies.FS, "*/policy.yaml")
			for i := range shipped {
				shipped[i] = filepath.Dir(shipped[i])
			}
			err = fmt.Errorf("no shipped policy is called %q%s; a file of your own is a path, such as ./%s", name,
				strict.Suggest(name, shipped), file)
		}
	}
	if err != nil {
		return nil, err
	}
	over, err := readOverlays(overlays)
	if err != nil {
		return nil, err
	}
	return policy.Parse(file, src, over...)
}

func readOverlays(files []string) ([]strict.Overlay, error) {
	var out []strict.Overlay
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		out = append(out, strict.Overlay{Name: name, Src: src})
	}
	return out, nil
}

type policyShowCmd struct {
	Policy  string   `arg:"" help:"The name of a shipped procedure, or a file."`
	Overlay []string `help:"Overlays of the authority." type:"existingfile"`
}

// Run shows a policy.
func (c *policyShowCmd) Run(a *app) error {
	p, err := readPolicy(c.Policy, c.Overlay)
	if err != nil {
		return err
	}
	a.printf("%s", p.Show())
	return nil
}

type policyGraphCmd struct {
	Policy  string   `arg:"" help:"The name of a shipped procedure, or a file."`
	Format  string   `help:"mermaid or dot." enum:"mermaid,dot" default:"mermaid"`
	Overlay []string `help:"Overlays of the authority." type:"existingfile"`
}

// Run draws a policy.
func (c *policyGraphCmd) Run(a *app) error {
	p, err := readPolicy(c.Policy, c.Overlay)
	if err != nil {
		return err
	}
	if c.Format == "dot" {
		a.printf("%s", p.DOT())
	} else {
		a.printf("%s", p.Mermaid())
	}
	return nil
}

type policyDiffCmd struct {
	Old     string   `arg:"" help:"The name of a shipped procedure, or a file."`
	New     string   `arg:"" help:"The other; the same name with --overlay shows what the overlay changes."`
	Overlay []string `help:"Overlays of the authority, over the new one." type:"existingfile"`
}

// Run tells what differs.
func (c *policyDiffCmd) Run(a *app) error {
	old, err := readPolicy(c.Old, nil)
	if err != nil {
		return err
	}
	now, err := readPolicy(c.New, c.Overlay)
	if err != nil {
		return err
	}
	lines := policy.Diff(old, now)
	for _, line := range lines {
		a.printf("%s\n", line)
	}
	if len(lines) == 0 {
		a.printf("they say the same\n")
	}
	return nil
}

type policyCheckCmd struct {
	Files   []string `arg:"" type:"existingfile" name:"file"`
	Overlay []string `help:"Overlays of the authority." type:"existingfile"`
}

// Run checks files, and warns of what works and should not be forgotten.
func (c *policyCheckCmd) Run(a *app) error {
	var faults strict.Faults
	for _, file := range c.Files {
		if !strings.ContainsAny(file, `./\`) {
			file = "./" + file
		}
		p, err := readPolicy(file, c.Overlay)
		if bad, ok := err.(strict.Faults); ok { //nolint:errorlint // it is returned as it is
			faults = append(faults, bad...)
			continue
		}
		if err != nil {
			return err
		}
		a.printf("%s: %s version %d, no problem\n", file, p.ID, p.Version)
		for _, w := range p.Warnings(workday.DateOf(a.now().In(london()))) {
			a.printf("%s: warning: %s\n", file, w)
		}
	}
	return faults.Err()
}

type policySchemaCmd struct{}

// Run prints the schema.
func (c *policySchemaCmd) Run(a *app) error {
	a.printf("%s", policies.Schema)
	return nil
}

type policyTestCmd struct {
	Folder string `arg:"" optional:"" help:"The folder of a policy, with policy.yaml and cases.yaml, or a folder with such folders." type:"existingdir"`
}

// failing runs every case of a suite.
func failing(s *cases.Suite, cal *workday.Calendar) []string {
	var out []string
	for _, c := range s.Cases {
		out = append(out, s.Run(c, "", cal)...)
	}
	return out
}

// Run runs the cases, and says for each clause which case fails without it.
func (c *policyTestCmd) Run(a *app) error {
	cal, err := workday.EnglandAndWales()
	if err != nil {
		return err
	}
	fsys, err := c.fs()
	if err != nil {
		return err
	}
	set, err := policy.Load(fsys)
	if err != nil {
		return err
	}
	if len(set) == 0 {
		return fmt.Errorf("%s: no policy is there: name the folder of one, with policy.yaml and cases.yaml, or a folder of them", c.Folder)
	}
	var ids []string
	for _, p := range set {
		ids = append(ids, p.ID)
	}
	passed, failed := 0, 0
	for _, id := range slices.Compact(ids) {
		all, err := cases.Versions(fsys, id)
		if err != nil {
			return err
		}
		for _, s := range all {
			name := id
			if len(all) > 1 {
				name = fmt.Sprintf("%s version %d", id, s.Policy.Version)
			}
			good, bad := a.testPolicy(name, s, cal)
			passed, failed = passed+good, failed+bad
		}
	}
	a.printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		return errProblems
	}
	return nil
}

// testPolicy runs the cases of one version, and counts the clauses that they show, and what fails.
func (a *app) testPolicy(name string, s *cases.Suite, cal *workday.Calendar) (passed, failed int) {
	for _, wrong := range failing(s, cal) {
		a.printf("FAIL %s: %s\n", name, wrong)
		failed++
	}
	alive := s.Alive(cal)
	for _, clause := range s.Policy.Cited() {
		if len(alive[clause]) == 0 {
			a.printf("FAIL %s %-4s no case needs it\n", name, clause)
			failed++
			continue
		}
		passed++
		a.printf("pass %s %-4s %s\n", name, clause, strings.Join(alive[clause], "; "))
	}
	return passed, failed
}

// fs is where the policies are: those that are shipped, the folders of a folder, or one folder alone.
func (c *policyTestCmd) fs() (fs.FS, error) {
	if c.Folder == "" {
		return policies.FS, nil
	}
	path, err := filepath.Abs(c.Folder)
	if err != nil {
		return nil, err
	}
	if own, err := filepath.Glob(filepath.Join(globbed(path), "policy*.yaml")); err != nil || len(own) == 0 {
		return os.DirFS(path), err
	}
	return oneFolder{os.DirFS(filepath.Dir(path)), filepath.Base(path)}, nil
}

// globbed is a path as a pattern that matches it alone.
func globbed(path string) string {
	return strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]").Replace(path)
}

// oneFolder shows one of the folders of a file system, and passes over the others.
type oneFolder struct {
	fs.FS
	name string
}

// Glob gives what matches inside the folder.
func (f oneFolder) Glob(pattern string) ([]string, error) {
	all, err := fs.Glob(f.FS, pattern)
	return slices.DeleteFunc(all, func(name string) bool { return !strings.HasPrefix(name, f.name+"/") }), err
}
