package smime

import "errors"

// RefusedUnread says whether an envelope is refused before the library reads it.
func RefusedUnread(data []byte) bool {
	_, err := parse(data)
	return errors.Is(err, errNested)
}
