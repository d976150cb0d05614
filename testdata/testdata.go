// Package testdata holds what tests and the demo share: the demo council's story, its configuration and its schema, and
// small procedures, each of which shows a few things that the policy language can say, small record systems, and cases of the
// shipped procedures by a reader of their sources who had not written them.
// Every name in it is made up.
package testdata

import "embed"

// FS holds the files.
//
//go:embed cases demo policies systems
var FS embed.FS
