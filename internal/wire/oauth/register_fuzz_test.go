package oauth_test

import (
	"testing"

	wire "limen/internal/wire/oauth"
)

// Whatever a client says of itself, it is read or refused. What is read and checked can be completed or refused, and completing it
// again finds nothing wrong with it.
func FuzzRegistration(f *testing.F) {
	for _, s := range []string{
		`{"redirect_uris":["https://client.example.org/cb"],"client_name":"Shop","token_endpoint_auth_method":"client_secret_basic"}`,
		`{"application_type":"native","redirect_uris":["com.example.app:/done","http://127.0.0.1/cb"],"token_endpoint_auth_method":"none"}`,
		`{"grant_types":["client_credentials"],"token_endpoint_auth_method":"private_key_jwt","jwks":{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}}`,
		`{"token_endpoint_auth_method":"tls_client_auth","tls_client_auth_subject_dn":"CN=shop,O=Example\\, Inc."}`,
		`{"client_id":"x","client_secret":"y","default_max_age":-1,"software_statement":"a.b.c"}`,
		`{"response_types":["code id_token"],"grant_types":["authorization_code","implicit"]}`,
		`{"jwks":null,"jwks_uri":"https://h/%zz"}`, `[]`, `{"redirect_uris":"x"}`,
	} {
		f.Add([]byte(s))
	}
	known := []string{"code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := wire.ReadRegistration(body)
		if err != nil || r.Check() != nil || r.Complete(known) != nil {
			return
		}
		if err := r.Check(); err != nil {
			t.Errorf("complete, and wrong: %v", err)
		}
		if err := r.Complete(known); err != nil {
			t.Errorf("complete twice: %v", err)
		}
	})
}
