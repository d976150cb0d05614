package config

import "embed"

// Schema is the JSON Schema of the configuration, and RosterSchema that of the roster, for editors; Reference is what both mean, for
// people. They are generated from the types and their comments.
var (
	//go:embed drpd.schema.json
	Schema string
	//go:embed roster.schema.json
	RosterSchema string
	//go:embed reference.md
	Reference string
)

// Examples holds configurations that set every key, drpd.yaml, trial.yaml and microsoft365.yaml, and a roster.
//
//go:embed example
var Examples embed.FS
