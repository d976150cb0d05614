package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"drpd/adapters/host"
	"drpd/adapters/ledger"
	"drpd/cmd/drpd/config"
)

// begun is what the name of a key file ends with until the ledger is there to which it belongs.
const begun = ".new"

// masterKey reads the key file. Where there is none it makes one for a ledger that does not exist yet, and says so: the key
// gets its name once the ledger is there. So a key under its name always has a ledger.
func masterKey(c *config.Config) (key []byte, fresh bool, err error) {
	path := c.Path(c.State.Key)
	if key, err = os.ReadFile(path); !errors.Is(err, fs.ErrNotExist) {
		return key, false, errors.Join(err, host.Private(path))
	}
	if key, err = os.ReadFile(path + begun); !errors.Is(err, fs.ErrNotExist) { // drpd ended while it made the ledger
		return key, true, err
	}
	if _, err := os.Stat(c.Path(c.State.File)); c.State.File != "" && err == nil {
		const what = "the key file %s is missing but the ledger is there: restore the key file, nothing can be read without it"
		return nil, false, fmt.Errorf(what, path)
	}
	key = make([]byte, ledger.KeySize)
	_, _ = rand.Read(key)
	return key, true, host.WriteSecret(path+begun, key)
}

// lost says what to do where the ledger of a key is not there.
func lost(c *config.Config, err error) error {
	if !errors.Is(err, ledger.ErrNotHere) {
		return err
	}
	state := c.Path(c.State.File)
	if c.State.DSNFile != "" {
		state = "the database of " + c.Path(c.State.DSNFile)
	}
	return fmt.Errorf("%w: %s is missing or empty, but the key file %s is there. Restore the state that was made with it, "+
		"or what was sent before goes again. Only where drpd is to begin anew: move the key file away", err, state, c.Path(c.State.Key))
}
