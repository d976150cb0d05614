package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"drpd/adapters/watch"
	"drpd/cmd/drpd/config"
	"drpd/core/alarm"
	"drpd/core/daemon"
	"drpd/core/port"
	"drpd/core/workday"
)

// hearing is a server that takes alarms at /alarm and heartbeats at /beat, as others run them.
type hearing struct {
	*httptest.Server
	now func() time.Time

	mu    sync.Mutex
	said  []watch.Said
	at    []time.Time // when each was said
	beats []time.Time
	heard chan struct{} // of each call
}

func hear(t *testing.T, now func() time.Time) *hearing {
	t.Helper()
	h := &hearing{now: now, heard: make(chan struct{}, 10000)}
	h.Server = httptest.NewTLSServer(h)
	t.Cleanup(h.Close)
	return h
}

func (h *hearing) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.URL.Path == "/beat" {
		h.beats = append(h.beats, h.now())
	} else {
		var s watch.Said
		if json.NewDecoder(r.Body).Decode(&s) == nil {
			h.said, h.at = append(h.said, s), append(h.at, h.now())
		}
	}
	h.heard <- struct{}{}
}

// states gives what was said until now, and how many heartbeats were given.
func (h *hearing) states() (said string, beats int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []string
	for _, s := range h.said {
		all = append(all, s.State)
	}
	return strings.Join(all, " "), len(h.beats)
}

// watchedBy gives the part of a configuration by which drpd speaks to it.
func (h *hearing) watchedBy(t *testing.T, dir string) string {
	t.Helper()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Certificate().Raw})
	for name, data := range map[string]string{"hearing.pem": string(ca), "alarm.url": h.URL + "/alarm", "beat.url": h.URL + "/beat"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return "watch: {alarm: {url_file: alarm.url, ca_file: hearing.pem}, heartbeat: {url_file: beat.url, ca_file: hearing.pem, file: beat}}\n"
}

