package main

import (
	_ "time/tzdata" // Europe/London, on servers that have no zone files
)
