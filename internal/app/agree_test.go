package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

// everywhere wants something of the node that changed it, now, and of the others within a second.
func (i *issuing) everywhere(what string, ok func(n *node) bool) {
	i.t.Helper()
	if !ok(i.nodes[0]) {
		i.t.Errorf("%s: not on the node where it was changed", what)
	}
	for _, n := range i.nodes[1:] {
		eventually(i.t, time.Second, what+": not on another node", func() bool { return ok(n) })
	}
}

// get reads a document of a node, and its ETag.
func (i *issuing) get(n *node, path string) (string, string) {
	i.t.Helper()
	r, err := http.NewRequestWithContext(i.t.Context(), http.MethodGet, n.url+path, http.NoBody)
	if err != nil {
		i.t.Fatal(err)
	}
	r.Host = tokensHost
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		i.t.Fatal(err)
	}
	defer res.Body.Close()
	var out json.RawMessage
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil || res.StatusCode != http.StatusOK {
		i.t.Fatal(path, res.StatusCode, err)
	}
	return string(out), res.Header.Get("ETag")
}

// kids are the keys that a node publishes for the application.
func (i *issuing) kids(n *node) map[string]bool {
	i.t.Helper()
	text, _ := i.get(n, "/OAuth2/Keys/wiki")
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(text), &set); err != nil {
		i.t.Fatal(err)
	}
	out := map[string]bool{}
	for _, k := range set.Keys {
		out[k.KeyID] = true
	}
	return out
}

// nodesOf starts one node on SQLite, or two on PostgreSQL.
func nodesOf(t *testing.T, f func(t *testing.T, nodes ...*node)) {
	t.Run("one node", func(t *testing.T) { f(t, startNode(t, "sqlite", "one")) })
	t.Run("two nodes", func(t *testing.T) {
		address := dbxtest.Address(t, dbx.Postgres, true)
		f(t, startNode(t, address, "one"), startNode(t, address, "two"))
	})
}

// signed has a client's own credentials give a token that is signed, at a node, and says with which key.
func (i *issuing) signed(n *node) (token, kid string) {
	i.t.Helper()
	_, answer, _ := i.ask(n, "/OAuth2/Token/wiki", "", i.form("grant_type", "client_credentials", "scope", "read"))
	var out struct {
		Access string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(answer), &out); err != nil || out.Access == "" {
		i.t.Fatal(answer, err)
	}
	parsed, err := jose.ParseSignedCompact(out.Access, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		i.t.Fatal(err)
	}
	return out.Access, parsed.Signatures[0].Header.KeyID
}

// Keys that are replaced are published and signed with everywhere within a second, though every node has its documents ready and its
// keys in memory; and tokens of any node are good on every other one, those of the old key until it is withdrawn.
func TestNodesAgreeOnKeys(t *testing.T) {
	nodesOf(t, func(t *testing.T, nodes ...*node) {
		i := newIssuing(t, nodes...)
		i.must("/SaasManage/UpdateApplicationDE", fmt.Sprintf(`{"_RowKey":%q,"OAuthProfile":{"ClientIDType":1,"ClientSecret":%q,"AllowedAuth":"ClientCreds",
			"TokenType":"JwtRS256","KnownScopes":[{"Scope":"read"}]}}`, i.app, tokensSecret), nil)
		last := nodes[len(nodes)-1]
		eventually(t, time.Second, "the profile is not told", func() bool {
			status, _, _ := i.ask(last, "/OAuth2/Token/wiki", "", i.form("grant_type", "client_credentials", "scope", "read"))
			return status == http.StatusOK
		})
		old, first := i.signed(last)
		for _, n := range nodes {
			if !i.kids(n)[first] {
				t.Fatal("a node does not publish the key that signs")
			}
		}
		good := func(n *node, token string) bool {
			_, answer, _ := i.ask(n, "/OAuth2/Introspect/wiki", "", i.form("token", token))
			return strings.Contains(answer, `"active":true`)
		}
		i.everywhere("a token of another node", func(n *node) bool { return good(n, old) })
		i.must("/OAuth2/RotateKeys", `{}`, nil)
		i.everywhere("the next key", func(n *node) bool { k := i.kids(n); return len(k) > len(keysBut(k, first)) && len(k) > 1 })
		if _, kid := i.signed(nodes[0]); kid != first {
			t.Error("a key signs before it has been published for a while")
		}
		i.must("/OAuth2/RotateKeys", `{"Urgent":true}`, nil)
		i.everywhere("a withdrawn key", func(n *node) bool { return !i.kids(n)[first] })
		i.everywhere("a token of a withdrawn key", func(n *node) bool { return !good(n, old) })
		i.everywhere("signing with the next key", func(n *node) bool { _, kid := i.signed(n); return kid != first && i.kids(n)[kid] })
		for _, from := range nodes {
			token, _ := i.signed(from)
			i.everywhere("a token of the next key", func(n *node) bool { return good(n, token) })
		}
	})
}

func keysBut(of map[string]bool, kid string) (out []string) {
	for k := range of {
		if k != kid {
			out = append(out, k)
		}
	}
	return out
}

