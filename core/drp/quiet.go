package drp

// Quiet says what went wrong in words that may stand in a log, and keeps the error itself, whose text may name people or
// hold a secret, for the program to look at.
func Quiet(what string, err error) error { return &quiet{what, err} }

type quiet struct {
	what string
	err  error
}

func (q *quiet) Error() string { return q.what }
func (q *quiet) Unwrap() error { return q.err }
