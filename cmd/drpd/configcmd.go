package main

import (
	"io"

	"drpd/cmd/drpd/config"
)

type configCmd struct {
	Reference configReferenceCmd `cmd:"" help:"Every key of the configuration and of the roster: what it means, its unit, what holds without it, an example."`
	Schema    configSchemaCmd    `cmd:"" help:"The JSON Schema of the configuration, or of the roster, for editors."`
	Example   configExampleCmd   `cmd:"" help:"A configuration to begin with."`
}

type configReferenceCmd struct{}

// Run prints the reference, as Markdown.
func (c *configReferenceCmd) Run(a *app) error {
	a.printf("%s", config.Reference)
	return nil
}

type configSchemaCmd struct {
	Roster bool `help:"Of the roster."`
}

// Run prints a schema.
func (c *configSchemaCmd) Run(a *app) error {
	schema := config.Schema
	if c.Roster {
		schema = config.RosterSchema
	}
	_, err := io.WriteString(a.out, schema)
	return err
}

type configExampleCmd struct {
	Of string `arg:"" optional:"" enum:"drpd,trial,microsoft365,roster" default:"drpd" help:"drpd: with servers. trial: one machine, with folders in place of servers. microsoft365: mail by Microsoft Graph. roster: who holds which role."`
}

// Run prints an example, which loads as it is.
func (c *configExampleCmd) Run(a *app) error {
	b, err := config.Examples.ReadFile("example/" + c.Of + ".yaml")
	if err != nil {
		return err
	}
	a.printf("%s", b)
	return nil
}
