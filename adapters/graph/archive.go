package graph

import (
	"context"
	"strings"

	"drpd/core/port"
)

// Check sees whether the mailbox's Sent Items can be opened, in which a message is looked for whose end nobody knows. Whether the
// application may send shows with the first message: nothing is sent to find out.
func (s *Sender) Check(ctx context.Context) error {
	_, err := s.sentItems(ctx, "$top", "1")
	return err
}

// latest is how many of the messages that were sent last are looked at, to see whether Sent Items keep the IDs of messages.
const latest = "200"

// Holds says whether Sent Items hold a message with an ID, which is given without its brackets. Where they hold messages and none of
// drpd's IDs, it is port.ErrNoArchive: whether a message keeps its ID there is not in Microsoft's documentation, and one that has got
// another would be sent again.
func (c *Client) Holds(ctx context.Context, id string) (bool, error) {
	_, host, _ := strings.Cut(id, "@")
	found, err := c.sentItems(ctx, "$filter", "internetMessageId eq "+quoted("<"+id+">"), "$top", "5")
	for _, i := range found {
		if i.Message == "<"+id+">" {
			return true, nil
		}
	}
	if err != nil {
		return false, err
	}
	last, err := c.sentItems(ctx, "$orderby", "sentDateTime desc", "$top", latest)
	if err != nil || len(last) == 0 {
		return false, err
	}
	for _, i := range last {
		if strings.HasSuffix(i.Message, "@"+host+">") {
			return false, nil
		}
	}
	return false, port.ErrNoArchive
}

// sentItems lists messages that were sent.
func (c *Client) sentItems(ctx context.Context, options ...string) (found []item, err error) {
	options = append(options, "$select", "internetMessageId")
	err = c.get(ctx, query(c.user("mailFolders", "sentitems", "messages"), options...), 0, func(body []byte) error {
		l, err := readList(body)
		found = l.Value
		return err
	})
	return found, err
}
