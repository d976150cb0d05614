package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"drpd/adapters/host"
	"drpd/adapters/paper"
	"drpd/adapters/workbook"
	"drpd/core/layout"
	"drpd/core/report"
	"drpd/core/workday"
)

type reportCmd struct {
	Overdue   reportOverdueCmd   `cmd:"" help:"What is overdue, whose turn it is, what happens next."`
	Open      reportOpenCmd      `cmd:"" help:"All open disputes."`
	Quarterly reportQuarterlyCmd `cmd:"" help:"What a quarter showed, beside the four before."`
	Dispute   reportDisputeCmd   `cmd:"" help:"One dispute, from its beginning."`
}

// target is where a report goes that is asked for at the console, and whether its reader is cleared.
type target struct {
	Out     string `required:"" help:"The file to write: .xlsx, .docx, .pdf, .html, .csv or .json." type:"path"`
	Cleared bool   `help:"Restricted records too: only for a reader who may see them."`
}

// reader is who reads a report of many disputes.
type reader struct {
	target   `embed:""`
	Policies []string `help:"Only these procedures; the file's name then says so too."`
	Teams    []string `help:"Only these teams, of the child or of whose turn it is; the file's name then says so too."`
}

// input collects what the reader asks for; a procedure or team that does not exist is refused.
func (r *reader) input(a *app, d *wired, since workday.Date) (report.Input, error) {
	in, err := d.Report(a.ctx, report.Reader{Policies: r.Policies, Teams: r.Teams, Cleared: r.Cleared}, since)
	if err != nil {
		return in, err
	}
	if no := in.NoSuch(); len(no) > 0 {
		return in, fmt.Errorf("%s", strings.Join(no, "; "))
	}
	ending := filepath.Ext(r.Out)
	if base := strings.TrimSuffix(r.Out, ending); !strings.HasSuffix(base, in.Reader.FileSuffix()) {
		r.Out = base + in.Reader.FileSuffix() + ending
	}
	return in, nil
}

// write writes a report in the format that the file's ending names; part is what a table of one kind holds.
func (a *app) write(out string, doc layout.Doc, part int) error {
	var b bytes.Buffer
	var err error
	switch ending := strings.ToLower(filepath.Ext(out)); ending {
	case ".xlsx":
		err = workbook.Write(&b, doc)
	case ".json":
		err = layout.JSON(&b, doc)
	case ".csv":
		err = layout.CSV(&b, doc, part)
	case ".html":
		var page string
		page, err = layout.HTML(doc)
		b.WriteString(page)
	case ".docx":
		err = paper.Docx(&b, doc)
	case ".pdf":
		err = paper.PDF(&b, doc)
	default:
		return fmt.Errorf("--out %s: %q is no ending of a report: .xlsx, .docx, .pdf, .html, .csv or .json", out, ending)
	}
	if err != nil {
		return err
	}
	if info, err := os.Stat(filepath.Dir(out)); err != nil || !info.IsDir() {
		return fmt.Errorf("--out %s: there is no folder %s", out, filepath.Dir(out))
	}
	name, err := host.WriteNew(out, b.Bytes())
	if err != nil {
		return err
	}
	for _, first := range []string{doc.Warning, doc.Only} {
		if first != "" {
			a.printf("%s\n", first)
		}
	}
	for _, l := range doc.Lead {
		a.printf("%s\n", l)
	}
	a.printf("%s\n", name)
	return nil
}

type reportOverdueCmd struct {
	reader `embed:""`
	Since  string `help:"The day of the report before, for what has changed; left out: a week ago."`
}

// Run writes the overdue report.
func (c *reportOverdueCmd) Run(a *app) error {
	return a.withDaemon(func(d *wired) error {
		since := workday.DateOf(d.Now().In(london())).AddDays(-7)
		if c.Since != "" {
			var err error
			if since, err = workday.ParseDate(c.Since); err != nil {
				return fmt.Errorf("--since: %w", err)
			}
		}
		in, err := c.input(a, d, since)
		if err != nil {
			return err
		}
		return a.write(c.Out, report.Overdue(in), 1)
	})
}

type reportOpenCmd struct {
	reader `embed:""`
}

// Run writes the list of open disputes.
func (c *reportOpenCmd) Run(a *app) error {
	return a.withDaemon(func(d *wired) error {
		in, err := c.input(a, d, 0)
		if err != nil {
			return err
		}
		return a.write(c.Out, report.Open(in), 0)
	})
}

type reportQuarterlyCmd struct {
	reader  `embed:""`
	Quarter string `help:"A day of the quarter; left out: the quarter before this one."`
}

// Run writes the report of a quarter.
func (c *reportQuarterlyCmd) Run(a *app) error {
	return a.withDaemon(func(d *wired) error {
		day := workday.DateOf(d.Now().In(london())).Quarter() - 1
		if c.Quarter != "" {
			var err error
			if day, err = workday.ParseDate(c.Quarter); err != nil {
				return fmt.Errorf("--quarter: %w", err)
			}
		}
		in, err := c.input(a, d, 0)
		if err != nil {
			return err
		}
		return a.write(c.Out, report.Quarterly(in, day.Quarter()), 0)
	})
}

type reportDisputeCmd struct {
	target  `embed:""`
	Dispute string `arg:""`
}

// Run writes one dispute.
func (c *reportDisputeCmd) Run(a *app) error {
	return a.withDaemon(func(d *wired) error {
		in, err := d.Report(a.ctx, report.Reader{Cleared: c.Cleared}, 0)
		if err != nil {
			return err
		}
		doc, err := report.One(in, c.Dispute)
		if err != nil {
			return err
		}
		return a.write(c.Out, doc, 0)
	})
}
