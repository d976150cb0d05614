package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"drpd/adapters/host"
	"drpd/adapters/ledger"
	"drpd/adapters/mailer"
	"drpd/adapters/watch"
	"drpd/cmd/drpd/config"
	"drpd/core/alarm"
	"drpd/core/daemon"
	"drpd/core/port"
)

// monitor watches the work of a daemon from beside it: it goes on where a cycle hangs. What it knows is kept with each cycle, so that who
// takes over goes on from there.
type monitor struct {
	now       func() time.Time
	authority string
	log       *slog.Logger
	ways      []way
	beats     []way          // each gives a heartbeat
	metrics   *watch.Metrics // nil: nobody asks for any
	news      chan struct{}  // there is something to look at before a minute has passed
	telling   sync.Mutex     // one at a time

	mu    sync.Mutex
	board alarm.Board
	on    bool                                           // this process is the one that is to work, or nobody knows who is
	cut   bool                                           // it stood by, and cannot see any more who works
	keep  func(ctx context.Context, b alarm.Board) error // what is known, for whoever works on; nil: this process has not worked yet
	beat  bool                                           // a heartbeat is to be given
}

// way is one by which something is told.
type way struct {
	name  string
	check func() error // whether it could, as far as can be seen from here; nil: nothing is to be seen
	tell  func(ctx context.Context, m alarm.Message) error
}

// newMonitor makes the monitor of a process that has just started.
func newMonitor(a *app, c *config.Config, log *slog.Logger) (*monitor, error) {
	m := &monitor{now: a.now, authority: c.Authority, log: log, on: true, news: make(chan struct{}, 1)}
	m.board.Begin(a.now())
	if c.Watch.Listen != "" {
		m.metrics = watch.NewMetrics(version())
	}
	return m, errors.Join(m.alarms(c), m.heartbeats(c))
}

// alarms opens the ways by which an alarm goes.
func (m *monitor) alarms(c *config.Config) error {
	conf := c.Watch.Alarm
	if conf.Relay != nil {
		relay, err := openRelay(c, *conf.Relay, nil)
		if err != nil {
			return err
		}
		from := conf.From
		if from == "" {
			from = c.Mailbox.Address
		}
		m.ways = append(m.ways, way{"relay", nil, func(ctx context.Context, x alarm.Message) error {
			return relay.Note(ctx, from, conf.To, "drpd of "+m.authority+": "+subjects[x.State], x.Text(m.authority, london()), m.now())
		}})
	}
	if conf.URL != "" {
		hook, err := openHook(c, "the alarm", conf.URL, conf.Roots)
		if err != nil {
			return err
		}
		m.ways = append(m.ways, way{"url_file", hook.Check, func(ctx context.Context, x alarm.Message) error {
			said := watch.Said{Authority: m.authority, State: string(x.State), Text: x.Text(m.authority, london()), Faults: []watch.Fault{}}
			for _, f := range x.Faults {
				said.Faults = append(said.Faults, watch.Fault{What: f.What, Count: f.Count, Says: f.Says, Since: f.Since.UTC()})
			}
			return hook.Alarm(ctx, said)
		}})
	}
	if conf.SystemLog {
		m.ways = append(m.ways, way{"system_log", nil, func(_ context.Context, x alarm.Message) error {
			return host.SystemLog(x.Text(m.authority, london()))
		}})
	}
	return nil
}

// subjects are those of alarms.
var subjects = map[alarm.State]string{alarm.Raised: "its work cannot be proved", alarm.Lasts: "its work still cannot be proved",
	alarm.Over:  "all of its work is proved again",
	alarm.Trial: "a trial of its alarm"}

// heartbeats opens what shows that all is proved.
func (m *monitor) heartbeats(c *config.Config) error {
	conf := c.Watch.Heartbeat
	if conf.URL != "" {
		hook, err := openHook(c, "the heartbeat", conf.URL, conf.Roots)
		if err != nil {
			return err
		}
		m.beats = append(m.beats, way{"url_file", hook.Check, func(ctx context.Context, _ alarm.Message) error { return hook.Beat(ctx) }})
	}
	if conf.File != "" {
		path := c.Path(conf.File)
		m.beats = append(m.beats, way{"file", func() error { return folderOf(path) }, func(context.Context, alarm.Message) error {
			return host.WriteFile(path, []byte(m.now().UTC().Format(time.RFC3339)+"\n"))
		}})
	}
	return nil
}

// folderOf says whether the folder is there in which a file is to be written.
func folderOf(path string) error {
	info, err := os.Stat(filepath.Dir(path))
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is no folder", filepath.Dir(path))
	}
	return err
}

