package page_test

import (
	"testing"

	"limen/internal/op"
	"limen/internal/surface/identity/page"
)

func TestArgs(t *testing.T) {
	for _, x := range []struct {
		a                  page.Args
		number, size, rows int
		desc               bool
	}{
		{page.Args{}, 1, 1000, 1000, false},
		{page.Args{PageNumber: 3, PageSize: 10}, 3, 10, 10, false},
		{page.Args{PageNumber: 3, PageSize: 10, Limit: 25}, 3, 10, 5, false},
		{page.Args{PageNumber: 4, PageSize: 10, Limit: 25}, 4, 10, 0, false},
		{page.Args{PageNumber: -1, PageSize: -1, Limit: 50, Direction: "False"}, 1, 50, 50, true},
		{page.Args{PageSize: 100000, Ascending: op.Some(false)}, 1, 1000, 1000, true},
		{page.Args{Direction: "asc", Ascending: op.Some(false)}, 1, 1000, 1000, false},
		{page.Args{PageNumber: 1 << 40, PageSize: 1000, Limit: 5}, 1 << 40, 1000, 0, false},
	} {
		if n, s, r, d := x.a.Number(), x.a.Size(1000), x.a.Rows(1000), x.a.Desc(); n != x.number || s != x.size || r != x.rows || d != x.desc {
			t.Errorf("%+v: %d %d %d %v", x.a, n, s, r, d)
		}
	}
}
