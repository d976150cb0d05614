package port

// Damaged is an error about one thing in the ledger that cannot be read: its payload was changed, or its key is gone. Everything else
// can be read.
type Damaged struct {
	What string // "effect ...", "evidence ..."
	Err  error
}

func (d Damaged) Error() string { return d.What + ": " + d.Err.Error() }
func (d Damaged) Unwrap() error { return d.Err }
