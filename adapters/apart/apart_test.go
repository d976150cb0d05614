package apart_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"drpd/adapters/apart"
	"drpd/adapters/apart/aparttest"
	"drpd/adapters/document"
	"drpd/adapters/host"
	"drpd/adapters/mailbox"
	"drpd/adapters/smime"
	"drpd/core/drp"
	"drpd/mapping"
)

// memory is what a reader of these tests may write to: what drpd's own has.
const memory = 256 << 20

// The tests start themselves as the process that reads.
func TestMain(m *testing.M) {
	smime.Strong()
	if len(os.Args) == 2 && os.Args[1] == "read" {
		if err := host.Confine(memory); err != nil {
			os.Exit(1)
		}
		err := apart.Serve(os.Stdin, os.Stdout, func(s apart.Settings, own crypto.Decrypter) (apart.Opener, error) {
			return &harmed{reader(s, own)}, nil
		}, func() { os.Exit(1) })
		if err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func reader(s apart.Settings, own crypto.Decrypter) *mailbox.Reader {
	seal := &smime.Seal{}
	if own != nil {
		leaf, err := x509.ParseCertificate(s.Certificate)
		if err != nil {
			panic(err)
		}
		seal.Own = tls.Certificate{Leaf: leaf, PrivateKey: own}
	}
	return &mailbox.Reader{TrustedServer: s.TrustedServer, Zone: time.UTC, Open: document.Open, Page: document.HTML,
		PageWords: document.Words, Lines: document.Text, Unseal: seal.Open, Signed: smime.Check}
}

// harmed reads messages, and does what a message says that did harm to it.
type harmed struct{ *mailbox.Reader }

func (h *harmed) Read(message []byte) mapping.Letter {
	_, how, _ := bytes.Cut(message, []byte("\nX-Harm: "))
	how, _, _ = bytes.Cut(how, []byte("\r\n"))
	harm(string(how))
	return h.Reader.Read(message)
}

func (h *harmed) Words(message []byte, why string) mapping.Letter {
	if bytes.Contains(message, []byte("X-Also-In-Words: ")) {
		return h.Read(message)
	}
	return h.Reader.Words(message, why)
}

// all says whether each of some errors is one.
func all(joined, is error) bool {
	some, ok := joined.(interface{ Unwrap() []error }) //nolint:errorlint // it was joined here
	return ok && len(some.Unwrap()) == 4 && !slices.ContainsFunc(some.Unwrap(), func(err error) bool { return !errors.Is(err, is) })
}

func harm(how string) {
	say := func(kind byte, n uint32, text string) {
		w := bufio.NewWriter(os.Stdout)
		_, _ = w.Write([]byte{kind, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
		_, _ = w.WriteString(text)
		_ = w.Flush()
	}
	whole := func(text string) { say('L', uint32(len(text)), text) }
	switch how {
	case "hang":
		select {}
	case "spin":
		for n := 0; ; n++ {
			runtime.KeepAlive(n)
		}
	case "die":
		os.Exit(3)
	case "panic":
		panic("somebody's words")
	case "eat":
		var all [][]byte
		for {
			b := make([]byte, 1<<20)
			for i := range b {
				b[i] = 1
			}
			all = append(all, b) //nolint:staticcheck // it is to be kept, not used
		}
	case "reach":
		_, read := os.Open("/dev/null")
		written := os.WriteFile("left-behind", []byte("x"), 0o600)
		const other = "/tmp/nobody-has-a-file-of-this-name"
		removed := errors.Join(os.Remove(other), os.Truncate(other, 0), os.Rename(other, other+"-2"), endsParent())
		listened, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it cannot
		ran := exec.CommandContext(context.Background(), "/bin/true").Run()
		if read != nil && written != nil && all(removed, os.ErrPermission) && listened == nil && err != nil && ran != nil {
			os.Exit(7)
		}
	case "close":
		_ = os.Stdout.Close()
		select {}
	case "much":
		say('L', 1<<30, "{}")
	case "much, and all of it":
		text := strings.Repeat("x", 9<<20)
		whole(text)
	case "many":
		whole(`{"Sheets":[{"Name":"","Digest":"0123456789abcdef","Lines":[` + strings.TrimSuffix(strings.Repeat(`{},`, 1<<20), ",") + `]}]}`)
	case "rubbish":
		say('?', 3, "???")
	case "no reading":
		whole("[1, 2, 3]")
	case "deep":
		whole(strings.Repeat("[", 1<<20))
	case "two readings":
		whole(`{} {}`)
	case "another field":
		whole(`{"Command":"rm"}`)
	case "a name that leads elsewhere":
		whole(`{"Sheets":[{"Name":"part 2","Digest":"0123456789abcdef","Ext":"/../x","Lines":null}]}`)
	case "a file":
		say('B', 3, "xyz")
	case "half":
		say('L', 10, "{")
		os.Exit(0)
	case "no end of keys":
		for {
			say('U', 2, "\x00x")
			var answer [5]byte
			_, _ = os.Stdin.Read(answer[:])
		}
	}
}

// own is a reader over here, and the processes that it has started.
type own struct {
	*apart.Reader
	started []*exec.Cmd
}

func start(t testing.TB) *own {
	t.Helper()
	self, err := host.Self()
	if err != nil {
		t.Fatal(err)
	}
	o := &own{Reader: &apart.Reader{Settings: apart.Settings{TrustedServer: "mx.council.example"}}}
	o.Start = func() *exec.Cmd {
		c := exec.CommandContext(context.Background(), self, "read")
		o.started = append(o.started, c)
		return c
	}
	t.Cleanup(o.Rest)
	return o
}

const head = "Authentication-Results: mx.council.example; dmarc=pass header.from=council.example\r\n" +
	"From: A Chair <chair@council.example>\r\nTo: drp@council.example\r\nSubject: [C-AAAAAA]\r\nDate: Mon, 30 Mar 2026 10:00:00 +0000\r\n"

func honest(n int) []byte { return fmt.Appendf(nil, "%s\r\nResolved: no, number %d\r\n", head, n) }

func mustRead(t *testing.T, o *own, n int) {
	t.Helper()
	l, err := o.Read(t.Context(), honest(n))
	if want := fmt.Sprintf("Resolved: no, number %d", n); err != nil || l.Text != want || !l.Trusted || l.Unsafe != "" {
		t.Fatalf("%+v, %v", l, err)
	}
}

// One process reads many messages, and another reads the next ones.
func TestBatches(t *testing.T) {
	o := start(t)
	o.Most = 3
	for n := range 7 {
		mustRead(t, o, n)
	}
	if len(o.started) != 3 {
		t.Errorf("%d processes", len(o.started))
	}
	o.Rest()
	mustRead(t, o, 8)
	o.Rest()
	o.Rest()
	if len(o.started) != 4 {
		t.Errorf("%d processes", len(o.started))
	}
	for _, c := range o.started {
		if c.ProcessState == nil || !c.ProcessState.Success() {
			t.Errorf("a process did not end by itself: %v", c.ProcessState)
		}
		if _, err := os.Stat(c.Dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("its folder is left: %v", err)
		}
	}
}

// What is read apart is what is read here, of every message and every form of the corpora; and so are the files.
func TestTheSame(t *testing.T) {
	o, here := start(t), reader(apart.Settings{TrustedServer: "mx.council.example"}, nil)
	names, err := filepath.Glob("../../testdata/mail/*.eml")
	if err != nil || len(names) < 100 {
		t.Fatal(len(names), err)
	}
	forms, err := filepath.Glob("../../testdata/forms/*.*")
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, name := range append(names, forms...) {
		message, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(name) != ".eml" {
			message = with(filepath.Base(name), message)
		}
		want := here.Read(message)
		got, err := o.Read(t.Context(), message)
		if err != nil {
			t.Fatal(name, err)
		}
		for i, s := range want.Sheets {
			data, ok, err := o.File(t.Context(), message, s.Digest)
			if err != nil || !ok || !bytes.Equal(data, s.Data) {
				t.Errorf("%s: the file %s: %d bytes of %d, %v", name, s.Digest, len(data), len(s.Data), err)
			}
			want.Sheets[i].Data = nil
			files++
		}
		if want.Body != nil {
			want.Body.Data = nil
		}
		if a, b := plainly(t, want), plainly(t, got); a != b {
			t.Errorf("%s:\nhere  %s\napart %s", name, a, b)
		}
	}
	if files < 50 || len(o.started) > 4 {
		t.Errorf("%d files, %d processes", files, len(o.started))
	}
	if data, ok, err := o.File(t.Context(), honest(1), "0123456789abcdef"); ok || err != nil || len(data) > 0 {
		t.Errorf("a file that is not there: %v, %v", data, err)
	}
}

func plainly(t *testing.T, l mapping.Letter) string {
	t.Helper()
	b, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A reading keeps every field on its way: each that is added must come over too.
func TestEveryField(t *testing.T) {
	var full mapping.Letter
	fill(reflect.ValueOf(&full).Elem(), 0)
	full.From, full.Problems = "chair@council.example", []drp.Doubt{{What: "one", Position: "part 1"}, {What: "two", Position: "part 2"}}
	for _, s := range append([]*mapping.Sheet{full.Body}, &full.Sheets[0]) {
		s.Digest, s.Ext, s.Data = "0123456789abcdef", ".docx", nil
	}
	said, err := apart.Encode(full)
	if err != nil {
		t.Fatal(err)
	}
	got, err := apart.Decode(said)
	if err != nil || !reflect.DeepEqual(got, full) {
		t.Errorf("%v\n%+v\n%+v", err, got, full)
	}
}

// fill gives every field a value.
func fill(v reflect.Value, depth int) {
	const deepest = 8
	switch {
	case depth > deepest:
	case v.Kind() == reflect.String:
		v.SetString("x")
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.CanInt():
		v.SetInt(20_000)
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), depth+1)
	case v.Kind() == reflect.Slice && v.Type().Elem() != reflect.TypeFor[drp.Doubt]():
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), depth+1)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i), depth+1)
			}
		}
	}
}

