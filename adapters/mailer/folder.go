package mailer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"drpd/core/port"
)

// Folder leaves each message as a file. A second delivery of one message replaces the first: the name is the ID's.
type Folder struct {
	Path  string
	Write func(name string, data []byte) error // private, whole or not at all
}

// Deliver writes the message, durably and at once.
func (f *Folder) Deliver(_ context.Context, e port.Envelope, _ string, raw []byte, leaves func() error) error {
	if err := leaves(); err != nil {
		return err
	}
	if err := os.MkdirAll(f.Path, 0o700); err != nil {
		return fmt.Errorf("outgoing folder: %w", err)
	}
	name := filepath.Join(f.Path, fileName(e))
	if err := f.Write(name, raw); err != nil {
		return fmt.Errorf("outgoing folder: %w", err)
	}
	return nil
}

// Find says whether the message has been sent: the archive of this transport is the folder itself.
func (f *Folder) Find(_ context.Context, e port.Envelope) (bool, error) {
	files, err := os.ReadDir(f.Path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	there := slices.ContainsFunc(files, func(x os.DirEntry) bool { return strings.HasSuffix(x.Name(), nameOf(e)) }) // made on whatever day
	return there, err
}

func fileName(e port.Envelope) string { return e.At.Format("2006-01-02") + nameOf(e) }

func nameOf(e port.Envelope) string {
	return port.FileName(fmt.Sprintf("_%s_%s_%s_%s_%s", e.Dispute, e.Reason, e.Role, e.Person, e.Key[:min(8, len(e.Key))])) + ".eml"
}
