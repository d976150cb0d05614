// Package apart reads messages in a process of their own: drpd starts itself, hands over the bytes of one message after the other
// on standard input, and gets from each what it says on standard output.
//
// It promises: no byte that somebody sent is looked at in the process of the daemon. The one that does has no environment, no open
// files but its input and output, a folder with nothing in it, and bounds on its memory, which it sets for itself before it
// takes a message; and on its time and on what it says, which are kept over here. What comes back is a mapping.Letter, checked
// for what it is. drpd's own key never goes there: what is encrypted for it comes back to be opened, and that is the key of one
// message. A process that dies, hangs, says too much or says what is no reading is ended: only the message that it read pays for
// that. Of that one the files are not opened, its words and its sender are read in another process, and it says so (Unsafe).
// What keeps a reader from starting is no fault of a message: it is an error, and nothing is known of the message then.
package apart

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"drpd/core/drp"
	"drpd/mapping"
)

// NotOpened is said of each file that is not opened because the process that opened the message ended over it.
const NotOpened = "this attachment could not be opened safely"

const (
	patience    = 20 * time.Second // for one message
	mostRead    = 200              // messages by one process
	startTime   = 30 * time.Second // in which a process must be ready
	mostUnlocks = 50               // that one message may ask for
)

// Reader reads messages, in one process after the other. It may be used by several at once: they take turns.
type Reader struct {
	Start    func() *exec.Cmd // a process that serves; its files, environment and folder are set here
	Settings Settings         // with no patience: 20 seconds
	Own      crypto.Decrypter // drpd's own key; nil: none
	Most     int              // messages by one process; 0: 200

	turn  sync.Mutex
	child *child
}

// Read says what a message says. An error: it was not read, for no fault of its own.
func (r *Reader) Read(ctx context.Context, message []byte) (mapping.Letter, error) {
	r.turn.Lock()
	defer r.turn.Unlock()
	l, over, err := r.letter(ctx, whole, message)
	if err != nil || over == nil {
		return l, err
	}
	why := fmt.Sprintf("%s (%s)", NotOpened, over)
	if l, over, err = r.letter(ctx, wordsOnly, message); err != nil {
		return mapping.Letter{}, err
	}
	if over != nil {
		l = mapping.Letter{Why: why, Problems: []drp.Doubt{{What: why, Position: "message"}}}
	}
	l.Unsafe, l.Unread = why, cmp.Or(l.Unread, why)
	return l, nil
}

// letter has a message read. Over is why the process ended over it.
func (r *Reader) letter(ctx context.Context, how byte, message []byte) (l mapping.Letter, over, err error) {
	over, err = r.ask(ctx, func(kind byte, data []byte) (err error) {
		if kind != reading {
			return errRubbish
		}
		l, err = decode(data)
		return err
	}, how, message)
	return l, over, err
}

// File gives the bytes of the form in a message that has this digest. An error: nobody knows whether it is there.
func (r *Reader) File(ctx context.Context, message []byte, digest string) (found []byte, ok bool, err error) {
	r.turn.Lock()
	defer r.turn.Unlock()
	if !digests.MatchString(digest) {
		return nil, false, nil
	}
	over, err := r.ask(ctx, func(kind byte, data []byte) error {
		if found, ok = data, kind == file; !ok && kind != missing {
			return errRubbish
		}
		return nil
	}, fileOf, []byte(digest), message)
	if over != nil {
		err = fmt.Errorf("%s (%w)", NotOpened, over)
	}
	return found, ok, err
}

// Rest ends the process that reads, if one does: the next message starts another.
func (r *Reader) Rest() {
	r.turn.Lock()
	defer r.turn.Unlock()
	r.let((*child).end)
}

// let lets go of the process, if there is one.
func (r *Reader) let(end func(*child)) {
	if r.child != nil {
		end(r.child)
		r.child = nil
	}
}

// ask has something done by the process that is there. Where that one ends over it and has done others before, a new one tries:
// it may have ended of what came before. Over is why that one ended too.
func (r *Reader) ask(ctx context.Context, take func(kind byte, data []byte) error, kind byte, parts ...[]byte) (over, err error) {
	for {
		if r.child != nil && r.child.served >= cmp.Or(r.Most, mostRead) {
			r.let((*child).end)
		}
		if r.child == nil {
			if r.child, err = r.start(ctx); err != nil {
				return nil, err
			}
		}
		first := r.child.served == 0
		r.child.served++
		answer, data, over := r.child.ask(ctx, r.Own, kind, parts)
		if over == nil {
			over = take(answer, data)
		}
		if over == nil {
			return nil, nil
		}
		r.let((*child).stop)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if first || errors.Is(over, errLate) {
			return over, nil
		}
	}
}