// TestWatched: the daemon gives a heartbeat while all goes well. Once its mailbox is gone it gives none, tells somebody within half an
// hour of its clock, and again when it is over; status says the same.
func TestWatched(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "d")
	setStage(t, dir)
	first := at(workday.NewDate(2026, time.November, 19), 10)
	var once bytes.Buffer // what has come until then takes its time, which the fast clock must not count
	if code := realMain(&app{ctx: t.Context(), out: &once, err: &once, now: func() time.Time { return first }},
		[]string{"--config", filepath.Join(dir, "drpd.yaml"), "run", "--once"}); code != 0 {
		t.Fatal(once.String())
	}
	const pace = 240 // a minute lasts a quarter of a second
	began := time.Now()
	now := func() time.Time { return first.Add(time.Duration(float64(time.Since(began)) * pace)) }
	h := hear(t, now)
	config := filepath.Join(dir, "drpd.yaml")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, append(text, h.watchedBy(t, dir)...), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var log, said bytes.Buffer
	a := &app{ctx: ctx, out: io.Discard, err: &log, now: now, wall: time.Now,
		after: func(d time.Duration) <-chan time.Time { return time.After(max(d/pace, time.Millisecond)) }}
	ended := make(chan int, 1)
	go func() { ended <- realMain(a, []string{"--config", config, "run"}) }()
	until := func(what string, true func(said string, beats int) bool) (beats int) {
		t.Helper()
		late := time.After(time.Minute)
		for {
			said, beats := h.states()
			if true(said, beats) {
				return beats
			}
			select {
			case <-h.heard:
			case code := <-ended:
				t.Fatalf("%s: drpd ended with %d: %s", what, code, log.String())
			case <-late:
				t.Fatalf("%s: it does not come: %q, %d heartbeats: %s", what, said, beats, log.String())
			}
		}
	}
	beats := until("two heartbeats", func(said string, beats int) bool { return said == "" && beats > 1 })
	box := filepath.Join(dir, "mail", "in")
	if err := os.Rename(box, box+".gone"); err != nil {
		t.Fatal(err)
	}
	gone := now()
	given := until("an alarm", func(said string, _ int) bool { return said == "alarm" })
	if given > beats+2 { // one that was on its way, and one of a cycle that had read the mailbox already
		t.Errorf("%d heartbeats were given while a source could not be read", given-beats)
	}
	if late := h.at[0].Sub(gone); late < alarm.Grace-15*time.Minute || late > 30*time.Minute {
		t.Errorf("somebody is told after %s", late)
	}
	if x := h.said[0]; len(x.Faults) != 1 || x.Faults[0].What != "source/mailbox" || !strings.Contains(x.Text, "drpd of Fairshire") {
		t.Errorf("%+v", x)
	}
	code := realMain(&app{ctx: t.Context(), out: &said, err: &said, now: now}, []string{"--config", config, "status"})
	if code != 1 || !strings.Contains(said.String(), "the source mailbox cannot be read") {
		t.Errorf("status: exit %d: %s", code, said.String())
	}
	if err := os.Rename(box+".gone", box); err != nil {
		t.Fatal(err)
	}
	until("the word that it is over, and heartbeats", func(said string, beats int) bool { return said == "alarm over" && beats > given+1 })
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("exit %d: %s", code, log.String())
	}
	for _, want := range []string{`"msg":"drpd starts","version":"`, `"configuration":"`, `"msg":"drpd stops"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %s", want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "beat")); err != nil {
		t.Error(err)
	}
	said.Reset()
	code = realMain(&app{ctx: t.Context(), out: &said, err: &said, now: now}, []string{"--config", config, "status"})
	if code != 1 || !strings.Contains(said.String(), "drpd was told to stop after") {
		t.Errorf("status: exit %d: %s", code, said.String())
	}
}

// TestMonitor: a way that fails is tried again each minute until one takes the alarm; a stand-by tells nobody and gives no heartbeat; a
// cycle that hangs is told of, and what is known of the work before goes on.
func TestMonitor(t *testing.T) {
	type told struct {
		fails int // how often it still fails
		said  []alarm.State
	}
	open := func() (*monitor, *told, *int) {
		var x told
		beats := 0
		m := &monitor{now: time.Now, log: slog.New(slog.DiscardHandler), authority: "Fairshire", on: true,
			news: make(chan struct{}, 1)}
		m.ways = []way{{"one", nil, func(_ context.Context, a alarm.Message) error {
			if x.fails > 0 {
				x.fails--
				return errors.New("nobody is there")
			}
			x.said = append(x.said, a.State)
			return nil
		}}}
		m.beats = []way{{"beat", nil, func(context.Context, alarm.Message) error { beats++; return nil }}}
		m.board.Begin(time.Now())
		return m, &x, &beats
	}
	synctest.Test(t, func(t *testing.T) {
		m, x, beats := open()
		x.fails = 3
		stop := m.start(&app{ctx: t.Context()}, "")
		m.ended(daemon.CycleStats{}, nil)
		time.Sleep(alarm.Grace + time.Minute/2) // no cycle ends after it
		if len(x.said) > 0 || *beats != 1 {
			t.Errorf("too early: %v, %d heartbeats", x.said, *beats)
		}
		time.Sleep(3 * time.Minute)
		if len(x.said) != 1 || x.said[0] != alarm.Raised {
			t.Errorf("a way that failed three times: %v", x.said)
		}
		m.standBy()
		time.Sleep(48 * time.Hour)
		if len(x.said) != 1 || *beats != 1 {
			t.Errorf("a stand-by: %v, %d heartbeats", x.said, *beats)
		}
		m.ended(daemon.CycleStats{}, nil)
		time.Sleep(2 * time.Minute)
		if len(x.said) != 2 || x.said[1] != alarm.Over || *beats != 2 {
			t.Errorf("it works again: %v, %d heartbeats", x.said, *beats)
		}
		m.ended(daemon.CycleStats{Lacks: []port.Lack{{What: "outbox/email", Count: 1, Says: "1 email"}}}, nil)
		time.Sleep(2 * time.Minute)
		if *beats != 2 {
			t.Error("a heartbeat is given though not all is proved")
		}
		stop()
	})
	synctest.Test(t, func(t *testing.T) {
		m, x, _ := open()
		stop := m.start(&app{ctx: t.Context()}, "")
		m.ended(daemon.CycleStats{}, nil)
		m.standBy()
		time.Sleep(48 * time.Hour)
		m.cutOff(errors.New("the ledger cannot be reached")) // for a moment
		time.Sleep(alarm.Grace / 2)
		m.standBy()
		time.Sleep(48 * time.Hour)
		if len(x.said) != 0 {
			t.Errorf("a stand-by that could not see the ledger for a moment: %v", x.said)
		}
		for range 2 * int(alarm.Grace/time.Minute) {
			m.cutOff(errors.New("the ledger cannot be reached"))
			time.Sleep(time.Minute)
		}
		if len(x.said) != 1 || x.said[0] != alarm.Raised {
			t.Errorf("a stand-by that cannot see the ledger: %v", x.said)
		}
		stop()
	})
}

// TestStartedOverAndOver: what ends before its first cycle has ended is told of, though each process knows of one start alone and is dead
// before a minute has passed.
func TestStartedOverAndOver(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "d")
	setStage(t, dir)
	c := openCouncil(t, dir)
	defer func() { _ = c.close() }()
	now := at(workday.NewDate(2026, time.November, 19), 10)
	var said []alarm.State
	start := func() *monitor {
		m := &monitor{now: func() time.Time { return now }, log: slog.New(slog.DiscardHandler), on: true, news: make(chan struct{}, 1)}
		m.ways = []way{{"one", nil, func(_ context.Context, a alarm.Message) error { said = append(said, a.State); return nil }}}
		m.board.Begin(now)
		return m
	}
	a := &app{ctx: t.Context(), now: func() time.Time { return now }}
	if err := a.keepCycle(c.ledger, 5, now, start().ended(daemon.CycleStats{}, nil), nil); err != nil {
		t.Fatal(err)
	}
	for range 7 {
		now = now.Add(4 * time.Minute)
		m := start()
		if err := m.takeUp(t.Context(), c.ledger); err != nil {
			t.Fatal(err)
		}
		<-m.news
		m.tick(t.Context())
	}
	if len(said) != 1 || said[0] != alarm.Raised {
		t.Errorf("%v", said)
	}
}

// TestWatchConfig: each fault of the part is said at its line, with what would be right.
func TestWatchConfig(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "d")
	setStage(t, dir)
	path := filepath.Join(dir, "drpd.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for part, want := range map[string]string{
		"watch: {listen: \"0.0.0.0:9464\"}":                                                          "is no address of this machine alone",
		"watch: {log_level: loud}":                                                                   "is no level: debug, info, warn or error",
		"watch: {alarm: {to: [duty@example.org]}}":                                                   "give relay and to, or neither",
		"watch: {alarm: {url_file: \"https://hooks.example.org/x\"}}":                                "put it into a file that nobody else can read",
		"watch: {heartbeat: {url_file: \"https://beat.example.org/x\"}}":                             "put it into a file that nobody else can read",
		"watch: {alarm: {relay: {name: second, server: nowhere, tls: starttls}, to: [a@b.example]}}": "write it as host:587",
	} {
		if err := os.WriteFile(path, []byte(string(text)+part+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := config.Load(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "drpd.yaml:") {
			t.Errorf("%s: %v, want %q", part, err, want)
		}
	}
}

// TestCheckWatched: check says what of the alarm, the heartbeat and the witness cannot work, before it is needed; and a trial arrives.
func TestCheckWatched(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "d")
	setStage(t, dir)
	h := hear(t, time.Now)
	path := filepath.Join(dir, "drpd.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	works := h.watchedBy(t, dir)
	says := func(part string, args ...string) (int, string) {
		t.Helper()
		if err := os.WriteFile(path, append(bytes.Clone(text), part...), 0o600); err != nil {
			t.Fatal(err)
		}
		var o bytes.Buffer
		now := at(workday.NewDate(2026, time.November, 19), 10)
		code := realMain(&app{ctx: t.Context(), out: &o, err: &o, now: func() time.Time { return now }},
			append([]string{"--config", path, "check"}, args...))
		return code, o.String()
	}
	if code, said := says(works, "--alarm"); code != 0 || !strings.Contains(said, "a trial alarm went by watch.alarm.url_file") {
		t.Errorf("exit %d: %s", code, said)
	}
	if states, beats := h.states(); states != "trial" || beats != 0 {
		t.Errorf("%q, %d heartbeats", states, beats)
	}
	if err := os.WriteFile(filepath.Join(dir, "clear.url"), []byte("http://secret.example/"), 0o600); err != nil {
		t.Fatal(err)
	}
	for part, want := range map[string]string{
		"watch: {alarm: {url_file: nowhere.url}}":           "watch.alarm.url_file: address of the alarm: ",
		"watch: {alarm: {url_file: clear.url}}":             "its file does not hold an address that begins with https://",
		"watch: {heartbeat: {file: nowhere/beat}}":          "watch.heartbeat.file: stat ",
		"watch: {heartbeat: {url_file: nowhere.url}}":       "watch.heartbeat.url_file: address of the heartbeat: ",
		"watch: {alarm: {url_file: alarm.url, ca_file: x}}": "ca_file",
		"audit: {witness: nowhere}":                         "audit.witness: stat ",
		"audit: {url_file: nowhere.url}":                    "audit.url_file: address of the witness: ",
	} {
		if code, said := says(part); code != 1 || !strings.Contains(said, want) || strings.Contains(said, "secret") {
			t.Errorf("%s: exit %d, want %q: %s", part, code, want, said)
		}
	}
	if code, said := says("watch: {alarm: {system_log: false}}", "--alarm"); code != 1 || !strings.Contains(said, "watch.alarm names no way") {
		t.Errorf("exit %d: %s", code, said)
	}
}
