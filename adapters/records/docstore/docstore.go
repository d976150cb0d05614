// Package docstore keeps copies of dispute forms, and minutes, in a folder per child: a folder as document store.
//
// A copy is written once, under its reference, whole or not at all, with a file beside it that says what it is.
package docstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"drpd/core/port"
)

// Folder is a document store in a folder.
type Folder struct {
	Path  string
	Write func(name string, data []byte) error // private, whole or not at all
}

// Of gives the files that were kept of a dispute, on whatever child's file.
func (f *Folder) Of(dispute string) ([]string, error) {
	children, err := os.ReadDir(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, c := range children {
		if err != nil || !c.IsDir() {
			continue
		}
		var files []os.DirEntry
		files, err = os.ReadDir(filepath.Join(f.Path, c.Name()))
		for _, x := range files {
			if strings.HasPrefix(x.Name(), dispute+"_") {
				names = append(names, filepath.Join(f.Path, c.Name(), x.Name()))
			}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("document store: %w", err)
	}
	return names, nil
}

// Erase takes away what was kept of a dispute, and a child's folder in which nothing is left. It says how many files there were.
func (f *Folder) Erase(dispute string) (int, error) {
	names, err := f.Of(dispute)
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, fmt.Errorf("document store: a file of dispute %s cannot be taken away", dispute)
		}
		if left, err := os.ReadDir(filepath.Dir(name)); err == nil && len(left) == 0 {
			_ = os.Remove(filepath.Dir(name)) // another file may have come
		}
	}
	return len(names), nil
}

// KeepForm puts a copy on the child's file. The same reference twice keeps one.
func (f *Folder) KeepForm(_ context.Context, c port.FormFile) error {
	if c.Child == "" {
		return port.Permanent{Err: fmt.Errorf("document store: the child has no number, by which a folder could be called")}
	}
	dir := filepath.Join(f.Path, port.FileName(c.Child))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("document store: %w", err)
	}
	base := c.Dispute + "_" + c.Reference
	about, err := json.MarshalIndent(map[string]string{"dispute": c.Dispute, "reference": c.Reference, "what": c.What, "on": c.On.String(),
		"author": "drpd (automatic)"}, "", "  ")
	if err != nil {
		return err
	}
	if err := f.Write(filepath.Join(dir, port.FileName(base+".json")), about); err != nil {
		return fmt.Errorf("document store: %w", err)
	}
	if err := f.Write(filepath.Join(dir, port.FileName(base+filepath.Ext(c.Name))), c.Data); err != nil {
		return fmt.Errorf("document store: %w", err)
	}
	return nil
}
