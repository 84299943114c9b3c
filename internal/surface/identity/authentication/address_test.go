package authentication

import (
	"net/http/httptest"
	"testing"
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