// Whatever becomes of the process that reads a message, the message says who sent it and in what words, and that nothing of it
// could be opened; and the next message is read.
func TestHarm(t *testing.T) {
	for how, says := range map[string]string{
		"hang": "it took too long", "spin": "it took too long", "close": "ended", "no end of keys": "it said more than is taken",
		"die": "exit status 3", "panic": "exit status 2", "eat": "exit status 2", "half": "ended",
		"much": "it said more than is taken", "much, and all of it": "it said more than is taken", "many": "it said more than is taken",
		"rubbish": "it said more than is taken", "no reading": "it said what is no reading", "deep": "it said what is no reading",
		"two readings": "it said what is no reading", "another field": "it said what is no reading",
		"a name that leads elsewhere": "it said what is no reading", "a file": "it said what is no reading",
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			o := start(t)
			o.Settings.Patience = 20 * time.Second
			if says == "it took too long" {
				o.Settings.Patience = 2 * time.Second
			}
			mustRead(t, o, 1)
			message := with("form.docx", []byte("PK\x03\x04 and no more"), "X-Harm: "+how)
			l, err := o.Read(t.Context(), message)
			if err != nil || l.From != "chair@council.example" || !l.Trusted || l.Text != "Here it is." || len(l.Sheets) > 0 {
				t.Errorf("%+v, %v", l, err)
			}
			if !strings.HasPrefix(l.Unsafe, apart.NotOpened) || !strings.Contains(l.Unsafe, says) || !strings.HasPrefix(l.Unread, apart.NotOpened) {
				t.Errorf("%q, %q", l.Unsafe, l.Unread)
			}
			mustRead(t, o, 2)
			if how == "die" { // nothing of it can be read at all
				l, err := o.Read(t.Context(), with("form.docx", nil, "X-Also-In-Words: yes\r\nX-Harm: die"))
				if err != nil || l.Trusted || l.From != "" || l.Why != l.Unsafe || !strings.HasPrefix(l.Unsafe, apart.NotOpened) {
					t.Errorf("%+v, %v", l, err)
				}
				mustRead(t, o, 3)
			}
		})
	}
}

