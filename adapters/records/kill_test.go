//go:build unix

package records_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"

	"drpd/adapters/records"
	"drpd/core/daemon/porttest"
	"drpd/core/port"
)

var kills = flag.Int("kills", 4, "how often TestKilledWriting kills the writer on each engine")

// The arrows of writing back: the requests of its transaction. The process dies before one is sent, when it has been sent
// and nothing is known of it, or when its answer is there and nobody has read it.
var (
	writeArrows = []string{"begin", "insert", "read back", "commit"}
	moments     = []string{"before", "sent", "answered"}
)

func arrowOf(request []byte) int {
	text := strings.ToLower(strings.ReplaceAll(string(request), "\x00", ""))
	const transaction, begin, commit = 14, 5, 7 // as SQL Server's protocol numbers a request, and what is done
	if len(request) > 30 && request[0] == transaction {
		switch request[30] {
		case begin:
			return 0
		case commit:
			return 3
		}
		return -1
	}
	switch {
	case strings.Contains(text, "insert into"):
		return 1
	case strings.Contains(text, "select") && strings.Contains(text, "note_text"):
		return 2
	case strings.Contains(text, "commit"):
		return 3
	case strings.Contains(text, "begin") || strings.Contains(text, "start transaction"):
		return 0
	}
	return -1
}

// line passes requests on to a server and kills the process that sends them at one of them.
type line struct {
	sync.Mutex
	arrow, moment, left int
	kill                func()
	fell                bool
}

// due counts down to the request at which the process is to die, and says at which moment of it.
func (l *line) due(request []byte) (die func(), moment int) {
	l.Lock()
	defer l.Unlock()
	if l.fell || l.kill == nil || arrowOf(request) != l.arrow {
		return nil, 0
	}
	l.left--
	if l.fell = l.left < 0; !l.fell {
		return nil, 0
	}
	return l.kill, l.moment
}

func (l *line) serve(t *testing.T, to string) string {
	t.Helper()
	at, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = at.Close() })
	go func() {
		for {
			in, err := at.Accept()
			if err != nil {
				return
			}
			out, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", to)
			if err != nil {
				_ = in.Close()
				continue
			}
			go l.pass(in, out)
		}
	}()
	return at.Addr().String()
}

// pass goes on request by request: what comes from the process, then what the server answers.
func (l *line) pass(in, out net.Conn) {
	var answer sync.Mutex // held while an answer is kept back
	answered := make(chan struct{}, 1)
	go func() {
		b := make([]byte, 64<<10)
		for {
			n, err := out.Read(b)
			select {
			case answered <- struct{}{}:
			default:
			}
			if err != nil {
				_ = in.Close()
				return
			}
			answer.Lock()
			_, _ = in.Write(b[:n])
			answer.Unlock()
		}
	}()
	b := make([]byte, 64<<10)
	for {
		n, err := in.Read(b)
		if err != nil {
			_ = out.Close()
			return
		}
		die, moment := l.due(b[:n])
		if die == nil {
			_, _ = out.Write(b[:n])
			continue
		}
		answer.Lock() // whatever comes, nobody reads it
		select {
		case <-answered: // of an earlier request
		default:
		}
		if moment > 0 {
			_, _ = out.Write(b[:n])
		}
		if moment == 2 {
			<-answered
		}
		die()
		answer.Unlock()
		_ = out.Close()
		return
	}
}

func killNotes() (out []port.Note) {
	for i := range 60 {
		out = append(out, note(fmt.Sprintf("effect-%d", i), fmt.Sprintf("Stage 1 began. Note %d.", i)))
	}
	return out
}

// TestKilledWriter is the process that TestKilledWriting kills: it writes all notes, five at a time, whatever was written
// before.
func TestKilledWriter(t *testing.T) {
	dsn := os.Getenv("DRPD_KILL_DSN")
	if dsn == "" {
		return // only TestKilledWriting starts it
	}
	c := council{m: demoMapping(t)}
	s, err := records.Open(os.Getenv("DRPD_KILL_ENGINE"), "care-first", dsn, c.m)
	if err != nil {
		t.Fatal(err)
	}
	notes := killNotes()
	for at := 0; at < len(notes); at += 5 {
		if err := porttest.Written(s.WriteNotes(t.Context(), notes[at:at+5])); err != nil {
			t.Fatal(err)
		}
	}
}

