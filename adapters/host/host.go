// Package host is what the machine gives: private files, replaced atomically.
package host

import (
	"errors"
	"os"
	"path/filepath"
)

// WriteFile writes a file that only the service account can read: whole and on disk, or not at all.
func WriteFile(name string, data []byte) (err error) {
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
