package host

import (
	"os"
	"runtime"
	"runtime/debug"
)

// Confine takes from this process, for good, what a reader of foreign bytes has no use for. On Linux it may write to no more
// memory than this many bytes, and can open no file and no connection, start no program and gain no privilege; on Windows it has
// this much memory and starts no other process. A process that needs more memory is ended by the system.
func Confine(memory uint64) error {
	debug.SetMemoryLimit(int64(memory / 4 * 3)) // the rest is for what the runtime does not count
	runtime.GOMAXPROCS(min(2, runtime.GOMAXPROCS(0)))
	return confine(memory)
}

// Self is the program of this process, also where another has been put into its place meanwhile.
func Self() (string, error) {
	const self = "/proc/self/exe"
	if runtime.GOOS == "linux" {
		if _, err := os.Stat(self); err == nil {
			return self, nil
		}
	}
	return os.Executable()
}
