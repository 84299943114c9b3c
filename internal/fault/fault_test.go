package fault

import (
	"errors"
	"fmt"
	"testing"
)

func TestCopiesMatchTheirDeclaration(t *testing.T) {
	cause := errors.New("disk")
	e := Missing("Name").Because(cause)
	if !errors.Is(e, ErrMissing) || !errors.Is(e, cause) || e.Field != "Name" || e.Public != `Parameter "Name" must be specified.` {
		t.Fatalf("%+v", e)
	}
	if ErrMissing.Cause != nil || ErrMissing.Field != "" {
		t.Fatal("the declared fault changed")
	}
}

func TestOf(t *testing.T) {
	if Of(nil) != nil {
		t.Fatal("nil is no fault")
	}
	if f := Of(fmt.Errorf("wrapped: %w", ErrNoArgs)); f.Code != "param.none" {
		t.Fatal(f)
	}
	if f := Of(errors.New("x")); f.Kind != Internal || f.Public != ErrInternal.Public {
		t.Fatal(f)
	}
}
