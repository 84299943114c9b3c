package provision

import (
	"context"
	"maps"
	"reflect"
	"slices"

	"limen/internal/call"
	"limen/internal/wire/scim"
)

// owns are the attributes that people change of themselves. The others are the administrators', as elsewhere: the login name, the
// state, the job, what other systems give them; and those that say where codes reach them, which want a recent sign-in.
// Of the tenant's own attributes those are people's that the tenant says.
var owns = []string{
	"displayName", "name", "nickName", "profileUrl", "preferredLanguage", "locale", "timezone", "phoneNumbers", "addresses", "ims", "photos", CustomURN,
}

// ReplaceOwn makes the caller what they send, as far as people may: what is the administrators' stays as it is, and so
// do telephone numbers when none are sent. Fault: ErrSelf for another mobile number.
func (d *Directory) ReplaceOwn(ctx context.Context, c *call.Call, match string, in Draft) (Resource, error) {
	in.own = true
	return d.change(ctx, c, c.User(), match, in, func(_ *scim.Type, was scim.Object) (scim.Object, error) {
		now := maps.Clone(was)
		for _, name := range owns {
			v, sent := in.object[name]
			switch {
			case sent:
				now[name] = v
			case name != "phoneNumbers":
				delete(now, name)
			}
		}
		return now, nil
	})
}

// PatchOwn changes the caller by operations, all of them or none. Faults: those of Patch; ErrMutable for what is the administrators'.
func (d *Directory) PatchOwn(ctx context.Context, c *call.Call, match string, in Draft, body []byte) (Resource, error) {
	in.own = true
	return d.change(ctx, c, c.User(), match, in, func(t *scim.Type, was scim.Object) (scim.Object, error) {
		ops, err := t.Patch(body)
		if err != nil {
			return nil, Fault(err)
		}
		now, err := t.Apply(was, ops)
		if err != nil {
			return nil, Fault(err)
		}
		if name := beyond(was, now); name != "" {
			return nil, ErrMutable.Say("%s is for administrators to change", name)
		}
		return now, nil
	})
}

// beyond is an attribute that differs and is not the person's; empty: none.
func beyond(was, now scim.Object) string {
	names := slices.Sorted(maps.Keys(was))
	names = slices.AppendSeq(names, maps.Keys(now))
	for _, name := range names {
		if !slices.Contains(owns, name) && !reflect.DeepEqual(was[name], now[name]) {
			return name
		}
	}
	return ""
}
