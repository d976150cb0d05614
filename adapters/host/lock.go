package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
)

// Lock is a file that one process of this machine has for as long as it lives, and who it is. The system takes it from a process that ends,
// however it ends: so whoever gets it knows that the one before is no more.
type Lock struct {
	file *flock.Flock
	name string
}

// NewLock gives the lock of a file name. Nothing is locked yet.
func NewLock(name string) *Lock { return &Lock{flock.New(name, flock.SetPermissions(0o600)), name} }

// Take takes the lock for a holder. It gives who had it before, "" where nobody did; ok is false where another process has it now.
func (l *Lock) Take(holder string) (before string, ok bool, err error) {
	if ok, err = l.file.TryLock(); err != nil || !ok {
		return "", false, err
	}
	b, err := os.ReadFile(l.name + whose)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", false, errors.Join(err, l.file.Unlock())
	}
	if err := WriteFile(l.name+whose, []byte(holder+"\n")); err != nil {
		return "", false, errors.Join(fmt.Errorf("%s: %w", filepath.Base(l.name), err), l.file.Unlock())
	}
	return strings.TrimSpace(string(b)), true, nil
}

// whose is what the name of the file ends with that says whose a lock is: on Windows nobody can read the locked one.
const whose = ".holder"

// Close gives the lock back.
func (l *Lock) Close() error { return l.file.Unlock() }
