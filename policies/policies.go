// Package policies holds the shipped procedures, a folder each: policy.yaml is the procedure, cases.yaml its tests.
// A council's own procedure is one more folder like these.
package policies

import "embed"

// Schema is the JSON Schema of the policy language, generated from its types: for editors.
//
//go:embed policy.schema.json
var Schema string

// FS holds every shipped policy.
//
//go:embed */*.yaml
var FS embed.FS
