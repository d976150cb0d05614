//go:build unix

package host_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"drpd/adapters/host"
)

// What systemd and Kubernetes hand to a service alone is private, as far as its mode says so; what others can read is not, wherever it lies.
func TestCredentials(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "records.dsn")
	write := func(mode os.FileMode) {
		t.Helper()
		_ = os.Remove(name)
		if err := os.WriteFile(name, []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		mode    os.FileMode
		in      string
		private bool
	}{{0o440, dir, true}, {0o400, dir, true}, {0o640, dir, true}, {0o660, dir, false}, {0o444, dir, false}, {0o440, dir + "x", false},
		{0o440, "", false}} {
		t.Setenv("CREDENTIALS_DIRECTORY", tt.in)
		write(tt.mode)
		if err := host.Private(name); (err == nil) != tt.private {
			t.Errorf("mode %o with credentials in %q: %v", tt.mode, tt.in, err)
		}
	}
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file to a group of its choice")
	}
	const ours, theirs = 4242, 4243
	had, err := os.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setgroups(append(had, ours)); err != nil {
		t.Skip("groups cannot be set here:", err)
	}
	defer func() {
		if err := syscall.Setgroups(had); err != nil {
			t.Error(err)
		}
	}()
	for _, tt := range []struct {
		mode         os.FileMode
		owner, group int
		private      bool
	}{{0o440, 0, ours, true}, {0o640, 0, ours, true}, {0o440, 0, theirs, false}, {0o440, 0, 0, false}, {0o440, 1000, ours, false},
		{0o460, 0, ours, false}, {0o444, 0, ours, false}} {
		write(tt.mode)
		if err := os.Chown(name, tt.owner, tt.group); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, tt.mode); err != nil {
			t.Fatal(err)
		}
		if err := host.Private(name); (err == nil) != tt.private {
			t.Errorf("mode %o of %d:%d: %v", tt.mode, tt.owner, tt.group, err)
		}
	}
}

// A folder that cannot be written to is said, one that is to be made is looked at above, and nothing is left of looking.
func TestWritable(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for folder, want := range map[string]string{".": "", "new/below": "", "file": "is no folder", "file/below": "not a directory"} {
		err := host.Writable(filepath.Join(dir, folder))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", folder, err)
		}
	}
	if err := host.Writable("/proc/sys"); err == nil {
		t.Error("a folder of the kernel can be written to")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
}
