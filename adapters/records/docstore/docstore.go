// Package docstore keeps copies of dispute forms, and minutes, in a folder per child: a folder as document store.
//
// A copy is written once, under its reference, whole or not at all, with a file beside it that says what it is.
package docstore

import (
	"context"
	"encoding/json"
	"fmt"
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

// KeepForm puts a copy on the child's file. The same reference twice keeps one.
func (f *Folder) KeepForm(_ context.Context, c port.FormFile) error {
	if c.Child == "" || strings.ContainsAny(c.Child, `/\.`) {
		return port.Permanent{Err: fmt.Errorf("document store: the child's number cannot be the name of a folder")}
	}
	dir := filepath.Join(f.Path, c.Child)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("document store: %w", err)
	}
	name := filepath.Join(dir, c.Dispute+"_"+c.Reference)
	about, err := json.MarshalIndent(map[string]string{"dispute": c.Dispute, "reference": c.Reference, "what": c.What, "on": c.On.String(),
		"author": "drpd (automatic)"}, "", "  ")
	if err != nil {
		return err
	}
	if err := f.Write(name+".json", about); err != nil {
		return fmt.Errorf("document store: %w", err)
	}
	if err := f.Write(name+filepath.Ext(c.Name), c.Data); err != nil {
		return fmt.Errorf("document store: %w", err)
	}
	return nil
}
