package records

import (
	"context"
	"time"
)

// Ahead says how far the clock of the database server is ahead of this machine's; false where it is that.
func (s *System) Ahead(ctx context.Context) (by time.Duration, ok bool, err error) {
	if s.dialect.Time == "" {
		return 0, false, nil
	}
	var seconds int64
	if err := s.read.GetContext(ctx, &seconds, s.dialect.Time); err != nil {
		return 0, false, s.fail(err, "its time")
	}
	return time.Until(time.Unix(seconds, 0)), true, nil
}
