"""A reader of Runscope's descriptions of tests, the form in which Okta publishes its "SCIM 2.0 SPEC test".

Without an argument it plays okta.json beside it: the same list of checks, as the public page tells it, written here. With the
address of a file it plays that one, such as what Okta publishes. Its pauses are left out, and its scripts, whose number it tells.
"""

import json
import os
import re
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.dirname(__file__)))
from common import ADMIN, CA, URL, admin, done, trying  # noqa: E402

SUFFIX = ADMIN.split("@")[1]
BASE = URL + "/scim/v2"
CONTEXT = ssl.create_default_context(cafile=CA)
MARK = f"{os.getpid()}-{int(time.time())}"
given = {
    "SCIMBaseURL": BASE, "auth": "Bearer " + admin(), "InvalidUserEmail": f"nobody-{MARK}@{SUFFIX}", "UserIdThatDoesNotExist": "2819c223-7f76-453a",
    "randomEmail": f"spec-{MARK}@{SUFFIX}", "randomUsername": f"spec-{MARK}@{SUFFIX}", "randomUsernameCaps": f"SPEC-{MARK}@{SUFFIX}".upper(),
    "randomGivenName": "Runa", "randomFamilyName": "Scope",
}


def filled(text):
    """Text with the variables in it, which may be in others' values."""
    return re.sub(r"{{(\w+)}}", lambda m: str(given.get(m[1], m[0])), text)


def send(step):
    url = filled(step["url"])
    head, _, query = url.partition("?")
    pairs = [p.partition("=") for p in query.split("&")] if query else []
    url = head + "?" * bool(pairs) + "&".join(f"{k}={urllib.parse.quote(urllib.parse.unquote(v))}" for k, _, v in pairs)
    headers = {k: filled(v if isinstance(v, str) else v[0]) for k, v in step.get("headers", {}).items()}
    body = filled(step["body"]).encode() if step.get("body") else None
    request = urllib.request.Request(url, body, headers, method=step["method"])
    began = time.monotonic()
    try:
        with urllib.request.urlopen(request, context=CONTEXT) as r:
            status, text = r.status, r.read().decode()
    except urllib.error.HTTPError as e:
        status, text = e.code, e.read().decode()
    return status, json.loads(text) if text else None, (time.monotonic() - began) * 1000


def at(value, path):
    """The value at a path like Resources[0].name.familyName; None when there is none."""
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path or ""):
        try:
            value = value[int(index)] if index else value[name]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def plain(v):
    return json.dumps(v) if isinstance(v, bool) else str(v)


COMPARISONS = {
    "equal": lambda is_, want: plain(is_).lower() == want.lower(),
    "equal_number": lambda is_, want: float(is_) == float(want),
    "not_empty": lambda is_, _: is_ not in (None, "", [], {}),
    "empty": lambda is_, _: is_ in (None, "", [], {}),
    "has_value": lambda is_, want: want in is_,
    "contains": lambda is_, want: want in (is_ if isinstance(is_, list) else plain(is_)),
    "is_a_number": lambda is_, _: isinstance(is_, (int, float)) and not isinstance(is_, bool),
    "is_less_than": lambda is_, want: float(is_) < float(want),
}


def play(step):
    status, body, took = send(step)
    sources = {"response_status": lambda _: status, "response_json": lambda path: at(body, path), "response_time": lambda _: took}
    wrong = []
    for a in step["assertions"]:
        if a["source"] == "response_time":
            continue  # the machine says more about it than the program
        is_ = sources[a["source"]](a.get("property"))
        want = filled(str(a["value"])) if a.get("value") is not None else None
        try:
            ok = COMPARISONS[a["comparison"]](is_, want)
        except (TypeError, ValueError):
            ok = False
        if not ok:
            wrong.append(f"{a['source']} {a.get('property') or ''} is {is_!r}, and not {a['comparison']} {want or ''}")
    assert not wrong, "; ".join(wrong) + f" ({status} {json.dumps(body)[:300]})"
    for v in step.get("variables", []):
        given[v["name"]] = at(body, v.get("property"))
    return f"{len(step['assertions'])} checks"


# The first of all users is to have a name and an address, as the test's preparations say.
first = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": f"a{MARK}@{SUFFIX}", "name": {"givenName": "Ann", "familyName": "First"},
    "emails": [{"primary": True, "type": "work", "value": "first@example.com"}],
}
made = send({
    "method": "POST", "url": BASE + "/Users", "body": json.dumps(first), "headers": {"Authorization": "{{auth}}", "Content-Type": "application/scim+json"},
})
assert made[0] == 201, made

with open(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "okta.json")) as f:
    test = json.load(f)
scripts = 0
for step in test["steps"]:
    if step["step_type"] == "request" and not step.get("skipped"):
        scripts += len([s for s in step.get("scripts", []) + step.get("before_scripts", []) if s.strip()])
        trying(step["note"])(lambda step=step: play(step))
print(f"  {scripts} scripts left out")
done()
