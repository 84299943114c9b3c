package redrock

// Select is one SELECT statement as written: names are not resolved yet.
type Select struct {
	At       Pos
	Distinct bool
	Items    []Item
	From     []From
	Where    Expr // nil: none
	Group    []Expr
	Having   Expr
	Order    []Order
	Limit    *int64 // nil or negative: none
	Offset   int64

	limits Limits
}

// Item is one entry of the SELECT list: an expression, or a star, of one table when Table is set.
type Item struct {
	At    Pos
	Star  bool
	Table string
	Expr  Expr
	Alias string // empty: none
}

// Join is how a table is tied to those before it.
type Join uint8

// The joins of the dialect. A comma and JOIN without ON are Cross.
const (
	Cross Join = iota
	Inner
	Left
)

// From is a table or a derived table.
type From struct {
	At    Pos
	Join  Join // Cross for the first
	Table string
	Query *Select // set for a derived table
	Alias string
	On    Expr // nil for Cross
}

// Order is a term of ORDER BY.
type Order struct {
	Expr Expr
	Desc bool
	// Nulls is 0 for SQLite's order (first when ascending), 1 for NULLS FIRST, 2 for NULLS LAST.
	Nulls uint8
}

// Expr is an expression as written.
type Expr interface{ at() Pos }

// The expressions.
type (
	// Name is a column or an alias; Quoted when it stood in double quotes and may be a text.
	Name struct {
		At     Pos
		Table  string
		Column string
		Quoted bool
	}
	// String is a text in single quotes.
	String struct {
		At    Pos
		Value string
	}
	// Int is a whole number that fits 64 bits.
	Int struct {
		At    Pos
		Value int64
	}
	// Float is any other number.
	Float struct {
		At    Pos
		Value float64
	}
	// Null is NULL.
	Null struct{ At Pos }
	// Unary is NOT, - or +.
	Unary struct {
		At Pos
		Op string
		X  Expr
	}
	// Binary is an arithmetic sign, ||, a comparison (=, <>, <, <=, >, >=) or IS and IS NOT.
	Binary struct {
		At   Pos
		Op   string
		L, R Expr
	}
	// Logic is a chain of AND or of OR with at least two members.
	Logic struct {
		At Pos
		Op string
		X  []Expr
	}
	// Like is [NOT] LIKE.
	Like struct {
		At         Pos
		Not        bool
		X, Pattern Expr
		Escape     Expr // nil: none
	}
	// Between is [NOT] BETWEEN.
	Between struct {
		At      Pos
		Not     bool
		X, A, B Expr
	}
	// In is [NOT] IN with a list or with a query.
	In struct {
		At    Pos
		Not   bool
		X     Expr
		List  []Expr
		Query *Select
	}
	// Case is CASE; X is nil in the form with conditions.
	Case struct {
		At   Pos
		X    Expr
		When []When
		Else Expr
	}
	// Call is a function call.
	Call struct {
		At       Pos
		Name     string
		Star     bool // count(*)
		Distinct bool
		Args     []Expr
	}
	// Collate is X COLLATE name.
	Collate struct {
		At   Pos
		X    Expr
		Name string // NOCASE or BINARY
	}
)

// When is a branch of CASE.
type When struct{ If, Then Expr }

func (e *Name) at() Pos    { return e.At }
func (e *String) at() Pos  { return e.At }
func (e *Int) at() Pos     { return e.At }
func (e *Float) at() Pos   { return e.At }
func (e *Null) at() Pos    { return e.At }
func (e *Unary) at() Pos   { return e.At }
func (e *Binary) at() Pos  { return e.At }
func (e *Logic) at() Pos   { return e.At }
func (e *Like) at() Pos    { return e.At }
func (e *Between) at() Pos { return e.At }
func (e *In) at() Pos      { return e.At }
func (e *Case) at() Pos    { return e.At }
func (e *Call) at() Pos    { return e.At }
func (e *Collate) at() Pos { return e.At }

// children are the expressions directly under e, without those of a query inside it.
func children(e Expr) []Expr {
	var out []Expr
	add := func(list ...Expr) {
		for _, x := range list {
			if x != nil {
				out = append(out, x)
			}
		}
	}
	switch e := e.(type) {
	case *Unary:
		add(e.X)
	case *Binary:
		add(e.L, e.R)
	case *Logic:
		add(e.X...)
	case *Like:
		add(e.X, e.Pattern, e.Escape)
	case *Between:
		add(e.X, e.A, e.B)
	case *In:
		add(e.X)
		add(e.List...)
	case *Case:
		add(e.X)
		for _, w := range e.When {
			add(w.If, w.Then)
		}
		add(e.Else)
	case *Call:
		add(e.Args...)
	case *Collate:
		add(e.X)
	}
	return out
}

func height(e Expr) int {
	h := 0
	for _, c := range children(e) {
		h = max(h, height(c))
	}
	return h + 1
}
