// Package testdata holds what tests and the demo share: the demo council's story, its configuration and its schema.
// Every name in it is made up.
package testdata

import "embed"

// FS holds the files.
//
//go:embed demo
var FS embed.FS