// TestKilledWriting kills the writing process inside each arrow of its transaction, on a table that has no key to help,
// and lets another go on: in the end every note is there exactly once.
func TestKilledWriting(t *testing.T) {
	each(t, func(t *testing.T, e engine) {
		if e.name == "sqlite" {
			t.Skip("has no line between it and the process: cmd/drpd kills there")
		}
		c := open(t, e, nil)
		c.exec(t, `DROP TABLE CF_OBSERVATIONS`)
		c.exec(t, `CREATE TABLE CF_OBSERVATIONS (DRPD_REF VARCHAR(64), PI_NUMBER TEXT, OBS_TYPE TEXT, NOTE_TEXT TEXT, ENTERED_BY TEXT, ENTERED_ON TEXT)`)
		l := &line{}
		dsn := c.dsn
		switch e.name {
		case "postgres", "sqlserver":
			u, err := url.Parse(dsn)
			if err != nil {
				t.Fatal(err)
			}
			u.Host = l.serve(t, u.Host)
			if dsn = u.String(); e.name == "postgres" {
				dsn += "&default_query_exec_mode=exec" // so that requests can be told apart
			}
		default:
			m, err := mysql.ParseDSN(dsn)
			if err != nil {
				t.Fatal(err)
			}
			m.Addr = l.serve(t, m.Addr)
			m.InterpolateParams = true
			dsn = m.FormatDSN()
		}
		rng := rand.New(rand.NewPCG(1, uint64(*kills)))
		fell := make(map[string]int)
		for i := range *kills {
			c.exec(t, `DELETE FROM CF_OBSERVATIONS`)
			arrow, moment := i%len(writeArrows), rng.IntN(len(moments))
			if killed := l.run(t, e, dsn, arrow, moment, rng.IntN(len(killNotes())/5)); !killed {
				t.Fatalf("no kill fell %s %s", moments[moment], writeArrows[arrow])
			}
			fell[writeArrows[arrow]]++
			fell[moments[moment]]++
			if killed := l.run(t, e, dsn, -2, 0, 0); killed {
				t.Fatal("killed though nobody asked for it")
			}
			var got []string
			if err := c.db.SelectContext(t.Context(), &got, `SELECT NOTE_TEXT FROM CF_OBSERVATIONS`); err != nil {
				t.Fatal(err)
			}
			seen := make(map[string]int)
			for _, text := range got {
				seen[text]++
			}
			for _, n := range killNotes() {
				if seen[n.Text] != 1 {
					t.Errorf("killed %s %s: %q is there %d times", moments[moment], writeArrows[arrow], n.Text, seen[n.Text])
				}
			}
		}
		for _, a := range writeArrows {
			t.Logf("%d kills at %s", fell[a], a)
			if fell[a] == 0 {
				t.Errorf("no kill at %s", a)
			}
		}
		for _, m := range moments {
			t.Logf("%d kills when it was %s", fell[m], m)
		}
	})
}

// run starts a writer and says whether it was killed.
func (l *line) run(t *testing.T, e engine, dsn string, arrow, moment, left int) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledWriter$")
	cmd.Env = append(os.Environ(), "DRPD_KILL_DSN="+dsn, "DRPD_KILL_ENGINE="+e.name)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	l.Lock()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	l.arrow, l.moment, l.left, l.fell = arrow, moment, left, false
	l.kill = func() { _ = cmd.Process.Signal(syscall.SIGKILL) }
	l.Unlock()
	err := cmd.Wait()
	if err == nil {
		return false
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
		return true
	}
	t.Fatalf("the writer failed: %v\n%s", err, out.String())
	return false
}
