package app

import (
	"testing"

	"limen/internal/config"
)

// Host names are given out below the first of the installation's own; below an address there are none.
func TestDomain(t *testing.T) {
	for _, c := range []struct {
		hosts []string
		want  string
	}{
		{nil, "localhost"},
		{[]string{"ID.Example.com", "10.0.0.1"}, "id.example.com"},
		{[]string{"10.0.0.1", "id.example.com"}, ""},
		{[]string{"[2001:db8::1]"}, ""},
		{[]string{"::1"}, ""},
	} {
		if got := (&App{Settings: config.Settings{Hosts: c.hosts}}).domain(); got != c.want {
			t.Errorf("%q: %q, want %q", c.hosts, got, c.want)
		}
	}
}
