package acl

import (
	"fmt"
	"strings"

	"limen/internal/fold"
)

// Mask is rights on a row. What a bit means is the table's; the four below are alike everywhere (acl.yaml, head).
type Mask uint64

// Rights that every table has.
const (
	Grant  Mask = 1 // give others rights on the row; on accounts it is called Owner
	View   Mask = 4
	Edit   Mask = 8
	Delete Mask = 64
)

// Has says whether all of the rights are in m.
func (m Mask) Has(all Mask) bool { return m&all == all }

// Digits are the 64 bits, the most significant first, as clients read them.
func (m Mask) Digits() string { return fmt.Sprintf("%064b", uint64(m)) }

// Bit is a right on the rows of a table. A name may stand for several bits: rights may contain others.
type Bit struct {
	Name string
	Mask Mask
	Also string // another name that clients use
}

// None is the word for no right at all.
const None = "None"

// Full is every right of the table.
func (t Table) Full() (all Mask) {
	for _, b := range t.Bits {
		all |= b.Mask
	}
	return all
}

// Names are the rights in m, as the table calls them.
func (t Table) Names(m Mask) []string {
	out := []string{}
	for _, b := range t.Bits {
		if m.Has(b.Mask) {
			out = append(out, b.Name)
		}
	}
	return out
}

// Parse reads names of rights, separated by commas, whatever their case; None is no right. ErrRight names what is none.
func (t Table) Parse(names string) (Mask, error) {
	if strings.EqualFold(strings.TrimSpace(names), None) {
		return 0, nil
	}
	var out Mask
	for name := range strings.SplitSeq(names, ",") {
		m, ok := t.bit(name)
		if !ok {
			return 0, ErrRight.Say("%.100q is no right on %s. There are %s.", strings.TrimSpace(name), t.Name, strings.Join(t.Names(t.Full()), ", "))
		}
		out |= m
	}
	return out, nil
}

func (t Table) bit(name string) (Mask, bool) {
	key := fold.Key(strings.TrimSpace(name))
	for _, b := range t.Bits {
		if key != "" && (key == fold.Key(b.Name) || key == fold.Key(b.Also)) {
			return b.Mask, true
		}
	}
	return 0, false
}
