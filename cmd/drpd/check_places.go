package main

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"drpd/adapters/host"
	"drpd/cmd/drpd/config"
	"drpd/core/policy"
	"drpd/core/workday"
)

// files says which files and folders that are read are not there.
func (c *checkCmd) files(a *app, p *parts) (problems int, err error) {
	needs := []string{cmp.Or(p.config.Records.File, p.config.Records.DSNFile), p.config.Mailbox.Folder}
	if m := p.config.MovingTo; m != nil {
		needs = append(needs, cmp.Or(m.File, m.DSNFile), m.WriteDSNFile)
	}
	if m := p.config.Mailbox.IMAP; m != nil {
		needs = append(needs, m.Password, m.Roots)
		if m.OAuth != nil {
			needs = append(needs, m.OAuth.Secret, m.OAuth.Cert, m.OAuth.Roots)
		}
	}
	if m := p.config.Mailbox.Graph; m != nil {
		needs = append(needs, m.Roots, m.OAuth.Secret, m.OAuth.Cert, m.OAuth.Roots)
	}
	for _, path := range needs {
		if path == "" {
			continue
		}
		if _, err := os.Stat(p.config.Path(path)); err != nil {
			a.printf("%s: not there, or not readable by this account\n", path)
			problems++
		}
	}
	if err := private(p.config); err != nil {
		a.printf("%s\n", err)
		problems++
	}
	for _, x := range writtenTo(p.config) {
		if err := host.Writable(p.config.Path(x.folder)); err != nil {
			a.printf("%s: %s\n", x.key, err)
			problems++
		}
	}
	return problems, nil
}

// folderKey is a folder and the key that names it.
type folderKey struct{ key, folder string }

// writtenTo gives the folders into which drpd writes, by the keys that name them.
func writtenTo(c *config.Config) []folderKey {
	all := []folderKey{{"documents.folder", c.Documents.Folder}, {"reports.folder", c.Reports.Folder}, {"mail_out.folder", c.MailOut.Folder},
		{"records.worklist", c.Records.Worklist}, {"audit.witness", c.Audit.Witness}, {"state.key_file", filepath.Dir(c.State.Key)}}
	if c.State.File != "" {
		all = append(all, folderKey{"state.file", filepath.Dir(c.State.File)})
	}
	if c.MovingTo != nil {
		all = append(all, folderKey{"moving_to.worklist", c.MovingTo.Worklist})
	}
	if c.Watch.Heartbeat.File != "" {
		all = append(all, folderKey{"watch.heartbeat.file", filepath.Dir(c.Watch.Heartbeat.File)})
	}
	return slices.DeleteFunc(all, func(x folderKey) bool { return x.folder == "" })
}

// state opens drpd's state, where there is one, and writes to it what is there already.
func (c *checkCmd) state(a *app, p *parts) (problems int, err error) {
	err = withState(a, p, func(d *wired) error {
		if err := d.ledger.Writable(a.ctx); err != nil {
			a.printf("drpd's state cannot be written: is its disk full, and may its login still write? %v\n", err)
			problems++
		}
		why, err := d.ledger.Waits(a.ctx)
		if why != "" {
			a.printf("state: %s\n", why)
		}
		return err
	})
	return problems, err
}

// begins says where the first day on which anything may go is so far ahead that it is a slip of the pen.
func (c *checkCmd) begins(a *app, p *parts) (problems int, err error) {
	today := workday.DateOf(a.now().In(london()))
	if far := today.AddYears(1); p.config.GoLive > far {
		a.printf("go_live: nothing goes before %s, which is more than a year ahead: is the year right?\n", p.config.GoLive)
		problems++
	}
	return problems, nil
}

// unused says which of the authority's own policies no form type leads to: nothing would ever be held against one.
func (c *checkCmd) unused(a *app, p *parts) (problems int, err error) {
	if p.config.Policies == "" {
		return 0, nil // of the shipped ones a council uses some
	}
	all, err := policy.Load(policyFS(p.config))
	if err != nil {
		return 0, err
	}
	for _, x := range all {
		if !slices.ContainsFunc(p.policies, func(used *policy.Policy) bool { return used.ID == x.ID && used.Version == x.Version }) {
			a.printf("policy %s version %d: nothing leads to it, as no mapping and none of forms gives a form of the type %s\n", x.ID, x.Version,
				strings.Join(x.Forms, " or "))
			problems++
		}
	}
	return problems, nil
}
