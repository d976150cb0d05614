//go:build linux

package main

import (
	"bytes"
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"drpd/core/workday"
)

// watched is a log at which something happens once, at a word.
type watched struct {
	mu   sync.Mutex
	said bytes.Buffer
	at   map[string]func()
}

func (w *watched) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said.Write(b)
	for word, do := range w.at {
		if strings.Contains(w.said.String(), word) {
			delete(w.at, word)
			do()
		}
	}
	return len(b), nil
}

// drpd is started and its database is not there yet: it waits for it, and works. With --once it says so and ends.
func TestStartsBeforeItsDatabase(t *testing.T) {
	t.Parallel()
	dsn, err := url.Parse(postgresDB(t, "late"))
	if err != nil {
		t.Fatal(err)
	}
	to, err := strconv.Atoi(dsn.Port())
	if err != nil {
		t.Skip("the server is at no port")
	}
	w := lay(t, to)
	w.Cut()
	dsn.Host = "127.0.0.1:" + strconv.Itoa(w.port)
	dir := filepath.Join(t.TempDir(), "d")
	setStage(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "state.dsn"), []byte(dsn.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	reconfigure(t, dir, "state: {file: state.db, ", "state: {dsn_file: state.dsn, ")
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	day := at(workday.NewDate(2026, time.November, 19), 10)
	log := &watched{at: map[string]func(){"tried again in a minute": w.Mend, `"msg":"cycle"`: stop}}
	a := &app{ctx: ctx, out: log, err: log, now: func() time.Time { return day },
		after: func(time.Duration) <-chan time.Time { return time.After(10 * time.Millisecond) }}
	run := []string{"--config", filepath.Join(dir, "drpd.yaml"), "run"}
	if code := realMain(a, append(run, "--once")); code != 1 || len(log.at) != 2 {
		t.Errorf("once: exit %d: %s", code, log.said.String())
	}
	if code := realMain(a, run); code != 0 || len(log.at) != 0 {
		t.Errorf("exit %d: %s", code, log.said.String())
	}
}