// child is a process that reads.
type child struct {
	cmd      *exec.Cmd
	in       io.WriteCloser
	to       *bufio.Writer
	from     *bufio.Reader
	folder   string
	patience time.Duration
	served   int
}

// start starts a process, and waits until it is ready.
func (r *Reader) start(ctx context.Context) (*child, error) {
	c := &child{cmd: r.Start(), patience: cmp.Or(r.Settings.Patience, patience)}
	err := c.begin()
	if err != nil {
		return nil, fmt.Errorf("the process that reads messages cannot be started: %w", err)
	}
	s := r.Settings
	s.Patience = c.patience
	how, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	kind, _, err := c.exchange(ctx, startTime, nil, settings, [][]byte{how})
	if err == nil && kind != ready {
		err = errRubbish
	}
	if err != nil {
		c.stop()
		return nil, cmp.Or(ctx.Err(), fmt.Errorf("the process that reads messages does not come up: %w", err))
	}
	return c, nil
}

func (c *child) begin() (err error) {
	if c.folder, err = os.MkdirTemp("", "drpd-reads-"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(c.folder))
		}
	}()
	c.cmd.Env, c.cmd.Dir, c.cmd.Stderr = []string{}, c.folder, nil // what it says when it ends may be somebody's words
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	c.to, c.from = bufio.NewWriter(c.in), bufio.NewReader(out)
	if err := c.cmd.Start(); err != nil {
		return err
	}
	_ = os.Remove(c.folder) // where a folder that is somebody's can go: nothing can be put into it any more
	return nil
}

// errLate says that a message took too long.
var errLate = errors.New("it took too long")

// ask has something done. An error is why the process is of no more use.
func (c *child) ask(ctx context.Context, own crypto.Decrypter, kind byte, parts [][]byte) (byte, []byte, error) {
	answer, data, err := c.exchange(ctx, c.patience, own, kind, parts)
	if err != nil && !errors.Is(err, errLate) && !errors.Is(err, errTooMuch) {
		c.end()
		err = fmt.Errorf("the process that read it ended: %s", c.cmd.ProcessState)
	}
	return answer, data, err
}

// exchange says something to the process and takes its answer, opening keys of messages on the way.
func (c *child) exchange(ctx context.Context, limit time.Duration, own crypto.Decrypter, kind byte, parts [][]byte) (byte, []byte, error) {
	var late atomic.Bool
	over := time.AfterFunc(limit, func() { late.Store(true); c.kill() })
	defer over.Stop()
	defer context.AfterFunc(ctx, c.kill)()
	answer, data, err := c.talk(own, kind, parts)
	if err != nil && late.Load() {
		err = fmt.Errorf("%w: more than %s", errLate, limit)
	}
	return answer, data, err
}

func (c *child) talk(own crypto.Decrypter, kind byte, parts [][]byte) (byte, []byte, error) {
	if err := write(c.to, kind, parts...); err != nil {
		return 0, nil, err
	}
	for range mostUnlocks {
		answer, data, err := read(c.from, mostOf)
		if err != nil || answer != unlock {
			return answer, data, err
		}
		if err := write(c.to, key, opened(own, data)); err != nil {
			return 0, nil, err
		}
	}
	return 0, nil, errTooMuch
}

// opened opens the key of a message with drpd's own; nothing where that cannot be.
func opened(own crypto.Decrypter, data []byte) []byte {
	if own == nil || len(data) < 2 {
		return nil
	}
	var how crypto.DecrypterOpts = &rsa.PKCS1v15DecryptOptions{} //nolint:staticcheck // S/MIME programs still encrypt so
	if h := crypto.Hash(data[0]); h != 0 {
		if !h.Available() {
			return nil
		}
		how = &rsa.OAEPOptions{Hash: h}
	}
	out, err := own.Decrypt(nil, bytes.Clone(data[1:]), how)
	if err != nil {
		return nil
	}
	return out
}

func (c *child) kill() { _ = c.cmd.Process.Kill() }

// stop ends the process at once.
func (c *child) stop() {
	c.kill()
	c.end()
}

// end waits until the process has ended, for which it is given a moment once it is told nothing any more.
func (c *child) end() {
	_ = c.in.Close()
	over := time.AfterFunc(time.Second, c.kill)
	_ = c.cmd.Wait()
	over.Stop()
	_ = os.RemoveAll(c.folder)
}