// openHook gives an address that is called.
func openHook(c *config.Config, what, file, ca string) (*watch.Hook, error) {
	pool, err := roots(c, ca)
	if err != nil {
		return nil, fmt.Errorf("watch, address of %s: %w", what, err)
	}
	return &watch.Hook{What: what, URL: password(c, file), Roots: pool}, nil
}

// openRelay gives a mail server; held says whether drpd may still send, nil: it may.
func openRelay(c *config.Config, r config.Relay, held func() error) (*mailer.Relay, error) {
	x := &mailer.Relay{Name: r.Name, Server: r.Server, StartTLS: r.TLS == "starttls", Hello: c.MailOut.Host, User: r.User,
		Password: password(c, r.Password), Receipts: r.Receipts, Held: held}
	var err, tokens error
	if r.OAuth != nil {
		x.Token, tokens = openTokens(c, r.OAuth, "")
	}
	x.Roots, err = roots(c, r.Roots)
	if err = cmp.Or(err, tokens); err != nil {
		return nil, fmt.Errorf("relay %s: %w", r.Name, err)
	}
	return x, nil
}

// start watches until it is told to stop.
func (m *monitor) start(a *app, listen string) (stop func()) {
	closing := func() {}
	if m.metrics != nil {
		if stopServing, err := m.metrics.Serve(a.ctx, listen); err == nil {
			closing = stopServing
		} else { // a deadline does not wait for whoever has the port
			m.log.Error("nobody can ask for figures or health", "error", err)
		}
	}
	after := time.After
	if a.after != nil {
		after = a.after
	}
	ctx, end := context.WithCancel(a.ctx)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-after(time.Minute):
			case <-m.news:
			}
			m.tick(ctx)
		}
	})
	return func() { end(); all.Wait(); closing() }
}

// look has it looked at what is due now: a process may end before a minute has passed, over and over.
func (m *monitor) look() {
	select {
	case m.news <- struct{}{}:
	default: // it is about to
	}
}

// tick tells what is due, and gives the heartbeat.
func (m *monitor) tick(ctx context.Context) {
	m.telling.Lock()
	defer m.telling.Unlock()
	m.mu.Lock()
	var x alarm.Message
	due := false
	if m.on {
		x, due = m.board.Due(m.now())
	}
	beat := m.on && m.beat && m.board.Well()
	m.beat = false
	m.mu.Unlock()
	if beat {
		m.tell(ctx, "heartbeat", m.beats, alarm.Message{})
	}
	if !due {
		return
	}
	says := x.Text(m.authority, london())
	if x.State == alarm.Over {
		m.log.Info("all is proved again", "alarm", says)
	} else {
		m.log.Error("drpd's work cannot be proved", "alarm", says)
	}
	if told := m.tell(ctx, "alarm", m.ways, x); told == 0 && len(m.ways) > 0 {
		return // it is tried again in a minute
	}
	m.mu.Lock()
	m.board.Tell(m.now(), x)
	board, keep := m.kept(), m.keep
	if !m.on || m.cut {
		keep = nil
	}
	m.mu.Unlock()
	if m.metrics != nil {
		m.metrics.Alarm(board.Raised)
	}
	if keep == nil {
		return
	}
	if err := keep(ctx, board); err != nil {
		m.log.Warn("it cannot be kept that somebody was told: after a restart they are told again", "error", err)
	}
}

// tell tells something by all of some ways at once, and says how many took it.
func (m *monitor) tell(ctx context.Context, what string, ways []way, x alarm.Message) (took int) {
	ctx, cancel := context.WithTimeout(ctx, 2*watch.CallTime)
	defer cancel()
	errs := make([]error, len(ways))
	var all sync.WaitGroup
	for i, w := range ways {
		all.Go(func() { errs[i] = w.tell(ctx, x) })
	}
	all.Wait()
	for i, err := range errs {
		if err != nil {
			m.log.Error("it cannot be given by this way", "what", what, "way", ways[i].name, "error", err)
			continue
		}
		took++
	}
	return took
}

// standBy is a process that does not work: another has the right to.
func (m *monitor) standBy() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.on, m.cut = false, false
	m.ready(errors.New("another drpd has the right to run"))
}

// cutOff is a process that cannot reach the ledger. Where it stood by until now, that is the first that it knows of.
func (m *monitor) cutOff(why error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.on && !m.cut {
		m.board = alarm.Board{}
		m.board.Begin(m.now())
	}
	m.on, m.cut = true, true
	m.board.BreakOff(m.now(), why.Error())
	m.ready(unready(m.board))
}

