package authentication

import (
	"errors"
	"net/http/httptest"
	"testing"

	"limen/internal/op"
)

// A password in the address is seen as one, however its parameter is spelled: it is taken over TLS alone.
func TestPasswordInTheAddress(t *testing.T) {
	for query, want := range map[string]bool{
		"?user=a&password=b": true, "?user=a&Password=b": true, "?PASSWORD=b": true, "?password": true, "?user=password": false, "": false,
	} {
		var r LoginRequest
		r.See(httptest.NewRequest("GET", "/Security/Login"+query, nil))
		if r.inAddress != want {
			t.Errorf("%s: %v", query, r.inAddress)
		}
	}
}

// A link on another site's page signs nobody in: the account would be of that site's choice.
func TestNoSignInFromAnotherSite(t *testing.T) {
	for site, want := range map[string]bool{"cross-site": true, "none": false, "same-origin": false, "": false} {
		q := httptest.NewRequest("GET", "/Security/Login?user=a&password=b", nil)
		q.Header.Set("Sec-Fetch-Site", site)
		q.Header.Set("Sec-Fetch-Mode", "navigate")
		var r LoginRequest
		if r.See(q); r.foreign != want {
			t.Errorf("%q: %v", site, r.foreign)
		}
	}
	r := LoginRequest{foreign: true}
	if _, err := (Authentication{}).checkLogin(t.Context(), &op.Call{}, r); !errors.Is(err, op.ErrForged) {
		t.Error(err)
	}
}
