package apart

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// What the two processes say to each other: a letter for what it is, its length, and as many bytes.
const (
	settings  = 'S' // to the reader, once, before all else
	whole     = 'M' // to the reader: a message
	wordsOnly = 'W' // to the reader: a message of which no file is to be opened
	fileOf    = 'F' // to the reader: the digest of a file, and the message that holds it
	key       = 'K' // to the reader: what it asked to be opened by drpd's own key; nothing: it is refused

	ready   = 'R' // of the reader, once: it has bounded itself
	reading = 'L' // of the reader: what a message says
	file    = 'B' // of the reader: the bytes of a file
	missing = 'N' // of the reader: no such file
	unlock  = 'U' // of the reader: a key of a message that is for drpd's own to open
)

// The most bytes that each takes from the other.
const (
	maxMessage = 26 << 20 // a message, and a digest before it
	maxReading = 8 << 20
	maxLocked  = 4 << 10
	maxParts   = 100_000 // objects in a reading: each takes more room in memory than on its way

	digestLength = 16
	headLength   = 5
)

// mostOf is how much the daemon takes of each kind from a reader; of what is not in it nothing.
func mostOf(kind byte) int {
	switch kind {
	case reading:
		return maxReading
	case file:
		return maxMessage
	case unlock:
		return maxLocked
	}
	return 0
}

// errTooMuch says that more came than the other side takes.
var errTooMuch = errors.New("it said more than is taken")

func write(w *bufio.Writer, kind byte, parts ...[]byte) error {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	head := binary.BigEndian.AppendUint32([]byte{kind}, uint32(n))
	if _, err := w.Write(head); err != nil {
		return err
	}
	for _, p := range parts {
		if _, err := w.Write(p); err != nil {
			return err
		}
	}
	return w.Flush()
}

// read takes what the other side says, never more than most allows for its kind.
func read(r io.Reader, most func(kind byte) int) (kind byte, data []byte, err error) {
	var head [headLength]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	kind = head[0]
	n := int64(binary.BigEndian.Uint32(head[1:]))
	if n > int64(most(kind)) {
		return kind, nil, fmt.Errorf("%w: %d bytes of kind %q", errTooMuch, n, kind)
	}
	data = make([]byte, n)
	_, err = io.ReadFull(r, data)
	return kind, data, err
}