// A client that is changed, or deleted, is known so everywhere within a second, though every node remembers it.
func TestNodesAgreeOnClients(t *testing.T) {
	nodesOf(t, func(t *testing.T, nodes ...*node) {
		i := newIssuing(t, nodes...)
		var made struct {
			Result struct {
				ID     string `json:"ClientId"`
				Secret string `json:"ClientSecret"`
			}
		}
		i.must("/SaasManage/CreateClient", `{"ServiceName":"wiki","Metadata":{"redirect_uris":["https://other.test/back"],"token_endpoint_auth_method":"client_secret_post"}}`, &made)
		k := made.Result
		// A code that is none tells a client that proved itself from one that did not.
		takes := func(n *node, secret string) bool {
			_, answer, _ := i.ask(n, "/OAuth2/Token/wiki", "", url.Values{
				"client_id": {k.ID}, "client_secret": {secret}, "grant_type": {"authorization_code"}, "code": {"none"}, "redirect_uri": {"https://other.test/back"},
			}.Encode())
			switch {
			case strings.Contains(answer, "invalid_grant"):
				return true
			case !strings.Contains(answer, "invalid_client"):
				t.Fatal(answer)
			}
			return false
		}
		leads := func(n *node, to string) bool {
			q := url.Values{"client_id": {k.ID}, "response_type": {"code"}, "redirect_uri": {to}, "scope": {"openid"}, "state": {"s"}, "prompt": {"none"}}
			_, _, at := i.ask(n, "/OAuth2/Authorize/wiki", "", q.Encode())
			return strings.HasPrefix(at, to)
		}
		i.everywhere("a new client", func(n *node) bool { return takes(n, k.Secret) && leads(n, "https://other.test/back") })
		old := k.Secret
		i.must("/SaasManage/UpdateClient", fmt.Sprintf(`{"ServiceName":"wiki","ClientId":%q,"NewSecret":true,
			"Metadata":{"redirect_uris":["https://moved.test/back"],"token_endpoint_auth_method":"client_secret_post"}}`, k.ID), &made)
		k = made.Result
		i.everywhere("the old secret", func(n *node) bool { return !takes(n, old) })
		i.everywhere("the new secret", func(n *node) bool { return takes(n, k.Secret) })
		i.everywhere("the old redirect URI", func(n *node) bool { return !leads(n, "https://other.test/back") && leads(n, "https://moved.test/back") })
		i.must("/SaasManage/DeleteClient", fmt.Sprintf(`{"ServiceName":"wiki","ClientId":%q}`, k.ID), nil)
		i.everywhere("a deleted client", func(n *node) bool { return !takes(n, k.Secret) })
	})
}

// The documents by which clients configure themselves are prepared once, and changed everywhere within a second.
func TestNodesAgreeOnDocuments(t *testing.T) {
	nodesOf(t, func(t *testing.T, nodes ...*node) {
		i := newIssuing(t, nodes...)
		const at = "/wiki/.well-known/openid-configuration"
		for _, n := range nodes {
			text, tag := i.get(n, at)
			if again, same := i.get(n, at); strings.Contains(text, "device_authorization_endpoint") || again != text || same != tag || tag == "" {
				t.Error("not the same twice", tag, same)
			}
		}
		i.must("/SaasManage/UpdateApplicationDE", fmt.Sprintf(`{"_RowKey":%q,"OAuthProfile":{"ClientIDType":1,"ClientSecret":%q,
			"Redirects":["https://client.test/back"],"AllowedAuth":"AuthorizationCode,DeviceCode","TokenType":"Opaque"}}`, i.app, tokensSecret), nil)
		i.everywhere("a flow that is allowed now", func(n *node) bool {
			text, _ := i.get(n, at)
			return strings.Contains(text, "device_authorization_endpoint")
		})
		one, _ := i.get(nodes[0], at)
		i.everywhere("one document", func(n *node) bool { text, _ := i.get(n, at); return text == one })
		// The tenant's issuer remembers whose client it is.
		known := func(n *node) bool {
			_, answer, _ := i.ask(n, "/OAuth2/Introspect", "", i.form("token", "none"))
			return strings.Contains(answer, `"active":false`)
		}
		i.everywhere("the client at the tenant's issuer", known)
		i.must("/SaasManage/UpdateApplicationDE", fmt.Sprintf(`{"_RowKey":%q,"ServiceName":"pages"}`, i.app), nil)
		i.everywhere("another name", func(n *node) bool {
			text, _ := i.get(n, "/pages/.well-known/openid-configuration")
			return strings.Contains(text, "/OAuth2/Token/pages")
		})
		i.everywhere("the client of another name", known)
		// One that was nobody's, and so is remembered, becomes an application's.
		late := func(n *node) bool {
			_, answer, _ := i.ask(n, "/OAuth2/Introspect", "", url.Values{"client_id": {"late"}, "client_secret": {"x"}, "token": {"none"}}.Encode())
			return !strings.Contains(answer, "knows no application")
		}
		for _, n := range nodes {
			if late(n) {
				t.Error("a client is known that there is not")
			}
		}
		var made struct {
			Result []struct {
				Key string `json:"_RowKey"`
			}
		}
		i.must("/SaasManage/ImportAppFromTemplate", `{"ID":["OAuth2Server"]}`, &made)
		i.must("/SaasManage/UpdateApplicationDE", fmt.Sprintf(`{"_RowKey":%q,"Name":"late","ServiceName":"late","OAuthProfile":{"ClientIDType":0,"AllowedClients":["late"],
			"Redirects":["https://client.test/back"],"AllowedAuth":"AuthorizationCode"}}`, made.Result[0].Key), nil)
		i.everywhere("a client that was nobody's", late)
		i.must("/SaasManage/DeleteApplication", fmt.Sprintf(`{"_RowKey":[%q]}`, i.app), nil)
		i.everywhere("no client any more", func(n *node) bool { return !known(n) })
	})
}
