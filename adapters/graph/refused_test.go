package graph

import (
	"testing"
	"time"
)

// How long a service is left alone: as long as it says, in seconds or until a time; a while where it does not say, and never for ever.
func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	for said, want := range map[string]time.Duration{
		"7": 7 * time.Second, " 0 ": 0, "Fri, 20 Nov 2026 09:00:30 GMT": 30 * time.Second, "Fri, 20 Nov 2026 08:00:00 GMT": 0,
		"": 10 * time.Second, "soon": 10 * time.Second, "-5": 10 * time.Second, "2000000000": time.Hour, "Fri, 20 Nov 2099 09:00:30 GMT": time.Hour,
	} {
		if got := retryAfter(said, now); got != want {
			t.Errorf("%q: %s, want %s", said, got, want)
		}
	}
}
