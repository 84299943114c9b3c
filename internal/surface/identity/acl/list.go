package acl

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"limen/internal/core/acl"
	"limen/internal/fault"
	"limen/internal/fold"
	"limen/internal/op"
	"limen/internal/surface/identity/page"
	"limen/internal/wire/rpc"
)

// Args are the page of a list, with a filter.
type Args struct {
	page.Args
	// FilterBy are columns that FilterValue is searched in.
	FilterBy []string `json:"FilterBy" rpc:"one"`
	// FilterValue keeps rows in which one of these columns contains it, whatever the case; empty keeps all.
	FilterValue string `json:"FilterValue"`
}

// Listing asks for the entries of a row.
type Listing struct {
	RowRef
	// ReduceSysadmin leaves out what system administrators are given besides: they hold everything, which one row tells.
	ReduceSysadmin bool `json:"ReduceSysadmin"`
	// Args say which page; everything when absent.
	Args Args `json:"Args"`
}

// Check wants a row, and columns that there are.
func (l *Listing) Check() error {
	for _, name := range append(slices.Clone(l.Args.FilterBy), l.Args.SortBy) {
		if _, ok := columns[fold.Key(strings.TrimSpace(name))]; !ok && strings.TrimSpace(name) != "" {
			return fault.Bad("Args", "names %.40q, which is no column of the list", name)
		}
	}
	return l.RowRef.Check()
}

// columns are those that rows can be sorted and filtered by.
var columns = map[string]func(RowAce) string{
	"aceid":         func(r RowAce) string { return r.AceID },
	"principal":     func(r RowAce) string { return r.Principal },
	"principalname": func(r RowAce) string { return r.PrincipalName },
	"principaltype": func(r RowAce) string { return r.PrincipalType },
	"grant":         func(r RowAce) string { return r.GrantStr },
	"grantstr":      func(r RowAce) string { return r.GrantStr },
	"type": func(r RowAce) string {
		if r.Type == nil {
			return ""
		}
		return *r.Type
	},
}

// RowAce is somebody's rights on a row.
type RowAce struct {
	AceID         string    `json:"AceId"` // empty of administrative rights
	Principal     string    `json:"Principal"`
	PrincipalName string    `json:"PrincipalName"`
	PrincipalType string    `json:"PrincipalType"` // User or Role
	Type          *string   `json:"Type"`          // null: an entry; Super: by an administrative right; GlobalRoot: full administration
	Grant         uint64    `json:"Grant"`         // the mask
	GrantStr      string    `json:"GrantStr"`      // its 64 bits, the most significant first
	Inherited     bool      `json:"Inherited"`     // not by an entry of the row itself
	From          *rpc.Time `json:"From"`          // null: from the beginning
	Until         *rpc.Time `json:"Until"`         // null: without end
	Reason        string    `json:"Reason"`
	GrantedBy     string    `json:"GrantedBy"`
}

func rowAce(e acl.Entry) RowAce {
	out := RowAce{
		e.ID, e.Principal, e.Name, e.Kind, nil, uint64(e.Mask), e.Mask.Digits(), e.Source != acl.Direct,
		moment(e.Since), moment(e.Until), e.Reason, e.Granter,
	}
	words := map[acl.Source]string{acl.Super: "Super", acl.Root: "GlobalRoot"}
	if word, ok := words[e.Source]; ok {
		out.Type = &word
	}
	return out
}

// GetRowAces lists who has which rights on a row: its own entries first, then those of sets that it is in, then administrative
// rights (Type Super) and full administration (Type GlobalRoot).
//
// Grant is a number in every row. What an administrative right gives has no AceId. Rows of Role, User and Organization carry no
// entries; whoever may view such a row only because it is their own, or because they are in the role, is not told who
// administers it. Entries that begin later are listed, those that have ended are not. From, Until, Reason and GrantedBy go
// beyond the contract. Errors: acl.table, acl.row_not_found, acl.denied. acl.yaml n 516.
func (a ACL) GetRowAces(ctx context.Context, c *op.Call, in Listing) ([]RowAce, error) {
	o, err := a.Lists.Need(ctx, c, in.Table, in.RowKey, acl.View)
	if err != nil {
		return nil, err
	}
	es, err := a.Lists.Of(ctx, c, o)
	if err != nil {
		return nil, err
	}
	return a.listed(ctx, c, in, es)
}

// GetCollectionAces lists which rights a set gives on its members, apart from the rights on the set itself, which GetRowAces
// lists; and who has rights on all members by administrative rights.
//
// Table is the type of the members, or Collections. Errors: acl.table, acl.row_not_found, also where the set is of another type,
// acl.denied. acl.yaml n 510.
func (a ACL) GetCollectionAces(ctx context.Context, c *op.Call, in Listing) ([]RowAce, error) {
	t, err := a.Lists.Table(in.Table)
	if err != nil {
		return nil, err
	}
	o, err := a.Lists.Need(ctx, c, acl.Collections, in.RowKey, acl.View)
	if err == nil && t.Name != acl.Collections && t.Name != o.Type {
		err = acl.ErrRow
	}
	if err != nil {
		return nil, err
	}
	es, err := a.Lists.OnMembers(ctx, c, o)
	if err != nil {
		return nil, err
	}
	return a.listed(ctx, c, in, es)
}

// maxRows is the most rows of a page.
const maxRows = 100_000

// listed is the page of a list that is asked for.
func (a ACL) listed(ctx context.Context, c *op.Call, in Listing, es []acl.Entry) (_ []RowAce, err error) {
	if in.ReduceSysadmin {
		if es, err = a.Lists.Reduced(ctx, c, es); err != nil {
			return nil, err
		}
	}
	rows := []RowAce{}
	for _, e := range es {
		if r := rowAce(e); in.Args.keep(r) {
			rows = append(rows, r)
		}
	}
	if by, ok := columns[fold.Key(strings.TrimSpace(in.Args.SortBy))]; ok {
		slices.SortStableFunc(rows, func(a, b RowAce) int {
			order := cmp.Compare(fold.Key(by(a)), fold.Key(by(b)))
			if in.Args.Desc() {
				order = -order
			}
			return order
		})
	}
	first := len(rows)
	if size := in.Args.Size(maxRows); in.Args.Number()-1 < len(rows)/size+1 {
		first = min((in.Args.Number()-1)*size, len(rows))
	}
	return rows[first:min(first+in.Args.Rows(maxRows), len(rows))], nil
}

// keep says whether a row is within the filter.
func (a Args) keep(r RowAce) bool {
	if a.FilterValue == "" || len(a.FilterBy) == 0 {
		return true
	}
	return slices.ContainsFunc(a.FilterBy, func(name string) bool {
		by, ok := columns[fold.Key(strings.TrimSpace(name))]
		return ok && strings.Contains(fold.Key(by(r)), fold.Key(a.FilterValue))
	})
}
