package workbook

import (
	"archive/zip"
	"bytes"
	"io"
	"slices"
)

const maxPart = 256 << 20 // bytes of a part of a file that are looked at

// Mentions says whether one of the words stands in a workbook, or in another file that is a ZIP of texts.
func Mentions(data []byte, words []string) (bool, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return false, err
	}
	for _, part := range z.File {
		f, err := part.Open()
		if err != nil {
			return false, err
		}
		text, err := io.ReadAll(io.LimitReader(f, maxPart))
		_ = f.Close() // it was only read
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(words, func(w string) bool { return bytes.Contains(text, []byte(w)) }) {
			return true, nil
		}
	}
	return false, nil
}
