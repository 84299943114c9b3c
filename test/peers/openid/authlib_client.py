"""Authlib as a client of an application of its own: discovery, a code with PKCE, the ID token, refreshing, introspection and
revocation with a secret; and the same application with private_key_jwt."""

import json
import os
import sys
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from common import ADMIN, CA, URL, admin, done, plain, trying  # noqa: E402

import requests  # noqa: E402
from authlib.common.security import generate_token  # noqa: E402
from authlib.integrations.requests_client import OAuth2Session  # noqa: E402
from authlib.oauth2.rfc7523 import PrivateKeyJWT  # noqa: E402
from cryptography.hazmat.primitives import serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: E402
from joserfc import jwt  # noqa: E402
from joserfc.jwk import KeySet, RSAKey  # noqa: E402

BACK, SECRET = "https://client.example.com/back", "a-secret-of-16-bytes-or-more"
TOKEN = admin()


def api(path, body):
    got = json.loads(plain(path, body, token=TOKEN))
    assert got["success"], got
    return got["Result"]


APP = api("/SaasManage/ImportAppFromTemplate", {"ID": ["Generic OpenID Connect"]})[0]["_RowKey"]


def profile(**more):
    """Configures the application, and gives its client's id."""
    api("/SaasManage/UpdateApplicationDE", {"_RowKey": APP, "Name": "Authlib", "ServiceName": "authlib", "AppRoles": {"Publish": [{"Role": "Everybody"}]}, "OAuthProfile": {
        "ClientSecret": SECRET, "Redirects": [BACK], "AllowedAuth": "AuthorizationCode,ClientCreds", "AllowRefresh": True, "KnownScopes": [{"Scope": "read"}], **more}})
    return api("/SaasManage/GetApplication", {"_RowKey": APP})["OAuthProfile"]["ClientID"]


CLIENT = profile()
META = requests.get(URL + "/authlib/.well-known/openid-configuration", verify=CA).json()


def session(method="client_secret_basic", secret=SECRET, **more):
    s = OAuth2Session(
        CLIENT, secret, redirect_uri=BACK, scope="openid email profile", code_challenge_method="S256",
        token_endpoint_auth_method=method, revocation_endpoint_auth_method=method, **more)
    s.verify = CA
    return s


def signed_in(s):
    """Has the administrator answer an authorization request, and fetches the tokens."""
    verifier = generate_token(48)
    url, state = s.create_authorization_url(META["authorization_endpoint"], code_verifier=verifier, nonce="n-0")
    at = requests.get(url, headers={"Authorization": "Bearer " + TOKEN}, verify=CA, allow_redirects=False).headers["Location"]
    assert urllib.parse.parse_qs(urllib.parse.urlparse(at).query)["state"] == [state], at
    return s.fetch_token(META["token_endpoint"], authorization_response=at, code_verifier=verifier, state=state)


def told(token):
    keys = KeySet.import_key_set(requests.get(META["jwks_uri"], verify=CA).json())
    claims = jwt.decode(token["id_token"], keys, algorithms=["RS256"]).claims
    jwt.JWTClaimsRegistry(iss={"essential": True, "value": META["issuer"]}, aud={"essential": True, "value": CLIENT}, nonce={"essential": True, "value": "n-0"}).validate(claims)
    return claims


def introspected(s, token):
    return s.introspect_token(META["introspection_endpoint"], token=token).json()


def with_tokens(method, **more):
    @trying(f"{method}: a code with PKCE, the ID token with its signature checked, and UserInfo")
    def _():
        s = session(method, **more)
        claims = told(signed_in(s))
        assert claims["preferred_username"] == ADMIN, claims
        assert s.get(META["userinfo_endpoint"]).json()["sub"] == claims["sub"]

    @trying(f"{method}: refreshing, and the old refresh token again")
    def _():
        s = session(method, **more)
        first = dict(signed_in(s))
        second = s.refresh_token(META["token_endpoint"], refresh_token=first["refresh_token"])
        assert second["refresh_token"] != first["refresh_token"]
        try:
            s.refresh_token(META["token_endpoint"], refresh_token=first["refresh_token"])
        except Exception as e:
            assert "invalid_grant" in str(e), e
            return
        raise AssertionError("a refresh token was good twice")

    @trying(f"{method}: introspection and revocation")
    def _():
        s = session(method, **more)
        token = signed_in(s)["access_token"]
        assert introspected(s, token)["active"] is True
        assert s.revoke_token(META["revocation_endpoint"], token=token).status_code == 200
        assert introspected(s, token)["active"] is False


@trying("a verifier that is another's")
def _():
    s = session()
    url, state = s.create_authorization_url(META["authorization_endpoint"], code_verifier=generate_token(48))
    at = requests.get(url, headers={"Authorization": "Bearer " + TOKEN}, verify=CA, allow_redirects=False).headers["Location"]
    try:
        s.fetch_token(META["token_endpoint"], authorization_response=at, code_verifier=generate_token(48), state=state)
    except Exception as e:
        assert "invalid_grant" in str(e), e
        return
    raise AssertionError("it was taken")


with_tokens("client_secret_basic")
with_tokens("client_secret_post")


@trying("client credentials")
def _():
    s = OAuth2Session(CLIENT, SECRET, scope="read")
    s.verify = CA
    assert s.fetch_token(META["token_endpoint"], grant_type="client_credentials")["scope"] == "read"


key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
public = RSAKey.import_key(pem).as_dict(private=False) | {"kid": "one", "use": "sig", "alg": "RS256"}
profile(ClientMetadata={"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [public]}})


with_secret = session


def session(method="private_key_jwt", secret=pem, **more):  # noqa: F811
    s = with_secret(method, secret, **more)
    s.register_client_auth_method(PrivateKeyJWT(META["token_endpoint"], headers={"kid": "one"}))
    return s


with_tokens("private_key_jwt")


@trying("a secret where a key is wanted")
def _():
    try:
        signed_in(with_secret())
    except Exception as e:
        assert "invalid_client" in str(e), e
        return
    raise AssertionError("it was taken")


done()
