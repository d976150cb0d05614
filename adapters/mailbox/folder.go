package mailbox

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"drpd/core/drp"
	"drpd/core/port"
)

const maxMessage = 25 << 20

// Folder is a folder of .eml files as a mailbox. It is read and never changed.
type Folder struct {
	Name string // of the source, in the configuration
	Path string
}

// rest is how long a file must have lain as it is before it is taken: half a message may be another one.
const rest = 5 * time.Second

// folderCursor says how far a folder was read.
type folderCursor struct {
	Seen []string `json:"seen"` // digests of the names of the files that were read: a name may be somebody's
	More bool     `json:"more,omitempty"`
}

func (f *Folder) cursor(at []byte) (c folderCursor, err error) {
	if len(at) > 0 && at[0] == '[' { // as it was kept before a folder was read in parts
		err = json.Unmarshal(at, &c.Seen)
	} else if len(at) > 0 {
		err = json.Unmarshal(at, &c)
	}
	if err != nil {
		err = fmt.Errorf("mailbox %s: its cursor cannot be read: %w", f.Name, err)
	}
	for i, name := range c.Seen {
		if strings.HasSuffix(name, ".eml") { // an earlier drpd kept the names themselves
			c.Seen[i] = named(name)
		}
	}
	slices.Sort(c.Seen)
	return c, err
}

// named is a file's name as the cursor has it.
func named(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])[:24]
}

// More says whether the folder was not read to its end.
func (f *Folder) More(cursor []byte) bool {
	c, err := f.cursor(cursor)
	return err == nil && c.More
}

// Poll gives the messages that the cursor has not seen, by the names of the files. One that is still being written is left for the
// next time: an empty one, one that was written to a moment ago, or changes while it is read. One that cannot be read, or stays empty,
// stops no other, and a person is told.
func (f *Folder) Poll(_ context.Context, cursor []byte, now time.Time) ([]drp.Evidence, []byte, error) {
	c, err := f.cursor(cursor)
	if err != nil {
		return nil, nil, err
	}
	entries, err := os.ReadDir(f.Path)
	if err != nil {
		return nil, nil, fmt.Errorf("mailbox %s: the folder cannot be read: %w", f.Name, err)
	}
	var out []drp.Evidence
	var remark error
	total := 0
	c.More = false
	for _, e := range entries {
		name := e.Name()
		i, known := slices.BinarySearch(c.Seen, named(name))
		if known || e.IsDir() || !strings.EqualFold(filepath.Ext(name), ".eml") {
			continue
		}
		path := filepath.Join(f.Path, name)
		info, err := os.Stat(path)
		if err != nil || now.Sub(info.ModTime()).Abs() < rest {
			continue // not there yet, or not any more
		}
		if wanted := (listed{size: info.Size()}).wanted(); total > 0 && int64(total)+wanted > maxPoll {
			c.More = true
			break
		}
		if !info.Mode().IsRegular() { // opening a pipe would wait for whoever writes to it
			remark = cmp.Or(remark, f.unreadable(info))
			continue
		}
		body, err := readMessage(path)
		switch after, gone := os.Stat(path); {
		case gone != nil, after.Size() != info.Size(), !after.ModTime().Equal(info.ModTime()):
			continue
		case err == nil && len(body) > 0:
		default:
			if err != nil || now.Sub(info.ModTime()) > emptyFor {
				remark = cmp.Or(remark, f.unreadable(info))
			}
			continue
		}
		out = append(out, evidence(f.Name, body, now))
		total += len(body)
		c.Seen = slices.Insert(c.Seen, i, named(name))
	}
	next, err := json.Marshal(c)
	return out, next, cmp.Or(err, remark)
}

// emptyFor is how long a file may be empty before a person is told.
const emptyFor = 15 * time.Minute

// unreadable says which file holds no message that can be read: not by its name, which may be somebody's words.
func (f *Folder) unreadable(info os.FileInfo) error {
	return port.Remark{Err: fmt.Errorf("mailbox %s: a file in its folder is empty, or cannot be read; it was written at %s (%d bytes): "+
		"see to it that drpd's account may read it, or ask its sender to send the message again; all others are read", f.Name,
		info.ModTime().UTC().Format("15:04 UTC on Monday 2 January 2006"), info.Size())}
}

// readMessage reads a file, of one that is over the size limit its head.
func readMessage(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	size := info.Size()
	if size <= maxMessage {
		body := make([]byte, size)
		_, err := io.ReadFull(file, body)
		return body, err
	}
	head := make([]byte, maxHead)
	if _, err := io.ReadFull(file, head); err != nil {
		return nil, err
	}
	return overSize(fmt.Sprintf("%d bytes", size), head), nil
}

// evidence keys a message by its bytes, never by its Message-ID, which its sender chooses.
func evidence(source string, body []byte, now time.Time) drp.Evidence {
	sum := sha256.Sum256(body)
	id := hex.EncodeToString(sum[:])
	return drp.Evidence{ID: "m" + id[:31], Source: source, Kind: drp.Message, Key: id, Learned: now, Body: body}
}