// A process that is ended from outside between two messages costs none of them.
func TestEndedBetween(t *testing.T) {
	o := start(t)
	mustRead(t, o, 1)
	if err := o.started[0].Process.Kill(); err != nil {
		t.Fatal(err)
	}
	mustRead(t, o, 2)
}

// Where no process comes up, that is no fault of the message: nothing is said of it.
func TestCannotStart(t *testing.T) {
	for name, args := range map[string][]string{"no program": {"/nowhere/drpd"}, "another program": {"/bin/true"},
		"one that bounds itself too much": {"/bin/sh", "-c", "exit 1"}} {
		o := start(t)
		o.Start = func() *exec.Cmd { return exec.CommandContext(context.Background(), args[0], args[1:]...) }
		if l, err := o.Read(t.Context(), honest(1)); err == nil || l.Unsafe != "" || l.Text != "" {
			t.Errorf("%s: %+v, %v", name, l, err)
		}
		if _, _, err := o.File(t.Context(), honest(1), "0123456789abcdef"); err == nil {
			t.Errorf("%s: the file is not there, they say", name)
		}
	}
}

// What is encrypted for drpd is opened with its own key, which stays here; what is encrypted for another is not.
func TestOwnKey(t *testing.T) {
	seal := func() (*rsa.PrivateKey, []byte, *smime.Seal) {
		const bits = 2048
		private, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return private, der, &smime.Seal{Own: tls.Certificate{Certificate: [][]byte{der}, Leaf: leaf, PrivateKey: private}, Now: time.Now,
			Recipient: func(string) ([]byte, error) {
				return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
			}}
	}
	private, der, ours := seal()
	_, _, theirs := seal()
	o := start(t)
	o.Own, o.Settings.Certificate = private, der
	for _, x := range []struct {
		to   *smime.Seal
		text string
	}{{ours, "Resolved: no"}, {theirs, ""}, {ours, "Resolved: no"}} {
		sealed, err := x.to.Encrypt([]byte("Content-Type: text/plain\r\n\r\nResolved: no\r\n"), "drp@council.example")
		if err != nil {
			t.Fatal(err)
		}
		l, err := o.Read(t.Context(), append([]byte(head), sealed...))
		if err != nil || l.Text != x.text || l.Unsafe != "" || (x.text == "") != (l.Unread != "") {
			t.Errorf("%+v, %v", l, err)
		}
	}
	if len(o.started) != 1 {
		t.Errorf("%d processes", len(o.started))
	}
}

