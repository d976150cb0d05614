package ledger

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/ncruces/go-sqlite3/driver"
)

// Journals of the engine in a file: with the first, who reads keeps nobody from writing. It wants memory that processes share, which a folder
// of another machine and older systems cannot give; with the second each waits for the other, and nothing else differs.
const (
	journalWAL      = "WAL"
	journalTruncate = "TRUNCATE"
)

// journalFor is the journal that a file can have. One that has the first already keeps it: without it, it could not be opened any more.
func journalFor(path string, fits func(folder string) error) string {
	const version = 18 // where a file of the engine says it: 2 for the first
	head := make([]byte, version+1)
	if f, err := os.Open(path); err == nil {
		n, err := f.Read(head)
		_ = f.Close()
		if err == nil && n > version && head[version] == 2 {
			return journalWAL
		}
	}
	if fits(filepath.Dir(path)) != nil {
		return journalTruncate
	}
	return journalWAL
}

// walFits tries whether files of a folder can have the first journal, with one that is taken away again.
func walFits(folder string) (err error) {
	f, err := os.CreateTemp(folder, ".drpd-*.db")
	if err != nil {
		return err
	}
	name := f.Name()
	_ = f.Close()
	defer func() {
		for _, side := range []string{"", "-wal", "-shm"} {
			_ = os.Remove(name + side)
		}
	}()
	db, err := driver.Open(fileURL(name, "_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)"))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	var mode string
	if err := db.QueryRow(`PRAGMA journal_mode`).Scan(&mode); err != nil { //nolint:noctx // of a file of its own
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("the journal is %s", mode)
	}
	_, err = db.Exec(`CREATE TABLE probe (x)`) //nolint:noctx // of a file of its own
	return err
}

func fileURL(path, query string) string {
	return (&url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: query}).String()
}

// Waits says whether who reads this ledger and who writes it wait for each other, and why; "": they do not.
func (l *Ledger) Waits(ctx context.Context) (why string, err error) {
	if l.engine.shared {
		return "", nil
	}
	var mode string
	if err := l.tx(ctx, func(t *tx) error {
		_, err := t.get(&mode, `PRAGMA journal_mode`)
		return err
	}); err != nil || mode == "wal" {
		return "", err
	}
	return "its folder or this system gives processes no memory to share (it is on another machine, or the system is older than Windows Server 2019): " +
		"drpd works with the journal " + mode + " there, and commands and the daemon wait for each other; put state.file on a disk of this machine", nil
}
