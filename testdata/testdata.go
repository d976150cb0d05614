// Package testdata holds what tests and the demo share: the demo council's story, its configuration and its schema, and
// small procedures, each of which shows a few things that the policy language can say, and small record systems.
// Every name in it is made up.
package testdata

import "embed"

// FS holds the files.
//
//go:embed demo policies systems
var FS embed.FS
