package smime

// WellNested says whether an envelope is nested as its reader can take it.
func WellNested(data []byte) bool { return wellNested(data) }
