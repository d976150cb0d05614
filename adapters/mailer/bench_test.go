package mailer_test

import (
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

const roundTrip = 10 * time.Millisecond

// slow is a proxy that lets every answer take a round trip's time longer, and counts them.
func slow(b *testing.B, to string, trips *atomic.Int64) string {
	b.Helper()
	l, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to) //nolint:noctx // it ends with the connection
			if err != nil {
				_ = in.Close()
				return
			}
			go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
			go func() {
				buf := make([]byte, 64<<10)
				for {
					n, err := out.Read(buf)
					if err != nil {
						_ = in.Close()
						return
					}
					trips.Add(1)
					<-time.After(roundTrip)
					_, _ = in.Write(buf[:n])
				}
			}()
		}
	}()
	return l.Addr().String()
}

// BenchmarkRoundTrips: how many round trips a message takes on a connection that is kept.
func BenchmarkRoundTrips(b *testing.B) {
	r := startRelay(b, nil)
	x := r.transport()
	var trips atomic.Int64
	x.Server = slow(b, r.addr, &trips)
	const n = 150
	raw := []byte("Subject: x\r\n\r\nx\r\n")
	start := time.Now()
	for i := range n {
		if err := x.Deliver(b.Context(), envelope(i), "drp@council.example", raw, goes); err != nil {
			b.Fatal(err)
		}
	}
	taken := time.Since(start)
	if r.lines != 1 || len(r.has()) != n {
		b.Fatal(fmt.Sprint(r.lines, " connections, ", len(r.has()), " messages"))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(trips.Load())/n, "round-trips/message")
	b.ReportMetric(taken.Seconds()*1000/n, "ms/message")
}
