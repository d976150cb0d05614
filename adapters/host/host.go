// Package host is what the machine gives: private files, replaced atomically; its own log; and bounds that a process sets for itself.
package host

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// WriteNew writes a private file under the name, or, where that cannot be replaced because it is open elsewhere, under the
// same name with a number; it says which.
func WriteNew(name string, data []byte) (string, error) {
	const most = 20
	ending := filepath.Ext(name)
	base := strings.TrimSuffix(name, ending)
	err := WriteFile(name, data)
	for i := 2; err != nil && i <= most; i++ {
		if _, e := os.Stat(filepath.Dir(name)); e != nil {
			return "", err // there is no such folder: another name does not help
		}
		name = fmt.Sprintf("%s (%d)%s", base, i, ending)
		if _, e := os.Lstat(name); e == nil {
			continue // a file of this name exists already
		}
		err = WriteFile(name, data)
	}
	return name, err
}

// Private refuses a file that others can read, by its mode, or on Windows by its access list. What a service manager hands to this account alone
// is private whatever its mode: see private.
func Private(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	return private(name, info)
}

// Writable says whether this account can write files into a folder, and leaves nothing there. Of one that is to be made it looks at the
// nearest folder above it that there is.
func Writable(folder string) error {
	for {
		info, err := os.Stat(folder)
		if above := filepath.Dir(folder); errors.Is(err, os.ErrNotExist) && above != folder {
			folder = above
			continue
		}
		if err == nil && !info.IsDir() {
			err = fmt.Errorf("%s is no folder", folder)
		}
		if err != nil {
			return err
		}
		break
	}
	f, err := os.CreateTemp(folder, ".drpd-*")
	if err != nil {
		return fmt.Errorf("this account cannot write into the folder %s: %w", folder, errors.Unwrap(err))
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// PrivateFolder refuses a folder that everybody on the machine can look into; one that is not there yet is made private. On Windows its access
// list is the administrator's business.
func PrivateFolder(name string) error {
	info, err := os.Stat(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	const everybody = 0o007
	if err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&everybody != 0 {
		err = fmt.Errorf("everybody on this machine can look into the folder %s (mode %o), and it holds what is about children: chmod o-rwx", name,
			info.Mode().Perm())
	}
	return err
}

// Guarded refuses a folder in which others can put another file in place of a private one.
func Guarded(name string) error {
	info, err := os.Stat(name)
	const others, sticky = 0o022, os.ModeSticky
	if err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&others != 0 && info.Mode()&sticky == 0 {
		err = fmt.Errorf("others can change what is in the folder %s (mode %o), and it holds drpd's key or its state: chmod go-w", name,
			info.Mode().Perm())
	}
	return err
}

// Secret reads a file that holds a secret, as Text does. One that others can read is refused.
func Secret(name string) (string, error) {
	if err := Private(name); err != nil {
		return "", err
	}
	secret, err := Text(name)
	if err == nil && secret == "" {
		err = fmt.Errorf("%s is empty: the secret belongs into it", name)
	}
	return secret, err
}

// Text reads a file of text in the way in which the editors of each system write it: as UTF-8 or UTF-16, with or without a mark of which at
// its beginning. What is blank at its ends is left out.
func Text(name string) (string, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	if b, _, err = transform.Bytes(unicode.BOMOverride(transform.Nop), b); err != nil || bytes.IndexByte(b, 0) >= 0 ||
		bytes.Contains(b, []byte("\uFFFD")) {
		return "", fmt.Errorf("%s is no text that can be read: save it as UTF-8", name)
	}
	return strings.TrimSpace(string(b)), nil
}

// WriteFile writes a file that only the service account can read: whole and on disk, or not at all.
func WriteFile(name string, data []byte) error {
	return write(name, data, func(string) error { return nil })
}

// write writes a file under another name, which is made ready before anything is in it, and then gives it its own.
func write(name string, data []byte, ready func(name string) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".drpd-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err = f.Chmod(0o600); err == nil {
		err = ready(f.Name())
	}
	if err == nil {
		_, err = f.Write(data)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), name); err != nil {
		return err
	}
	if d, e := os.Open(filepath.Dir(name)); e == nil { // the new name must survive a power cut too
		_ = d.Sync()
		_ = d.Close()
	}
	return nil
}

// Append adds to a private file, and makes it where there is none: it is on disk before it returns.
func Append(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if d, e := os.Open(filepath.Dir(name)); e == nil { // a new name must survive a power cut too
		_ = d.Sync()
		_ = d.Close()
	}
	return errors.Join(err, f.Close())
}

// WriteSecret writes a file as WriteFile does, where others cannot read it. On Windows its access list is that of its folder, where that is
// private, so that who may use the folder may use the file; and else one of its own.
func WriteSecret(name string, data []byte) error {
	return write(name, data, func(name string) error {
		if Private(name) == nil {
			return nil
		}
		return restrict(name)
	})
}

// WriteShared writes a file for those who may use its folder, whole or not at all: somebody else works in it.
func WriteShared(name string, data []byte) error {
	if err := WriteFile(name, data); err != nil {
		return err
	}
	return os.Chmod(name, 0o660) //nolint:gosec // the folder says who may
}
