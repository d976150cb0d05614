package smime

// NestsDeeper says whether an envelope nests deeper than is taken.
func NestsDeeper(data []byte) bool { return nestsDeeper(data, maxNesting) }
