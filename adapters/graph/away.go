package graph

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"

	"drpd/core/port"
)

// Items gives the messages that were read and are still in the folder.
func (m *Mailbox) Items(at []byte) (out []port.InboxItem, err error) {
	if m.Done == "" || len(at) == 0 {
		return nil, nil
	}
	c, err := m.read(at)
	if err != nil {
		return nil, err
	}
	for _, id := range slices.Sorted(maps.Keys(c.Inbox)) {
		out = append(out, port.InboxItem{Evidence: c.Inbox[id], Location: id})
	}
	return out, nil
}

// PutAway moves messages into the folder for those that are done. One that is not in the folder any more is passed over: whoever has
// filed it elsewhere finds it there. One that cannot be moved stops no other.
func (m *Mailbox) PutAway(ctx context.Context, locations []string) error {
	from, err := m.folder(ctx, m.Folder)
	if err != nil {
		return err
	}
	done, err := m.doneFolder(ctx)
	if err != nil {
		return err
	}
	var failed error
	in := map[string]bool{from: true}
	for _, id := range locations {
		err := m.move(ctx, id, from, done, in)
		var f *fault
		switch isFault := errors.As(err, &f); {
		case err == nil, isFault && f.gone():
		case !isFault || f.status == http.StatusForbidden || f.status == http.StatusUnauthorized || ctx.Err() != nil:
			return err
		default:
			failed = err
		}
	}
	return failed
}

// move moves one message, where it is still in the folder. in keeps of which folders it is known whether they are that one: Graph may write
// the id of one folder in two ways.
func (m *Mailbox) move(ctx context.Context, id, from, done string, in map[string]bool) error {
	var at item
	err := m.get(ctx, query(m.user("messages", id), "$select", "parentFolderId"), 0, func(body []byte) (err error) {
		at, err = readItem(body)
		return err
	})
	if err != nil {
		return err
	}
	same, known := in[at.Parent]
	if !known {
		var parent item
		if err := m.get(ctx, query(m.user("mailFolders", at.Parent), "$select", "displayName"), 0, func(body []byte) (err error) {
			parent, err = readItem(body)
			return err
		}); err != nil {
			return err
		}
		same = parent.ID == from
		in[at.Parent] = same
	}
	if !same {
		return nil
	}
	body, err := json.Marshal(map[string]string{"destinationId": done})
	if err != nil {
		return err
	}
	return m.do(ctx, call{method: http.MethodPost, url: m.user("messages", id, "move"), kind: "application/json", body: body, role: roleRead,
		immutable: true}, func(resp *http.Response) error {
		_, err := io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer))
		return err
	})
}
