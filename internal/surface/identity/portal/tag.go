package portal

import (
	"context"

	"limen/internal/fault"
	"limen/internal/op"
)

// TagRef names a tag of the caller's.
type TagRef struct {
	// Name is the tag's name of at most 100 bytes, whatever its case; required.
	Name string `json:"tagname"`
}

// Check wants it.
func (t *TagRef) Check() error { return required("tagname", t.Name) }

// CreateTagWithNoApp makes a tag of the caller's that nothing carries yet. Errors: portal.tag_exists, portal.too_many beyond
// 500 tags. apps.yaml n 200.
func (p Portal) CreateTagWithNoApp(ctx context.Context, c *op.Call, in TagRef) (op.None, error) {
	return op.None{}, p.Portal.CreateTag(ctx, c, in.Name)
}

// DeleteTag deletes a tag of the caller's, and takes it off everything. Errors: portal.tag_not_found. apps.yaml n 201.
func (p Portal) DeleteTag(ctx context.Context, c *op.Call, in TagRef) (op.None, error) {
	return op.None{}, p.Portal.DeleteTag(ctx, c, in.Name)
}

// NewTagName renames a tag.
type NewTagName struct {
	TagRef
	// NewName is the name that it gets; required.
	NewName string `json:"newTagname"`
}

// Check wants both names.
func (n *NewTagName) Check() error {
	if err := n.TagRef.Check(); err != nil {
		return err
	}
	return required("newTagname", n.NewName)
}

// RenameTag gives a tag of the caller's another name; what carries it carries it still. Errors: portal.tag_not_found,
// portal.tag_exists. apps.yaml n 209.
func (p Portal) RenameTag(ctx context.Context, c *op.Call, in NewTagName) (op.None, error) {
	return op.None{}, p.Portal.RenameTag(ctx, c, in.Name, in.NewName)
}

// GetTagsForApp lists the caller's tags on an application, by name. Errors: portal.not_found, acl.denied. apps.yaml n 207.
func (p Portal) GetTagsForApp(ctx context.Context, c *op.Call, in AppRef) ([]string, error) {
	tags, err := p.Portal.TagsOf(ctx, c, in.AppKey)
	return list(tags), err
}

// AppTags are the tags of an application.
type AppTags struct {
	AppRef
	// Names are all tags that it is to have, at most 50; required, and empty for none.
	Names op.Opt[[]string] `json:"tagnames" rpc:"one"`
}

// Check wants the list to be there.
func (t *AppTags) Check() error {
	if err := t.AppRef.Check(); err != nil {
		return err
	}
	return listed(t.Names)
}

func listed(names op.Opt[[]string]) error {
	if !names.Given() {
		return fault.Missing("tagnames")
	}
	return nil
}

// UpsertTagsForApp sets the caller's tags on an application: the list is all that it has then, and tags that there are not are
// made. Errors: portal.not_found, acl.denied, portal.too_many. apps.yaml n 217.
func (p Portal) UpsertTagsForApp(ctx context.Context, c *op.Call, in AppTags) (op.None, error) {
	return op.None{}, p.Portal.TagApp(ctx, c, in.AppKey, in.Names.Or(nil))
}

// ItemTags are the tags of a secured item.
type ItemTags struct {
	ItemRef
	// Names are all tags that it is to have, at most 50; required, and empty for none.
	Names op.Opt[[]string] `json:"tagnames" rpc:"one"`
}

// Check wants the list to be there.
func (t *ItemTags) Check() error {
	if err := t.ItemRef.Check(); err != nil {
		return err
	}
	return listed(t.Names)
}

// UpsertTagsForSecuredItem is UpsertTagsForApp for a secured item. Errors: portal.not_found, portal.too_many. apps.yaml n 218.
func (p Portal) UpsertTagsForSecuredItem(ctx context.Context, c *op.Call, in ItemTags) (op.None, error) {
	return op.None{}, p.Portal.TagSecured(ctx, c, in.ItemKey, in.Names.Or(nil))
}
