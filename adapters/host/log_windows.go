package host

import (
	"fmt"

	"golang.org/x/sys/windows/svc/eventlog"
)

// alarmEvent is the number of an alarm in the event log.
const alarmEvent = 1

// SystemLog writes a word into the system's own log as an error: on Windows the Application log, under the source drpd.
func SystemLog(says string) error {
	log, err := eventlog.Open("drpd")
	if err != nil {
		return fmt.Errorf("event log: %w", err)
	}
	defer func() { _ = log.Close() }()
	if err := log.Error(alarmEvent, says); err != nil {
		return fmt.Errorf("event log: %w", err)
	}
	return nil
}
