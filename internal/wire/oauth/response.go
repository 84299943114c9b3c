package oauth

import (
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// ResponseAlgorithms are the signatures of what clients get, the default first.
var ResponseAlgorithms = []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.PS256, jose.EdDSA}

// KeyAlgorithms and ContentEncryptions are how what clients get can be encrypted to their keys (RFC 7518 sections 4 and 5).
var (
	KeyAlgorithms      = []jose.KeyAlgorithm{jose.RSA_OAEP_256, jose.ECDH_ES, jose.ECDH_ES_A128KW, jose.ECDH_ES_A256KW}
	ContentEncryptions = []jose.ContentEncryption{jose.A128CBC_HS256, jose.A128GCM, jose.A256GCM}
)

// checkCovers is whether what the client gets can be encrypted as it wants.
func (m Metadata) checkCovers(no func(member, why string) error) error {
	for member, how := range map[string][2]string{
		"id_token_encrypted_response": {m.IDTokenKeyAlg, m.IDTokenEnc}, "userinfo_encrypted_response": {m.UserInfoKeyAlg, m.UserInfoEnc},
		"authorization_encrypted_response": {m.AnswerKeyAlg, m.AnswerEnc},
	} {
		alg, enc := how[0], how[1]
		switch {
		case alg == "" && enc == "":
		case alg == "":
			return no(member+"_enc", "goes with "+member+"_alg alone")
		case !slices.Contains(KeyAlgorithms, jose.KeyAlgorithm(alg)):
			return no(member+"_alg", "must be RSA-OAEP-256, ECDH-ES, ECDH-ES+A128KW or ECDH-ES+A256KW")
		case enc != "" && !slices.Contains(ContentEncryptions, jose.ContentEncryption(enc)):
			return no(member+"_enc", "must be A128CBC-HS256, A128GCM or A256GCM")
		case len(m.Keys) == 0 && m.KeysURI == "":
			return no("jwks", "or jwks_uri is missing, which what is encrypted needs")
		}
	}
	return nil
}

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
