package watch

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Cycle is what one cycle did.
type Cycle struct {
	Took                                                        time.Duration
	Ended                                                       time.Time
	Whole                                                       bool // it went through to its end
	Polled, Placed, Quarantined, Decided, Sent, Written, Unsent int
	Lacks                                                       map[string]int // what could not be proved, and of how many things
	Read                                                        map[string]time.Time
	Open                                                        int            // disputes
	Waiting                                                     int            // messages in quarantine, and evidence tied to nothing
	Held                                                        map[string]int // effects, by the gate
	Questions                                                   int            // for a person
}

// Metrics are drpd's figures, by Prometheus's conventions.
type Metrics struct {
	registry *prometheus.Registry

	cycles                                         *prometheus.CounterVec
	took                                           prometheus.Histogram
	ended, proved, alarm, open, waiting, questions prometheus.Gauge
	lacks, read, held                              *prometheus.GaugeVec
	polled, placed, quarantined, decided           prometheus.Counter
	sent, written, unsent                          prometheus.Counter

	mu    sync.Mutex
	ready error // why drpd is not ready; nil: it is
}

// NewMetrics makes the figures of one drpd.
func NewMetrics(version string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), ready: fmt.Errorf("no cycle has ended yet")}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	gauge := func(name, help string) prometheus.Gauge {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "drpd", Name: name, Help: help})
		m.registry.MustRegister(g)
		return g
	}
	gauges := func(name, help, label string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "drpd", Name: name, Help: help}, []string{label})
		m.registry.MustRegister(g)
		return g
	}
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: "drpd", Name: name, Help: help})
		m.registry.MustRegister(c)
		return c
	}
	gauges("build_info", "The version that runs; always 1.", "version").WithLabelValues(version).Set(1)
	m.cycles = prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "drpd", Name: "cycles_total",
		Help: "Cycles that ended: whole, or broken off."}, []string{"end"})
	m.took = prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "drpd", Name: "cycle_duration_seconds", Help: "How long a cycle takes.",
		Buckets: []float64{.1, .5, 1, 5, 15, 60, 300, 900}})
	m.registry.MustRegister(m.cycles, m.took)
	m.ended = gauge("last_cycle_timestamp_seconds", "When the last cycle went through to its end.")
	m.proved = gauge("last_proof_timestamp_seconds", "When all of drpd's work was last proved.")
	m.alarm = gauge("alarm_raised", "1 where somebody was told that drpd's work cannot be proved, and not yet that it is over.")
	m.lacks = gauges("not_proved", "What could not be proved at the last cycle, and of how many things.", "what")
	m.read = gauges("source_read_timestamp_seconds", "When a source was last read.", "source")
	m.open = gauge("disputes_open", "Disputes that are open.")
	m.waiting = gauge("evidence_waiting", "Messages in quarantine, and evidence that is tied to no dispute.")
	m.questions = gauge("questions_waiting", "Questions that only a person can settle.")
	m.held = gauges("effects_held", "Emails, case notes and copies that a gate holds.", "gate")
	m.polled = counter("evidence_polled_total", "Pieces of evidence that sources gave.")
	m.placed = counter("evidence_placed_total", "Pieces of evidence that were placed with their dispute.")
	m.quarantined = counter("messages_quarantined_total", "Messages that were kept and not acted on.")
	m.decided = counter("disputes_decided_total", "Disputes that were decided anew, once a cycle.")
	m.sent = counter("emails_sent_total", "Emails that a relay accepted.")
	m.written = counter("case_notes_written_total", "Case notes and copies of forms that were written.")
	m.unsent = counter("deliveries_failed_total", "Deliveries that did not go in their cycle.")
	return m
}

// Cycle takes over what a cycle did.
func (m *Metrics) Cycle(c Cycle) {
	end := "whole"
	if !c.Whole {
		end = "broken_off"
	}
	m.cycles.WithLabelValues(end).Inc()
	m.took.Observe(c.Took.Seconds())
	for counter, n := range map[prometheus.Counter]int{m.polled: c.Polled, m.placed: c.Placed, m.quarantined: c.Quarantined, m.decided: c.Decided,
		m.sent: c.Sent, m.written: c.Written, m.unsent: c.Unsent} {
		counter.Add(float64(n))
	}
	if !c.Whole {
		return
	}
	m.ended.Set(seconds(c.Ended))
	if len(c.Lacks) == 0 {
		m.proved.Set(seconds(c.Ended))
	}
	each(m.lacks, c.Lacks, func(n int) float64 { return float64(n) })
	each(m.read, c.Read, seconds)
	each(m.held, c.Held, func(n int) float64 { return float64(n) })
	m.open.Set(float64(c.Open))
	m.waiting.Set(float64(c.Waiting))
	m.questions.Set(float64(c.Questions))
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// each sets a gauge for each of some things, and for nothing else.
func each[V any](g *prometheus.GaugeVec, of map[string]V, value func(V) float64) {
	g.Reset()
	for name, v := range of {
		g.WithLabelValues(name).Set(value(v))
	}
}

// Ready keeps why drpd is not ready; nil: it is.
func (m *Metrics) Ready(why error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ready = why
}

// Alarm keeps whether an alarm is raised.
func (m *Metrics) Alarm(raised bool) {
	m.alarm.Set(0)
	if raised {
		m.alarm.Set(1)
	}
}

// Handler answers /metrics; /healthz, that the process lives; /readyz, that it has the right to run and all of its work is proved.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "drpd lives") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		m.mu.Lock()
		why := m.ready
		m.mu.Unlock()
		if why != nil {
			http.Error(w, why.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(w, "all of drpd's work is proved")
	})
	return mux
}

// Local says whether an address is one of this machine that no other can reach, with its port.
func Local(address string) bool {
	where, port, err := net.SplitHostPort(address)
	ip := net.ParseIP(where)
	return err == nil && port != "" && ip != nil && ip.IsLoopback()
}

// Serve answers on an address of this machine until it is told to stop.
func (m *Metrics) Serve(ctx context.Context, address string) (stop func(), err error) {
	if !Local(address) {
		return nil, fmt.Errorf("watch.listen: %q is no address of this machine alone: write it as 127.0.0.1:9464", address)
	}
	var listening net.ListenConfig
	l, err := listening.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("watch.listen: %w: another program has the port, or this account may not take it", err)
	}
	const most = 10 * time.Second
	s := &http.Server{Handler: m.Handler(), ReadHeaderTimeout: most, ReadTimeout: most, WriteTimeout: most, IdleTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10}
	var done sync.WaitGroup
	done.Go(func() { _ = s.Serve(l) })
	return func() { _ = s.Close(); done.Wait() }, nil
}
