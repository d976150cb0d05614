package apart

// For tests: a reading on its way, and back.
var (
	Encode = encode
	Decode = decode
)
