package main

import (
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"drpd/adapters/host"
	"drpd/adapters/ledger"
	"drpd/adapters/paper"
	"drpd/adapters/workbook"
	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/layout"
	"drpd/core/report"
	"drpd/core/workday"
	"drpd/testdata"
)

type demoCmd struct {
	Out string `help:"The folder to write." default:"drpd-demo" type:"path"`
}

const fewCollections = 400

const demoFile = ".drpd-demo"

// Run tells the story of a fictional council: it fills its record system and its mailbox day by day, and steps the same
// cycle that `run` uses. The same story gives the same output.
func (c *demoCmd) Run(a *app) error {
	defer debug.SetGCPercent(debug.SetGCPercent(fewCollections)) // three months in seconds: memory for time
	if err := c.folder(); err != nil {
		return err
	}
	s, err := loadStory(testdata.FS)
	if err != nil {
		return err
	}
	stage, err := openStage(a.ctx, c.Out, s)
	if err != nil {
		return err
	}
	defer func() { _ = stage.close() }()
	p, err := prepare(filepath.Join(c.Out, "drpd.yaml"))
	if err != nil {
		return err
	}
	clock := s.From.Midnight()
	logFile, err := os.OpenFile(filepath.Join(c.Out, "drpd.log"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = logFile.Close() }()
	d, err := wire(a.ctx, p, func() time.Time { return clock },
		slog.New(slog.NewJSONHandler(logFile, &slog.HandlerOptions{ReplaceAttr: untimed})))
	if err != nil {
		return err
	}
	defer func() { _ = d.close() }()
	if err := keepPolicies(a.ctx, d.ledger, d.Policies, clock); err != nil {
		return err
	}
	var total daemon.CycleStats
	cycles, stages := 0, make(map[string]bool)
	for today := s.From; today <= s.Until; today++ {
		if day := today.Weekday(); (day == time.Saturday || day == time.Sunday) && !s.eventful(today) {
			continue // drpd runs then too, and sends nothing
		}
		a.progress(int(today-s.From), int(s.Until-s.From), today.Long())
		for _, hour := range []int{9, 16} { // in the morning the day's limits, in the afternoon what has come
			clock = at(today, hour)
			if hour == 16 {
				if !s.eventful(today) {
					continue
				}
				if err := stage.play(a.ctx, d.ledger, today, clock); err != nil {
					return fmt.Errorf("%s: %w", today, err)
				}
			}
			cycles++
			r, err := d.Cycle(a.ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", today, err)
			}
			total.Polled += r.Polled
			total.Decided += r.Decided
			total.Sent += r.Sent
			total.Written += r.Written
			all, err := d.ledger.List(a.ctx)
			if err != nil {
				return err
			}
			for _, x := range all {
				stages[x.Ref[:1]+" "+x.Summary.Stage] = true
			}
		}
	}
	a.progress(1, 1, "")
	lead, err := c.quarter(a, d, s.Until)
	if err != nil {
		return err
	}
	return c.account(a, s, d.ledger, total, cycles, len(stages), lead)
}

// quarter writes the report of the last whole quarter, and gives what the overdue report of the last day says.
func (c *demoCmd) quarter(a *app, d *wired, until workday.Date) ([]string, error) {
	in, err := d.Report(a.ctx, report.Reader{Cleared: true}, 0)
	if err != nil {
		return nil, err
	}
	doc := report.Quarterly(in, (until.Quarter() - 1).Quarter())
	for ending, write := range map[string]func(io.Writer, layout.Doc) error{".xlsx": workbook.Write, ".docx": paper.Docx, ".pdf": paper.PDF} {
		data, err := written(write)(doc)
		if err != nil {
			return nil, err
		}
		if err := host.WriteFile(filepath.Join(c.Out, "reports", doc.Name+ending), data); err != nil {
			return nil, err
		}
	}
	return append(report.Overdue(in).Lead, doc.Lead...), nil
}

// progress draws how far a long command has come, on a terminal and nowhere else.
func (a *app) progress(done, of int, what string) {
	const wide = 30
	f, ok := a.err.(*os.File)
	if !ok {
		return
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return
	}
	if what == "" {
		_, _ = fmt.Fprintf(f, "\r%*s\r", 2*wide+10, "")
		return
	}
	n := done * wide / max(1, of)
	_, _ = fmt.Fprintf(f, "\r[%s%s] %-28s", strings.Repeat("#", n), strings.Repeat(".", wide-n), what)
}

// untimed leaves the machine's time out of the demo's log, so that the same story gives the same file.
func untimed(_ []string, at slog.Attr) slog.Attr {
	if at.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return at
}

func at(day workday.Date, hour int) time.Time {
	t := day.Midnight()
	return time.Date(t.Year(), t.Month(), t.Day(), hour, 30, 0, 0, london())
}

// folder makes the demo's folder anew; one that is not a demo's is left alone.
func (c *demoCmd) folder() error {
	entries, err := os.ReadDir(c.Out)
	if err == nil && len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(c.Out, demoFile)); err != nil {
			return fmt.Errorf("%s is there already and is not a demo's: name another folder with --out", c.Out)
		}
		if err := os.RemoveAll(c.Out); err != nil {
			return err
		}
	}
	for _, dir := range []string{"mail/in", "mail/out", "documents"} {
		if err := os.MkdirAll(filepath.Join(c.Out, dir), 0o700); err != nil {
			return err
		}
	}
	for _, name := range []string{"drpd.yaml", "roster.yaml"} {
		b, err := fs.ReadFile(testdata.FS, "demo/"+name)
		if err != nil {
			return err
		}
		if err := host.WriteFile(filepath.Join(c.Out, name), b); err != nil {
			return err
		}
	}
	return host.WriteFile(filepath.Join(c.Out, demoFile), nil)
}

