package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// longestEntry is how many bytes an entry in a log may have: people's reasons stand in some, and none is as long.
const longestEntry = 1 << 20

// WriteEntry writes an entry as a line of a log: a JSON object, its fields by the names that Entry gives them.
func WriteEntry(w io.Writer, e Entry) error {
	to := json.NewEncoder(w)
	to.SetEscapeHTML(false)
	return to.Encode(e)
}

// ReadLog reads a log as WriteEntry writes it, one entry after the other. An error of its own says which line is none.
func ReadLog(r io.Reader, each func(Entry)) error {
	in := bufio.NewScanner(r)
	in.Buffer(nil, longestEntry)
	n := 0
	for in.Scan() {
		n++
		if len(bytes.TrimSpace(in.Bytes())) == 0 {
			continue
		}
		var e Entry
		line := json.NewDecoder(bytes.NewReader(in.Bytes()))
		line.DisallowUnknownFields()
		if err := line.Decode(&e); err != nil || line.InputOffset() != int64(len(bytes.TrimRight(in.Bytes(), " \t\r"))) {
			return fmt.Errorf("line %d of the log is no entry, as drpd audit export writes them", n)
		}
		each(e)
	}
	if errors.Is(in.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("line %d of the log is longer than any entry", n+1)
	}
	return in.Err()
}
