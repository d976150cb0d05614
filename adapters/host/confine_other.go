//go:build !linux && !windows

package host

import (
	"fmt"
	"syscall"
)

// confine sets what other systems bound: of memory only what the runtime keeps to by itself.
func confine(uint64) error {
	for _, what := range []int{syscall.RLIMIT_CORE, syscall.RLIMIT_FSIZE} {
		if err := syscall.Setrlimit(what, &syscall.Rlimit{}); err != nil {
			return fmt.Errorf("limit %d cannot be set: %w", what, err)
		}
	}
	return nil
}