// takeUp is a process that begins to work, with what is known of the work before it.
func (m *monitor) takeUp(ctx context.Context, l *ledger.Ledger) error {
	text, err := l.Setting(ctx, port.LastCycle)
	var known lastCycle
	if err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &known)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keep = func(ctx context.Context, b alarm.Board) error { return keepBoard(ctx, l, b) }
	if m.on, m.cut = true, false; err != nil || text == "" {
		return err
	}
	m.board = known.Board
	m.board.Begin(m.now())
	known.Board = m.kept() // how often drpd has been started since a cycle ended
	m.look()
	return mark(ctx, l, known)
}

// ended is a cycle that ended, whole or not. It gives what is to be kept.
func (m *monitor) ended(did daemon.CycleStats, broke error) alarm.Board {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.on = true
	if broke != nil {
		m.board.BreakOff(m.now(), broke.Error())
	} else {
		m.board.End(m.now(), did.Lacks)
		m.beat = m.board.Well()
	}
	m.ready(unready(m.board))
	m.look()
	return m.kept()
}

// stopped is a process that was told to stop.
func (m *monitor) stopped() alarm.Board {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.board.Stop()
	return m.kept()
}

// kept is a copy of the board that nobody else changes.
func (m *monitor) kept() alarm.Board {
	b := m.board
	b.Faults = slices.Clone(b.Faults)
	return b
}

func (m *monitor) ready(why error) {
	if m.metrics != nil {
		m.metrics.Ready(why)
	}
}

// unready says what cannot be proved, or nothing.
func unready(b alarm.Board) error {
	if b.Well() {
		return nil
	}
	var errs []error
	for _, f := range b.Faults {
		errs = append(errs, errors.New(f.Says))
	}
	return errors.Join(errs...)
}

// measure takes over what a cycle did into the figures that are asked for.
func (m *monitor) measure(ctx context.Context, l *ledger.Ledger, read []string, did daemon.CycleStats, began time.Time, broke error) error {
	if m.metrics == nil {
		return nil
	}
	now := m.now()
	c := watch.Cycle{Took: now.Sub(began), Ended: now, Whole: broke == nil, Polled: did.Polled, Placed: did.Placed, Quarantined: did.Quarantined,
		Decided: did.Decided, Sent: did.Sent, Written: did.Written, Unsent: did.Failed, Lacks: map[string]int{}, Read: map[string]time.Time{},
		Held: map[string]int{}}
	for _, x := range did.Lacks {
		c.Lacks[x.What] = x.Count
	}
	var errs []error
	see := func(err error) { errs = append(errs, err) }
	health, err := l.Sources(ctx)
	see(err)
	for _, h := range health {
		if !slices.Contains(read, h.Name) {
			continue
		}
		c.Read[h.Name] = time.UnixMilli(h.ReadAt)
	}
	lives, err := l.Lives(ctx)
	see(err)
	for _, x := range lives {
		if x.HeldBy != "" {
			c.Held[x.HeldBy] += x.Count
		}
	}
	kept, err := l.Kept(ctx)
	see(err)
	c.Waiting = kept.Quarantined + kept.Waiting
	questions, err := l.Conflicts(ctx)
	see(err)
	c.Questions = len(questions)
	c.Open, err = l.OpenDisputes(ctx)
	see(err)
	m.metrics.Cycle(c)
	return errors.Join(errs...)
}

// version is which drpd this is, as it was built.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	settings := make(map[string]string)
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	v := info.Main.Version
	if revision := settings["vcs.revision"]; v == "" || v == "(devel)" {
		if v = "built here"; revision != "" {
			v = revision
		}
	}
	if settings["vcs.modified"] == "true" {
		v += ", changed"
	}
	return v
}

// levelOf is a level of the log by its name.
func levelOf(name string) (l slog.Level) {
	_ = l.UnmarshalText([]byte(name)) // the configuration was checked
	return l
}

// logTo is where the daemon's log goes.
func logTo(a *app, c *config.Config) *slog.Logger {
	return slog.New(slog.NewJSONHandler(a.err, &slog.HandlerOptions{Level: levelOf(c.Watch.Level)}))
}

// says is the first line of a log: what runs, under which configuration.
func (p *parts) says(log *slog.Logger) {
	machine, _ := os.Hostname()
	policies := make([]string, len(p.policies))
	for i, x := range p.policies {
		policies[i] = fmt.Sprintf("%s version %d", x.ID, x.Version)
	}
	log.Info("drpd starts", "version", version(), "configuration", p.inputs, "authority", p.config.Authority, "machine", machine,
		"process", os.Getpid(), "policies", policies)
}
