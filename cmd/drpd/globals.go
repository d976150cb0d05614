package main

import (
	_ "time/tzdata" // Europe/London, on servers that have no zone files

	"drpd/adapters/smime"
)

// switches sets what libraries hold for the whole program.
func switches() { smime.Strong() }
