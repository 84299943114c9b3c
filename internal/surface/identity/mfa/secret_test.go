package mfa

import "testing"

func TestSecret(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"jbswy3dpehpk3pxp", "JBSWY3DPEHPK3PXP"},
		{"JBSW Y3DP EHPK 3PXP", "JBSW Y3DP EHPK 3PXP"}, // blanks are the domain's
		{"3132333435363738393031323334353637383930", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"},
		{" 3132333435363738393031323334353637383930 ", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"},
		{"00ff00ff00ff00ff00ff", "AD7QB7YA74AP6AH7"},
		{"ABCDEF234567", "ABCDEF234567"}, // either: base32
		{"313", "313"},
		{"", ""},
	} {
		if got := secret(c.in); got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}
