"""Duo's published client against the double of Duo that Limen's tests use: what it takes of Duo's own client is what Duo takes."""

import http.client
import ssl
import sys
import urllib.parse

from duo_universal.client import Client, DuoException

host, ca, client_id, secret = sys.argv[1:5]
back = "https://id.acme.test/login/duo"
client = Client(client_id, secret, host, back, duo_certs=ca)

assert client.health_check()["stat"] == "OK"
state = client.generate_state()
browser = http.client.HTTPSConnection(host, context=ssl.create_default_context(cafile=ca))
browser.request("GET", client.create_auth_url("anna@limen", state).removeprefix(f"https://{host}"))
at = urllib.parse.urlsplit(browser.getresponse().headers["Location"])
query = urllib.parse.parse_qs(at.query)
assert at.geturl().startswith(back) and query["state"] == [state], at
token = client.exchange_authorization_code_for_2fa_result(query["duo_code"][0], "anna@limen")
assert token["preferred_username"] == "anna@limen" and token["auth_result"]["result"] == "allow", token


def refused(what, ask):
    try:
        ask()
    except DuoException:
        return
    raise SystemExit(f"taken: {what}")


refused("a code once more", lambda: client.exchange_authorization_code_for_2fa_result(query["duo_code"][0], "anna@limen"))
other = Client(client_id, secret[::-1], host, back, duo_certs=ca)
refused("another secret", other.health_check)
print("ok")
