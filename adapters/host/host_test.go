package host_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf16"

	"drpd/adapters/host"
)

// A file that cannot be replaced is left as it is; what was to be written gets a name of its own, and nobody else's.
func TestWriteNew(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "overdue.xlsx")
	for range 2 { // an ordinary file is replaced
		if got, err := host.WriteNew(name, []byte("one")); err != nil || got != name {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(name, "kept"), 0o700); err != nil { // stands for a file that is open elsewhere
		t.Fatal(err)
	}
	second := filepath.Join(dir, "overdue (2).xlsx")
	if err := os.WriteFile(second, []byte("somebody's"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := host.WriteNew(name, []byte("two"))
	if want := filepath.Join(dir, "overdue (3).xlsx"); err != nil || got != want {
		t.Fatalf("%q, %v, want %q", got, err, want)
	}
	if b, err := os.ReadFile(second); err != nil || string(b) != "somebody's" {
		t.Errorf("%q, %v", b, err)
	}
	info, err := os.Stat(got)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := host.WriteNew(filepath.Join(dir, "nowhere", "x.csv"), nil); err == nil {
		t.Error("a folder that is not there was no error")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 3 {
		t.Errorf("%d things are left, %v", len(entries), err)
	}
}

// A secret is what a person wrote, whatever the editor put before it or how it wrote it down; what others can read, or
// nobody can, is refused without a word of it.
func TestSecret(t *testing.T) {
	name := filepath.Join(t.TempDir(), "dsn")
	const secret = "postgres://drpd:Pa£ss@localhost/x"
	wide := func(order binary.AppendByteOrder, mark bool, text string) (out []byte) {
		if mark {
			out = order.AppendUint16(out, 0xfeff)
		}
		for _, u := range utf16.Encode([]rune(text)) {
			out = order.AppendUint16(out, u)
		}
		return out
	}
	for what, x := range map[string]struct {
		file []byte
		want string
	}{
		"as it is":                     {[]byte(secret), secret},
		"with a line end":              {[]byte(secret + "\n"), secret},
		"by Notepad":                   {[]byte("\ufeff" + secret + "\r\n"), secret},
		"by PowerShell":                {wide(binary.LittleEndian, true, secret+"\r\n"), secret},
		"the other way round":          {wide(binary.BigEndian, true, secret+"\n"), secret},
		"in a password's own bytes":    {[]byte("Pa\xa3ss\n"), "Pa\xa3ss"},
		"wide, and nothing says so":    {wide(binary.LittleEndian, false, secret), ""},
		"wide, and broken":             {append(wide(binary.LittleEndian, true, "Pass"), 0x00, 0xd8), ""},
		"nothing but the mark":         {[]byte("\ufeff"), ""},
		"something that is not a text": {[]byte("Pass\x00"), ""},
	} {
		if err := os.WriteFile(name, x.file, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := host.Secret(name)
		if refused := x.want == ""; got != x.want || (err != nil) != refused {
			t.Errorf("%s: %q, %v, want %q", what, got, err, x.want)
		}
		if err != nil && strings.Contains(err.Error(), "Pa") {
			t.Errorf("%s: the secret is told: %v", what, err)
		}
	}
	if err := os.WriteFile(name, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "windows" {
		return // it has no such modes: see TestAccess
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o644} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
		if got, err := host.Secret(name); err == nil || got != "" {
			t.Errorf("a secret that others can read was read: %q", got)
		}
		if err := host.Private(name); err == nil || !strings.HasSuffix(err.Error(), "chmod 600") {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
}

// Whoever gets the lock knows who had it before, and that this one has ended; while that one lives, it is not to be had.
func TestLock(t *testing.T) {
	name := filepath.Join(t.TempDir(), "state.key.lock")
	one, two := host.NewLock(name), host.NewLock(name)
	for _, step := range []struct {
		lock           *host.Lock
		holder, before string
		ok, close      bool
	}{
		{one, "first", "", true, false}, {two, "second", "", false, false}, {one, "", "", false, true}, {two, "second", "first", true, true},
		{one, "third", "second", true, true},
	} {
		if step.holder != "" {
			before, ok, err := step.lock.Take(step.holder)
			if err != nil || ok != step.ok || before != step.before {
				t.Errorf("%s: %q, %v, %v", step.holder, before, ok, err)
			}
		}
		if step.close {
			if err := step.lock.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	for _, file := range []string{name, name + ".holder"} {
		if err := host.Private(file); err != nil {
			t.Error(err)
		}
	}
}

// A folder that everybody can look into, or in which others can change what is drpd's, is refused with what would be right.
func TestFolders(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("access lists are the administrator's business")
	}
	dir := filepath.Join(t.TempDir(), "d")
	if err := host.PrivateFolder(dir); err != nil {
		t.Errorf("one that is not there yet: %v", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode][2]string{
		0o700: {}, 0o750: {}, 0o770: {"", "chmod go-w"}, 0o755: {"chmod o-rwx", ""}, 0o701: {"chmod o-rwx", ""},
		0o777: {"chmod o-rwx", "chmod go-w"}, 0o777 | os.ModeSticky: {"chmod o-rwx", ""},
	} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		for i, err := range []error{host.PrivateFolder(dir), host.Guarded(dir)} {
			if (err == nil) != (want[i] == "") || err != nil && !strings.Contains(err.Error(), want[i]) {
				t.Errorf("%o: %v, want %q", mode, err, want[i])
			}
		}
	}
}
