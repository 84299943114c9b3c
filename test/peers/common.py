"""What the scripts share: whom to sign in as, the tray of --dev, and one line of result for each thing tried."""

import json
import os
import re
import ssl
import sys
import threading
import time
import urllib.parse
import urllib.request

URL, CA = os.environ["LIMEN_URL"], os.environ["LIMEN_CA"]
ADMIN, PASSWORD = os.environ["LIMEN_ADMIN"], os.environ["LIMEN_PASSWORD"]
SECRET = "Correct-Horse-7-Battery"
failures = []


def trying(what, expect=None):
    """Decorate a function that is run at once: prints what came of it, and remembers failures."""

    def run(f):
        try:
            got = f()
            print(f"  ok      {what}" + (f": {got}" if got is not None else ""))
        except Exception as e:  # whatever the client throws is the result
            known = expect and expect in str(e)
            print(f"  {'known ' if known else 'FAILED'}  {what}: {type(e).__name__}: {str(e)[:300]}")
            if not known:
                failures.append(what)
        return f

    return run


def done():
    sys.exit(1 if failures else 0)


def plain(path, body=None, token=None, method="POST", form=None):
    """A request without the client under test."""
    headers = {"X-IDAP-NATIVE-CLIENT": "true"}
    data = None
    if body is not None:
        headers["Content-Type"], data = "application/json", json.dumps(body).encode()
    if form is not None:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
        data = urllib.parse.urlencode(form).encode()
    if token:
        headers["Authorization"] = "Bearer " + token
    context = ssl.create_default_context(cafile=CA)
    with urllib.request.urlopen(urllib.request.Request(URL + path, data, headers, method=method), context=context) as r:
        return r.read().decode()


def admin():
    """A session token of the administrator."""
    return json.loads(plain("/Security/Login", {"user": ADMIN, "password": PASSWORD}))["Result"]["Auth"]


def tenant():
    return json.loads(plain("/Security/WhoAmI", {}, token=admin()))["Result"]["TenantId"]


def person(name):
    """Make somebody whose second factor is mail."""
    body = {"Name": name + "@limen", "Mail": name + "@example.com", "DisplayName": name, "Password": SECRET}
    answer = plain("/CDirectoryService/CreateUser", body, token=admin())
    assert '"success":true' in answer, answer


def tray(to):
    return [m for m in json.loads(plain("/dev/outbox.json", method="GET")) if m["to"] == to]


def click(to):
    """Follow the link in the newest mail to an address, and press the button on its page."""
    before = len(tray(to))

    def wait():
        for _ in range(100):
            got = tray(to)
            if len(got) > before:
                link = re.search(r"https://\S+/AnswerOOBChallenge\S*", got[0]["text"])
                answer = urllib.parse.parse_qs(urllib.parse.urlparse(link.group(0)).query)["answer"][0]
                plain("/Security/AnswerOOBChallenge", form={"answer": answer})
                return
            time.sleep(0.1)

    t = threading.Thread(target=wait, daemon=True)
    t.start()
    return t
