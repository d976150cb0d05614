package graph

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// wellKnown are the folders that Graph knows by a name of its own, whatever the mailbox's language calls them.
func wellKnown(name string) string {
	name = strings.ToLower(name)
	if slices.Contains([]string{"inbox", "archive", "sentitems", "drafts", "deleteditems", "junkemail"}, name) {
		return name
	}
	return ""
}

// folder finds a folder by its name: one that Graph knows by a name of its own, or one as people see it, with those above it before
// a slash.
func (c *Client) folder(ctx context.Context, path string) (id string, err error) {
	at := c.user("mailFolders")
	for i, name := range strings.Split(path, "/") {
		if known := wellKnown(name); i == 0 && known != "" {
			err = c.get(ctx, query(c.user("mailFolders", known), "$select", "displayName"), 0, func(body []byte) error {
				f, err := readItem(body)
				id = f.ID
				return err
			})
		} else {
			id, err = c.named(ctx, at, name, path)
		}
		if err != nil {
			return "", err
		}
		at = c.user("mailFolders", id, "childFolders")
	}
	return id, nil
}

// named finds the one folder of a name.
func (c *Client) named(ctx context.Context, at, name, path string) (id string, err error) {
	var found []string
	err = c.get(ctx, query(at, "$filter", "displayName eq "+quoted(name), "$select", "displayName"), 0, func(body []byte) error {
		l, err := readList(body)
		for _, f := range l.Value {
			if strings.EqualFold(f.Name, name) {
				found = append(found, f.ID)
			}
		}
		return err
	})
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return "", &noFolder{fmt.Sprintf("%s: folder %s is not there: is its name right, with those above it, as in Inbox/Done?", c.Who, path)}
	case len(found) > 1:
		return "", fmt.Errorf("%s: there are %d folders %s: give one of them another name", c.Who, len(found), path)
	}
	return found[0], nil
}

// noFolder is the error of a folder that is not there.
type noFolder struct{ what string }

func (n *noFolder) Error() string { return n.what }

// Check sees whether the folders can be opened, and says what is wrong where they cannot. Nothing is changed: whether messages may be
// moved shows when the first one is.
func (m *Mailbox) Check(ctx context.Context) error {
	id, err := m.folder(ctx, m.Folder)
	if err != nil {
		return err
	}
	if err := m.get(ctx, query(m.user("mailFolders", id, "messages"), "$select", "receivedDateTime", "$top", "1"), 0, func(body []byte) error {
		_, err := readList(body)
		return err
	}); err != nil || m.Done == "" {
		return err
	}
	_, err = m.doneFolder(ctx)
	return err
}

// doneFolder finds the folder into which messages are put away.
func (m *Mailbox) doneFolder(ctx context.Context) (string, error) {
	id, err := m.folder(ctx, m.Done)
	var no *noFolder
	if errors.As(err, &no) {
		err = fmt.Errorf("%s: folder %s is not there: make it, or leave done_folder out", m.Who, m.Done)
	}
	return id, err
}
