// Command drpd runs beside a council's record system and holds its dispute resolution process to its deadlines.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"os/user"
	"syscall"
	"time"
	"unicode"

	"github.com/alecthomas/kong"

	"drpd/adapters/host"
	"drpd/core/strict"
)

// cli is every command. Exit 0: well. 1: problems found. 2: misuse. 78: run cannot work by its configuration.
type cli struct {
	Config string `help:"The configuration file." default:"drpd.yaml" type:"path"`

	Demo       demoCmd       `cmd:"" help:"A fictional council, two months in seconds, everything on disk to look at."`
	Run        runCmd        `cmd:"" help:"Run the daemon."`
	Check      checkCmd      `cmd:"" help:"Check configuration, mappings, policies, roster and calendar: every problem at its line."`
	Explain    explainCmd    `cmd:"" help:"Why a dispute stands where it stands."`
	List       listCmd       `cmd:"" help:"Open disputes with their next action and whose turn it is."`
	Report     reportCmd     `cmd:"" help:"What is overdue, what is open, what a quarter showed, one dispute: as a workbook, a page, a table."`
	Referral   referralCmd   `cmd:"" help:"Referrals to CAFCASS: put together, look at, confirm."`
	Status     statusCmd     `cmd:"" help:"How the sources are, and what waits or is held."`
	Fact       factCmd       `cmd:"" help:"Say what neither the record system nor the mailbox holds."`
	Configure  configCmd     `cmd:"" name:"config" help:"What the configuration and the roster may hold: for people, and for editors."`
	Policy     policyCmd     `cmd:"" help:"The procedures."`
	Mapping    mappingCmd    `cmd:"" help:"How the record system is read."`
	Move       moveCmd       `cmd:"" help:"Move to another record system: look first, begin, go back, close."`
	Calendar   calendarCmd   `cmd:"" help:"Working days."`
	State      stateCmd      `cmd:"" help:"drpd's own state: copies of it, and whether it is whole."`
	Clock      clockCmd      `cmd:"" help:"The day by which drpd works."`
	Pause      pauseCmd      `cmd:"" help:"Stop all output; drpd goes on deciding."`
	Reload     reloadCmd     `cmd:"" help:"Have the daemon take over configuration, roster, policies and mappings anew."`
	Resume     resumeCmd     `cmd:"" help:"Let output go again."`
	Hold       holdCmd       `cmd:"" help:"What is held because it would be more than usual."`
	Conflict   conflictCmd   `cmd:"" help:"Questions that only a person can settle."`
	Quarantine quarantineCmd `cmd:"" help:"Messages that were kept and not acted on."`
	Absence    absenceCmd    `cmd:"" help:"Who is not reached by email."`
	Outbox     outboxCmd     `cmd:"" help:"What went out, and what is to go."`
	Subject    subjectCmd    `cmd:"" help:"What is held about a child: give it out, erase it, keep it."`
	Audit      auditCmd      `cmd:"" help:"The chain of drpd's own history."`
	Service    serviceCmd    `cmd:"" help:"drpd as a service of this machine."`
	ReadForm   readFormCmd   `cmd:"" hidden:""`
}

// app is what every command gets.
type app struct {
	ctx    context.Context
	in     io.Reader // a terminal, on which somebody can be asked; nil: nobody can
	out    io.Writer
	err    io.Writer
	config string
	now    func() time.Time
	after  func(time.Duration) <-chan time.Time // by the clock of now; nil: that is the machine's
	wall   func() time.Time                     // the machine's clock, where now runs faster; nil: now is the machine's
	hup    <-chan os.Signal                     // asks for a reload; nil: the signal SIGHUP does, but for one at a terminal
	unit   *unit                                // the service manager that has started drpd; nil: none has
	lease  time.Duration                        // how long the right to run lasts without being renewed; 0: two minutes
	poll   time.Duration                        // in which a source must answer; 0: as the configuration says
}