// Whoever stops drpd does not wait for a message.
func TestStopped(t *testing.T) {
	o := start(t)
	mustRead(t, o, 1)
	ctx, stop := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, stop)
	if l, err := o.Read(ctx, with("form.docx", nil, "X-Harm: hang")); !errors.Is(err, context.Canceled) || l.Unsafe != "" {
		t.Errorf("%+v, %v", l, err)
	}
}

// The process has nothing that it does not need: no environment, no file, no way out, no privilege to gain.
func TestConfined(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("what is looked at here stands in /proc")
	}
	t.Setenv("DRPD_SECRET", "not for you")
	o := start(t)
	mustRead(t, o, 1)
	proc := fmt.Sprintf("/proc/%d/", o.started[0].Process.Pid)
	status, err := os.ReadFile(proc + "status")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"NoNewPrivs:\t1", "Seccomp:\t2"} {
		if !strings.Contains(string(status), want) {
			t.Errorf("not %q:\n%s", want, status)
		}
	}
	limits, err := os.ReadFile(proc + "limits")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(limits), "\n") {
		for name, want := range map[string]string{"Max data size": strconv.Itoa(memory), "Max core file size": "0", "Max file size": "0",
			"Max open files": "0"} {
			if rest, ok := strings.CutPrefix(line, name); ok {
				if f := strings.Fields(rest); f[0] != want || f[1] != want {
					t.Errorf("%s, want %s", line, want)
				}
			}
		}
	}
	if l, err := o.Read(t.Context(), with("form.docx", nil, "X-Harm: reach")); err != nil || !strings.Contains(l.Unsafe, "exit status 7") {
		t.Errorf("it reached something: %+v, %v", l, err)
	}
	mustRead(t, o, 2)
	proc = fmt.Sprintf("/proc/%d/", o.started[len(o.started)-1].Process.Pid)
	if os.Getuid() != 0 {
		return // what follows only root sees of a process that nobody may look into
	}
	if env, err := os.ReadFile(proc + "environ"); err != nil || len(env) > 0 {
		t.Errorf("its environment: %q, %v", env, err)
	}
	if cwd, err := os.Readlink(proc + "cwd"); err != nil || !strings.HasSuffix(cwd, " (deleted)") {
		t.Errorf("its folder: %q, %v", cwd, err)
	}
	open, err := os.ReadDir(proc + "fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range open {
		to, err := os.Readlink(proc + "fd/" + f.Name())
		own := strings.HasPrefix(to, "anon_inode:") || strings.HasPrefix(to, "/sys/fs/cgroup/") // the runtime's, for its processors
		if err != nil || !strings.HasPrefix(to, "pipe:") && to != "/dev/null" && !own {
			t.Errorf("it has %s open: %v", to, err)
		}
	}
}

// with is a message with a file.
func with(name string, data []byte, headers ...string) []byte {
	return aparttest.With(head, name, data, headers...)
}

// A bomb of each format does no harm: what it makes of the reader stays within bounds, and the next message is read.
func TestBombs(t *testing.T) {
	o := start(t)
	mustRead(t, o, 0)
	for name, message := range aparttest.Bombs(t, head) {
		before := time.Now()
		l, err := o.Read(t.Context(), message)
		if err != nil {
			t.Fatal(name, err)
		}
		if l.Unsafe == "" && len(l.Problems) == 0 && len(l.Text) == 0 && l.Why == "" {
			t.Errorf("%s: read without a word: %+v", name, l)
		}
		mustRead(t, o, 1)
		if used := o.held(); used > memory {
			t.Errorf("%s: the process that reads holds %d MB", name, used>>20)
		}
		t.Logf("%-40s %8d bytes %7.2fs, %3d MB  %s  %v", name, len(message), time.Since(before).Seconds(), o.held()>>20, l.Unsafe, l.Problems)
	}
}

// held is how many bytes the process that reads now has held at most; 0 where that is not to be seen.
func (o *own) held() (bytes int64) {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", o.started[len(o.started)-1].Process.Pid))
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	_, _ = fmt.Sscanf(rest, "%d kB", &bytes)
	return bytes << 10
}
