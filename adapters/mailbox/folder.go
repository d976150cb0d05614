package mailbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"drpd/core/drp"
)

const maxMessage = 25 << 20

// Folder is a folder of .eml files as a mailbox. It is read and never changed.
type Folder struct {
	Name string // of the source, in the configuration
	Path string
}

// rest is how long a file must have lain as it is before it is taken: half a message may be another one.
const rest = 5 * time.Second

// Poll gives every message that the cursor has not seen, by the names of the files. One that is still being written is left
// for the next time: an empty one, one that was written to a moment ago, or changes while it is read.
func (f *Folder) Poll(_ context.Context, cursor []byte, now time.Time) ([]drp.Evidence, []byte, error) {
	var seen []string
	if len(cursor) > 0 {
		if err := json.Unmarshal(cursor, &seen); err != nil {
			return nil, nil, fmt.Errorf("mailbox %s: its cursor cannot be read: %w", f.Name, err)
		}
	}
	entries, err := os.ReadDir(f.Path)
	if err != nil {
		return nil, nil, fmt.Errorf("mailbox %s: the folder cannot be read: %w", f.Name, err)
	}
	var out []drp.Evidence
	for _, e := range entries {
		name := e.Name()
		if _, known := slices.BinarySearch(seen, name); known || e.IsDir() || !strings.HasSuffix(name, ".eml") {
			continue
		}
		info, err := e.Info()
		if err != nil || info.Size() == 0 || now.Sub(info.ModTime()).Abs() < rest {
			continue // not there yet, or not any more
		}
		if info.Size() > maxMessage {
			body := fmt.Appendf(nil, "%s%d bytes", tooLarge, info.Size())
			out = append(out, evidence(f.Name, body, now))
		} else {
			body, err := os.ReadFile(filepath.Join(f.Path, name))
			if err != nil {
				return nil, nil, fmt.Errorf("mailbox %s: a message cannot be read: %w", f.Name, err)
			}
			if after, err := os.Stat(filepath.Join(f.Path, name)); err != nil || after.Size() != int64(len(body)) ||
				!after.ModTime().Equal(info.ModTime()) {
				continue
			}
			out = append(out, evidence(f.Name, body, now))
		}
		i, _ := slices.BinarySearch(seen, name)
		seen = slices.Insert(seen, i, name)
	}
	next, err := json.Marshal(seen)
	return out, next, err
}

// evidence keys a message by its bytes, never by its Message-ID, which its sender chooses.
func evidence(source string, body []byte, now time.Time) drp.Evidence {
	sum := sha256.Sum256(body)
	id := hex.EncodeToString(sum[:])
	return drp.Evidence{ID: "m" + id[:31], Source: source, Kind: drp.Message, Key: id, Learned: now, Body: body}
}
