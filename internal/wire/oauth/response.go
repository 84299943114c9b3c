package oauth

import (
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// ResponseAlgorithms are the signatures of what clients get, the default first.
var ResponseAlgorithms = []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.PS256, jose.EdDSA}

// checkAnswers is whether what the client gets can be signed as it wants. ID tokens may be signed with its secret, by clients that have
// one; nothing goes unsigned.
func (m Metadata) checkAnswers(no func(member, why string) error) error {
	for member, alg := range map[string]string{
		"id_token_signed_response_alg": m.IDTokenAlg, "userinfo_signed_response_alg": m.UserInfoAlg,
		"authorization_signed_response_alg": m.AnswerAlg, "introspection_signed_response_alg": m.IntrospectionAlg,
	} {
		shared := alg == string(jose.HS256) && member == "id_token_signed_response_alg"
		switch {
		case alg == "" || slices.Contains(ResponseAlgorithms, jose.SignatureAlgorithm(alg)):
		case shared && m.keepsSecret():
		case shared:
			return no(member, "can be HS256 only where the client proves itself with a secret")
		default:
			return no(member, "must be RS256, ES256, PS256 or EdDSA")
		}
	}
	return nil
}

// keepsSecret says whether the client may have a secret.
func (m Metadata) keepsSecret() bool {
	return slices.Contains([]Method{"", SecretBasic, SecretPost, SecretJWT}, m.AuthMethod)
}