// misconfigured is why drpd run cannot work until a person has mended what is configured: a service manager need not try again.
type misconfigured struct{ error }

// Unwrap gives what is wrong.
func (m misconfigured) Unwrap() error { return m.error }

// errProblems ends a command that found problems and has printed them.
var errProblems = errors.New("problems found")

func main() {
	switches()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	a := &app{ctx: ctx, out: os.Stdout, err: os.Stderr, now: time.Now}
	if isTerminal(os.Stdin) && isTerminal(os.Stdout) {
		a.in = os.Stdin
	}
	code, served, err := host.Serve("drpd", func(ctx context.Context, hup <-chan os.Signal) int {
		a.ctx, a.hup = ctx, hup
		return realMain(a, os.Args[1:])
	})
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "drpd: the service manager:", err)
	}
	if !served {
		code = realMain(a, os.Args[1:])
	}
	stop()
	os.Exit(code)
}

func realMain(a *app, args []string) int {
	var c cli
	const misuse, problems, configuration = 2, 1, 78
	exit := -1
	k, err := kong.New(&c, kong.Name("drpd"), kong.Description("Holds a council's dispute resolution process to its deadlines."),
		kong.UsageOnError(), kong.Writers(a.out, a.err), kong.Exit(func(code int) { exit = code }))
	if err != nil {
		_, _ = fmt.Fprintln(a.err, "drpd:", err)
		return misuse
	}
	ctx, err := k.Parse(args)
	if exit >= 0 {
		return exit
	}
	if err != nil {
		_, _ = fmt.Fprintln(a.err, "drpd:", err)
		return misuse
	}
	a.config = c.Config
	said := &output{to: a.out, screen: isScreen(a.out)}
	a.out = said
	err = ctx.Run(a)
	if said.err != nil && (err == nil || errors.Is(err, errProblems)) { // what was found has not been said
		err = said.err
	}
	if err != nil {
		var faults strict.Faults
		switch {
		case errors.Is(err, errProblems):
		case errors.As(err, &faults), errors.Is(err, context.Canceled):
			_, _ = fmt.Fprintln(a.err, err)
		default:
			_, _ = fmt.Fprintln(a.err, "drpd:", err)
		}
		if bad := (misconfigured{}); errors.As(err, &bad) {
			return configuration
		}
		return problems
	}
	return 0
}

// output remembers that something could not be written: on a full disk a list that was cut off must not look like a whole one. On a
// screen nothing that somebody wrote in a message acts on the terminal.
type output struct {
	to     io.Writer
	screen bool
	err    error
}

func (o *output) Write(b []byte) (int, error) {
	said := b
	if o.screen {
		said = harmless(b)
	}
	if _, err := o.to.Write(said); err != nil {
		if o.err == nil {
			o.err = fmt.Errorf("not all of the output could be written: %w", err)
		}
		return 0, err
	}
	return len(b), nil
}

// harmless is text with a dot for each character that would control a terminal, but for the ends of lines and tabs.
func harmless(b []byte) []byte {
	return bytes.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r':
			return -1
		case unicode.IsControl(r):
			return '·'
		}
		return r
	}, b)
}

// isScreen says whether what is written to goes to a terminal.
func isScreen(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && info.Mode()&os.ModeDevice != 0
}

// isTerminal says whether somebody may sit there.
func isTerminal(f *os.File) bool {
	null, err := os.Stat(os.DevNull)
	info, err2 := f.Stat()
	return err == nil && err2 == nil && isScreen(f) && !os.SameFile(null, info)
}

func (a *app) printf(format string, args ...any) { _, _ = fmt.Fprintf(a.out, format, args...) }

// account is the account of the operating system that a command runs under.
func account() string {
	u, err := user.Current()
	switch {
	case err == nil:
		return u.Username
	case os.Getuid() >= 0: // it has no name here, as in a container
		return fmt.Sprintf("account %d", os.Getuid())
	}
	return "unknown account"
}
