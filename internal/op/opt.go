package op

import "encoding/json"

// Opt distinguishes an absent field, an explicit null and a value, wherever absence means something: defaults of
// true, and partial changes.
type Opt[T any] struct {
	state uint8
	value T
}

const (
	absent uint8 = iota
	null
	present
)

// Some is a present value.
func Some[T any](v T) Opt[T] { return Opt[T]{present, v} }

// Given says whether the field was sent, be it null.
func (o Opt[T]) Given() bool { return o.state != absent }

// Null says whether the field was sent as null.
func (o Opt[T]) Null() bool { return o.state == null }

// Get returns the value and whether there is one.
func (o Opt[T]) Get() (T, bool) { return o.value, o.state == present }

// Or returns the value, or def when the field is absent or null.
func (o Opt[T]) Or(def T) T {
	if o.state == present {
		return o.value
	}
	return def
}

// OrNil returns the value, or nil when the field is absent or null.
func (o Opt[T]) OrNil() *T {
	if o.state != present {
		return nil
	}
	return &o.value
}

// SetNull is how codecs mark an explicit null.
func (o *Opt[T]) SetNull() { *o = Opt[T]{state: null} }

// Ptr is where codecs decode a value into.
func (o *Opt[T]) Ptr() any {
	o.state = present
	return &o.value
}

// UnmarshalJSON lets strict JSON codecs fill the field.
func (o *Opt[T]) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		o.SetNull()
		return nil
	}
	return json.Unmarshal(b, o.Ptr())
}

// MarshalJSON writes the value, or null.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if o.state != present {
		return []byte("null"), nil
	}
	return json.Marshal(o.value)
}

// IsZero makes the tag omitzero leave absent fields out.
func (o Opt[T]) IsZero() bool { return o.state == absent }
