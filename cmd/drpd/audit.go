package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/mod/sumdb/note"

	"drpd/adapters/ledger"
	"drpd/core/audit"
)

type auditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"Check the history: its chain, and against its anchors, here or on another machine."`
	Export auditExportCmd `cmd:"" help:"Write the history into a file, with which another machine can verify it."`
	Key    auditKeyCmd    `cmd:"" help:"The public key with which anchors are verified. Give it to whoever verifies, once, by a way of its own."`
}

type auditKeyCmd struct{}

// Run prints the public key.
func (c *auditKeyCmd) Run(a *app) error {
	return a.withLedger(func(p *parts, l *ledger.Ledger) error {
		key, err := audit.VerifierKey(historyName(p.config), l.AnchorKey())
		if err == nil {
			a.printf("%s\n", key)
		}
		return err
	})
}

type auditExportCmd struct {
	Out string `required:"" help:"The file to write: there must be none of this name." type:"path"`
}

// Run writes the history, a line an entry.
func (c *auditExportCmd) Run(a *app) error {
	return a.withLedger(func(_ *parts, l *ledger.Ledger) error {
		n := 0
		err := writeNew(c.Out, func(w io.Writer) error {
			to := bufio.NewWriter(w)
			err := l.Audit(a.ctx, func(e audit.Entry) {
				n++
				_ = audit.WriteEntry(to, e) // Flush says what went wrong
			})
			if errors.As(err, new(audit.BrokenError)) { // it is written as it is: who verifies it finds that too
				a.printf("%v\n", err)
				err = nil
			}
			return errors.Join(err, to.Flush())
		})
		if err == nil {
			a.printf("%d entries are in %s\n", n, c.Out)
		}
		return err
	})
}

type auditVerifyCmd struct {
	Anchors []string `help:"A file that holds anchors, or a folder of such files: the anchor.txt of a report, the report's email as it was saved, a copied text, what a witness has. Say it again for each further one." sep:"none" type:"path" placeholder:"FILE"`
	Log     string   `help:"On another machine: the history as drpd audit export wrote it. Neither configuration nor secret is needed." type:"existingfile" placeholder:"FILE"`
	Key     []string `help:"With --log: the public key that drpd audit key prints. Say it again for one of before." sep:"none" placeholder:"KEY"`
	Accept  []int64  `help:"The number of an entry that tells of a copy of the state that was put back, once you know who did that and why. What was anchored between the copy and then is gone, and is a problem until it is accepted." name:"accept-restore" placeholder:"N"`
	JSON    bool     `name:"json"`
}

// Validate sees that what belongs together is given together.
func (c *auditVerifyCmd) Validate() error {
	switch {
	case c.Log != "" && (len(c.Key) == 0 || len(c.Anchors) == 0):
		return errors.New("--log wants --key, the public key, and --anchors: against what is it to be verified?")
	case c.Log == "" && len(c.Key) > 0:
		return errors.New("--key goes with --log: on the machine of drpd the key file says which it is")
	}
	return nil
}

// verified is what audit verify has found.
type verified struct {
	Chain string `json:"chain"` // whole, broken, or "not looked at", which wants the secret
	audit.Result
}

// Run verifies the history.
func (c *auditVerifyCmd) Run(a *app) error {
	v := verified{Chain: "not looked at"}
	check := &audit.Check{Zone: london(), Exported: c.Log != "", Accepted: c.Accept}
	var err error
	if c.Log != "" {
		err = c.exported(check, &v)
	} else {
		err = a.withLedger(func(p *parts, l *ledger.Ledger) error { return c.own(a, p, l, check, &v) })
	}
	if err != nil {
		return err
	}
	result := check.End()
	if c.Log != "" && result.Anchors == 0 {
		v.Wrong = append(v.Wrong, "nothing is proved: no anchor was found that holds, in what --anchors names")
	}
	result.Wrong, result.Remarks = append(v.Wrong, result.Wrong...), append(result.Remarks, v.Remarks...)
	v.Result = result
	if c.JSON {
		err = a.json(v)
	} else {
		v.print(a)
	}
	if err == nil && len(v.Wrong) > 0 {
		err = errProblems
	}
	return err
}

// exported verifies a log against the anchors that are given.
func (c *auditVerifyCmd) exported(check *audit.Check, v *verified) error {
	var keys []note.Verifier
	for _, text := range c.Key {
		key, err := note.NewVerifier(text)
		if err != nil {
			return fmt.Errorf("--key: %q is no public key, as drpd audit key prints it", text)
		}
		keys = append(keys, key)
	}
	if err := c.take(check, v, note.VerifierList(keys...)); err != nil {
		return err
	}
	f, err := os.Open(c.Log)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was read only
	var broken error
	chain := audit.Chain{}
	err = audit.ReadLog(f, func(e audit.Entry) {
		broken = chain.Next(e)
		check.Next(e)
	})
	if err = errors.Join(err, broken); err != nil {
		v.Wrong = append(v.Wrong, err.Error())
	}
	return nil
}

// own verifies the ledger with its secret, and against the anchors beside the key and those that are given.
func (c *auditVerifyCmd) own(a *app, p *parts, l *ledger.Ledger, check *audit.Check, v *verified) error {
	beside, own := anchorsFile(p.config), audit.Own(l.AnchorKey())
	found, err := readAnchors(beside, own)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	n, err := l.Anchored(a.ctx)
	if err != nil {
		return err
	}
	if n > 0 && len(found.Anchors) == 0 {
		v.Wrong = append(v.Wrong, fmt.Sprintf("%d entries were anchored, and %s holds no anchor: it was taken away", n, beside))
	}
	v.found(beside, found)
	check.Add(found.Anchors...)
	if err := c.take(check, v, own); err != nil {
		return err
	}
	v.Chain = "whole"
	err = l.Audit(a.ctx, check.Next)
	if errors.As(err, new(audit.BrokenError)) {
		v.Chain, v.Wrong = "broken", append(v.Wrong, err.Error())
		err = nil
	}
	return err
}

// take reads the files of anchors that were given.
func (c *auditVerifyCmd) take(check *audit.Check, v *verified, keys note.Verifiers) error {
	for _, given := range c.Anchors {
		names, err := filesOf(given)
		if err != nil {
			return fmt.Errorf("--anchors: %w", err)
		}
		for _, name := range names {
			found, err := readAnchors(name, keys)
			if err != nil {
				return fmt.Errorf("--anchors: %w", err)
			}
			if len(found.Anchors)+len(found.Foreign)+found.Forged+found.Torn == 0 {
				v.Wrong = append(v.Wrong, name+" holds no anchor")
			}
			v.found(name, found)
			check.Add(found.Anchors...)
		}
	}
	return nil
}

// found says what else a file holds than anchors that can be used.
func (v *verified) found(name string, found audit.Found) {
	name = filepath.Base(name)
	for _, key := range found.Foreign {
		v.Wrong = append(v.Wrong, fmt.Sprintf("%s holds an anchor that the key %s signed, which is another one: it is of another history, or of another key "+
			"file, and nothing was held against it", name, key))
	}
	if found.Forged > 0 {
		v.Wrong = append(v.Wrong, fmt.Sprintf("anchors in %s that were changed after they were signed: %d", name, found.Forged))
	}
	if found.Torn > 0 {
		v.Remarks = append(v.Remarks, fmt.Sprintf("anchors in %s that were not written to their end, and say nothing: %d", name, found.Torn))
	}
}

// print says it in words.
func (v *verified) print(a *app) {
	when := func(t time.Time) string { return t.In(london()).Format("2 January 2006, 15:04:05") }
	if a.printf("%d entries", v.Entries); v.Entries > 0 {
		a.printf(", from %s until %s", when(v.From), when(v.Until))
	}
	switch v.Chain {
	case "whole":
		a.printf("; the chain is whole")
	case "broken":
		a.printf("; the chain is broken")
	}
	a.printf("\n")
	if v.Result.Anchors > 0 {
		a.printf("%d anchors hold: the first of %s (%d entries), the last of %s (%d entries)\n", v.Result.Anchors, when(v.First.At), v.First.Entries,
			when(v.Last.At), v.Last.Entries)
	} else {
		a.printf("no anchor was held against it\n")
	}
	if v.After > 0 {
		a.printf("%d entries come after the last anchor that holds: they rest on nothing yet\n", v.After)
	}
	for _, r := range v.Remarks {
		a.printf("%s\n", r)
	}
	for _, w := range v.Wrong {
		a.printf("%s\n", w)
	}
	if n := len(v.Wrong); n > 0 {
		a.printf("problems: %d\n", n)
	}
}