// account ends the demo: what happened, and where to look.
func (c *demoCmd) account(a *app, s *story, l *ledger.Ledger, total daemon.CycleStats, cycles, stages int, lead []string) error {
	all, err := l.List(a.ctx)
	if err != nil {
		return err
	}
	effects, err := l.Effects(a.ctx, "")
	if err != nil {
		return err
	}
	open, overdue, corrections := 0, 0, 0
	example := ""
	procedures := make(map[string]bool)
	for _, d := range all {
		code, _, _ := strings.Cut(d.Ref, "-")
		procedures[code] = true
		if !d.Ended {
			open++
			if d.Summary.Passed > 0 {
				overdue++
			}
		}
	}
	notes, copies, reports, packs := 0, 0, 0, 0
	for _, e := range effects {
		switch {
		case e.Kind == drp.CaseNote && e.Life == drp.Accepted:
			notes++
		case e.Kind == drp.FormCopy && e.Life == drp.Accepted:
			copies++
		case e.Reason == drp.ReasonCorrection:
			corrections++
		case e.Reason == drp.ReasonReport:
			reports++
		case e.Reason == drp.ReasonPack && e.Life == drp.Accepted:
			packs++
		case e.Reason == drp.ReasonReferral:
			example = e.Dispute
		}
	}
	kept, err := l.Kept(a.ctx)
	if err != nil {
		return err
	}
	a.printf("Fairshire Council, which does not exist, from %s to %s, told in %d cycles.\n\n", s.From.Long(), s.Until.Long(), cycles)
	a.printf("%3d disputes under %d procedures; between them they were in %d stages\n", len(all), len(procedures), stages)
	a.printf("%3d open, %d of them overdue; whose turn it is stands in the list\n", open, overdue)
	a.printf("%3d emails went out, each with its reason, its date and the proof of the date (%d corrections)\n", total.Sent, corrections)
	a.printf("%3d case notes written back, %d copies of forms on children's files\n", notes, copies)
	a.printf("%3d messages kept in quarantine, %d waiting: drpd did not act on them and told a person\n", kept.Quarantined, kept.Waiting)
	a.printf("%3d reports went to service managers on Mondays; referrals to CAFCASS, on the IRO's word: %d\n\n", reports, packs)
	a.printf("What a service manager reads on the last day:\n")
	for _, l := range lead {
		a.printf("  %s\n", l)
	}
	a.printf("\n")
	for _, line := range [][2]string{
		{"the record system", "carefirst.db"}, {"mail that came", "mail/in"}, {"mail that went", "mail/out"}, {"forms on file", "documents"},
		{"reports", "reports"}, {"drpd's own state", "state.db"}, {"the log", "drpd.log"},
	} {
		a.printf("  %-18s %s\n", line[0], filepath.Join(c.Out, line[1]))
	}
	config := filepath.Join(c.Out, "drpd.yaml")
	a.printf("\nLook further (where drpd is not installed: go run ./cmd/drpd):\n  drpd --config %s list\n", config)
	if example != "" {
		a.printf("  drpd --config %s explain %s\n", config, example)
	}
	a.printf("  drpd --config %s quarantine list\n  drpd --config %s report overdue --cleared --out overdue.xlsx\n", config, config)
	return nil
}
