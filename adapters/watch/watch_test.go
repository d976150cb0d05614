package watch_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/adapters/watch"
)

func fixed(address string) func() (string, error) {
	return func() (string, error) { return address, nil }
}

// server is one that answers with a status, and keeps what it was asked.
func server(t *testing.T, status int) (hook *watch.Hook, asked *[]string) {
	t.Helper()
	var all []string
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		all = append(all, r.Method+" "+r.URL.Path+" "+string(body))
		w.WriteHeader(status)
	}))
	t.Cleanup(s.Close)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return &watch.Hook{What: "the alarm", URL: fixed(s.URL + "/secret-token"), Roots: pool}, &all
}

func TestHook(t *testing.T) {
	hook, asked := server(t, http.StatusNoContent)
	said := watch.Said{Authority: "Fairshire", State: "alarm", Text: "it cannot be proved",
		Faults: []watch.Fault{{What: "cycle", Count: 1, Says: "no cycle has ended", Since: time.Unix(0, 0).UTC()}}}
	if err := errors.Join(hook.Alarm(t.Context(), said), hook.Post(t.Context(), []byte("an anchor")), hook.Beat(t.Context())); err != nil {
		t.Fatal(err)
	}
	want := []string{`POST /secret-token {"authority":"Fairshire","state":"alarm","text":"it cannot be proved","faults":[{"what":"cycle","count":1,` +
		`"says":"no cycle has ended","since":"1970-01-01T00:00:00Z"}]}`, "POST /secret-token an anchor", "GET /secret-token "}
	if !slices.Equal(*asked, want) {
		t.Errorf("%q", *asked)
	}
}

// TestHookFails: each error says what would be right, and none holds the address, which is a secret.
func TestHookFails(t *testing.T) {
	good, _ := server(t, http.StatusOK)
	gone, _ := server(t, http.StatusGone)
	moved, _ := server(t, http.StatusFound)
	closed, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tt := range map[string]struct {
		ctx  context.Context
		hook *watch.Hook
		want string
	}{
		"it says no":       {t.Context(), gone, "it answers 410 and not 200"},
		"it is elsewhere":  {t.Context(), moved, "it answers 302 and not 200"},
		"another's":        {t.Context(), &watch.Hook{What: "the alarm", URL: good.URL}, "its certificate is not trusted"},
		"in the clear":     {t.Context(), &watch.Hook{What: "the alarm", URL: fixed("http://secret-token.example/")}, "begins with https://"},
		"no address":       {t.Context(), &watch.Hook{What: "the alarm", URL: fixed("secret-token")}, "begins with https://"},
		"nobody is there":  {t.Context(), &watch.Hook{What: "the alarm", URL: fixed("https://127.0.0.1:1/secret-token")}, "it cannot be reached"},
		"told to stop":     {closed, good, "it cannot be reached"},
		"no file":          {t.Context(), &watch.Hook{What: "the alarm", URL: func() (string, error) { return "", os.ErrNotExist }}, "not exist"},
		"what no one asks": {t.Context(), &watch.Hook{What: "the alarm", URL: fixed("https://secret-token.example:x/")}, "begins with https://"},
	} {
		err := tt.hook.Beat(tt.ctx)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "the alarm") {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
			continue
		}
		if strings.Contains(err.Error(), "secret-token") {
			t.Errorf("%s: the error holds the address: %v", name, err)
		}
	}
}

func get(t *testing.T, m *watch.Metrics, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

func cycle() watch.Cycle {
	return watch.Cycle{Took: 2 * time.Second, Ended: time.Unix(1000, 0), Whole: true, Polled: 3, Sent: 2, Open: 7, Waiting: 1, Questions: 4,
		Lacks: map[string]int{"source/records": 1}, Read: map[string]time.Time{"mailbox": time.Unix(900, 0)}, Held: map[string]int{"window": 5}}
}

func TestMetrics(t *testing.T) {
	m := watch.NewMetrics("1.2.3")
	if code, said := get(t, m, "/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(said, "no cycle has ended yet") {
		t.Error(code, said)
	}
	m.Cycle(cycle())
	m.Ready(nil)
	m.Alarm(true)
	_, said := get(t, m, "/metrics")
	for _, want := range []string{`drpd_build_info{version="1.2.3"} 1`, "drpd_last_cycle_timestamp_seconds 1000", "drpd_last_proof_timestamp_seconds 0",
		`drpd_not_proved{what="source/records"} 1`, `drpd_source_read_timestamp_seconds{source="mailbox"} 900`, `drpd_effects_held{gate="window"} 5`,
		"drpd_disputes_open 7", "drpd_questions_waiting 4", "drpd_emails_sent_total 2", "drpd_alarm_raised 1", `drpd_cycles_total{end="whole"} 1`} {
		if !strings.Contains(said, want+"\n") {
			t.Errorf("%q is missing:\n%s", want, said)
		}
	}
	if code, said := get(t, m, "/readyz"); code != http.StatusOK {
		t.Error(code, said)
	}
	if code, said := get(t, m, "/healthz"); code != http.StatusOK || said != "drpd lives\n" {
		t.Error(code, said)
	}
	if code, _ := get(t, m, "/debug/pprof/"); code != http.StatusNotFound {
		t.Error("more is answered than was meant")
	}
	next := cycle()
	next.Lacks, next.Ended = nil, time.Unix(1300, 0)
	m.Cycle(next)
	m.Cycle(watch.Cycle{Took: time.Second, Lacks: map[string]int{"cycle": 1}}) // it broke off: what was known before still is
	if _, said = get(t, m, "/metrics"); strings.Contains(said, "drpd_not_proved{") || !strings.Contains(said, "drpd_last_proof_timestamp_seconds 1300\n") ||
		!strings.Contains(said, `drpd_cycles_total{end="broken_off"} 1`) {
		t.Error(said)
	}
}

func TestServe(t *testing.T) {
	m := watch.NewMetrics("1")
	for _, address := range []string{"0.0.0.0:0", ":9464", "192.0.2.1:80", "example.org:80", "127.0.0.1", "localhost:80", "127.0.0.1:"} {
		if stop, err := m.Serve(t.Context(), address); err == nil {
			stop()
			t.Errorf("%q can be reached by others, and is served", address)
		}
	}
	stop, err := m.Serve(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop()
}

// TestRules: the alert rules and the dashboard speak of figures that there are; where promtool is, it finds nothing wrong with the rules, nor
// with the figures.
func TestRules(t *testing.T) {
	m := watch.NewMetrics("1")
	m.Cycle(cycle())
	_, figures := get(t, m, "/metrics")
	named := regexp.MustCompile(`drpd_[a-z_]+`)
	for _, file := range []string{"alerts.yaml", "dashboard.json"} {
		b, err := os.ReadFile(filepath.Join("prometheus", file))
		if err != nil {
			t.Fatal(err)
		}
		found := named.FindAllString(string(b), -1)
		if len(found) < 5 {
			t.Errorf("%s speaks of %d figures", file, len(found))
		}
		for _, name := range found {
			if !strings.Contains(figures, "\n"+name+" ") && !strings.Contains(figures, "\n"+name+"{") {
				t.Errorf("%s: there is no figure %s", file, name)
			}
		}
		if strings.HasSuffix(file, ".json") && !json.Valid(b) {
			t.Errorf("%s is no JSON", file)
		}
	}
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("no promtool here: it does not look at the rules")
	}
	if out, err := exec.CommandContext(t.Context(), promtool, "check", "rules", "prometheus/alerts.yaml").CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	check := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	check.Stdin = strings.NewReader(figures)
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
