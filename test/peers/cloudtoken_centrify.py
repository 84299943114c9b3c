"""cloudtoken-plugin-centrify: its sign-in, as its command line runs it before it asks for a SAML application."""

import argparse
import contextlib
import io
import os
import sys
import tempfile
import urllib.parse

sys.path.insert(0, os.path.dirname(__file__))
from common import ADMIN, PASSWORD, URL, done, tenant, trying  # noqa: E402

from cloudtoken_plugin.centrify import Plugin  # noqa: E402

# It makes the host's name of two settings.
first, rest = urllib.parse.urlparse(URL).netloc.split(".", 1)


def plugin(user, password, **more):
    p = Plugin({"defaults": {"centrify": {"tenant_id": tenant(), "appkey": "none", "domain_name": rest, "vanity_id": first, **more}}})
    p._flags, p._args = {}, argparse.Namespace(username=user, password=password, cloudtoken_dir=tempfile.mkdtemp(), mfa_method="passcode", mfa_passcode=None)
    p._load_defaults()
    p._set_tenant_url()
    return p


def quiet(f):
    with contextlib.redirect_stdout(io.StringIO()):
        return f()


@trying("sign-in with a password; the session cookie is taken")
def _():
    p = plugin(ADMIN, PASSWORD)
    assert quiet(p._authenticate) and p._session.cookies[".ASPXAUTH"]
    who = p.do_json_api_post(URL + "/Security/WhoAmI")
    assert who["Result"]["User"] == ADMIN, who


@trying("a second start with the session's cookie answers at once")
def _():
    p = plugin(ADMIN, PASSWORD)
    quiet(p._authenticate)
    again = p.do_json_api_post(URL + "/Security/StartAuthentication", {"User": ADMIN, "Version": "1.0", "TenantId": tenant()})
    assert again["Result"]["Summary"] == "LoginSuccess", again


@trying("a wrong password ends it with the server's message")
def _():
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            plugin(ADMIN, "not-" + PASSWORD)._authenticate()
        except SystemExit:
            pass
    assert "Authentication (login or challenge) has failed" in out.getvalue(), out.getvalue()


@trying("an application that is not there is none to the client")
def _():
    p = plugin(ADMIN, PASSWORD)
    quiet(p._authenticate)
    p._appclick()


done()
