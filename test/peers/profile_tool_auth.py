"""profile-tool: its interactive sign-in with a password, and with a password and the link in a mail, which it polls for."""

import contextlib
import io
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
from common import ADMIN, CA, PASSWORD, SECRET, URL, click, done, person, plain, trying  # noqa: E402

from profile_tool.centrify import cenauth  # noqa: E402


class Environment:
    """The part of its configuration that signing in reads."""

    def get_endpoint(self):
        return URL

    def get_certpath(self):
        return CA

    def get_debug(self):
        return False


def login(user, password):
    cenauth.getpass = lambda prompt: password  # it reads the terminal
    with contextlib.redirect_stdout(io.StringIO()):
        return cenauth.centrify_interactive_login(user, "1.0", {}, Environment())


@trying("centrify_interactive_login with a password")
def _():
    s = login(ADMIN, PASSWORD)
    assert '"User":"' + ADMIN in plain("/Security/WhoAmI", {}, token=s.session_token)


@trying("a wrong password is refused")
def _():
    try:
        login(ADMIN, "not-" + PASSWORD)
    except SystemExit:
        return
    raise AssertionError("it signed in")


@trying("a second factor by the link in a mail, polled without a pause")
def _():
    person("profile.user")
    waiting = click("profile.user@example.com")
    s = login("profile.user@limen", SECRET)
    waiting.join(5)
    assert s.session_token


done()
