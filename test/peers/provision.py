"""PyPI scim2-server as what people are provisioned to: users and groups come, change, are disabled and removed there, and drift is put right."""

import json
import os
import secrets
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request

from common import CA, admin, done, plain, trying

TOKEN = secrets.token_urlsafe(24)
DATA = os.path.dirname(os.path.dirname(CA))


def free():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


behind, front = free(), free()
service = subprocess.Popen(
    [os.path.join(os.path.dirname(sys.executable), "scim2-server"), "--hostname", "127.0.0.1", "--port", str(behind), "--bearer-token", TOKEN],
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
)


def pump(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
    except OSError:
        pass
    finally:
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def tls():
    """The service speaks no TLS; people are provisioned over nothing else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pair = [os.path.join(DATA, "tls", n) for n in ("server.pem", "server.key")]
    context.load_cert_chain(*pair)
    with socket.create_server(("127.0.0.1", front)) as listening:
        while True:
            raw, _ = listening.accept()
            try:
                client = context.wrap_socket(raw, server_side=True)
                server = socket.create_connection(("127.0.0.1", behind))
            except OSError:
                continue
            threading.Thread(target=pump, args=(client, server), daemon=True).start()
            threading.Thread(target=pump, args=(server, client), daemon=True).start()


threading.Thread(target=tls, daemon=True).start()
session = admin()


def api(path, body):
    out = json.loads(plain(path, body, session))
    if not out["success"]:
        raise RuntimeError(path + ": " + str(out["Message"]))
    return out["Result"]


def scim(path, method="GET", body=None):
    r = urllib.request.Request(f"http://127.0.0.1:{behind}{path}", json.dumps(body).encode() if body else None, method=method,
                               headers={"Authorization": "Bearer " + TOKEN, "Content-Type": "application/scim+json"})
    with urllib.request.urlopen(r) as a:
        text = a.read()
        return json.loads(text) if text else None


def there(name):
    found = [u for u in scim("/v2/Users?count=500")["Resources"] if u["userName"] == name] if scim("/v2/Users?count=1")["totalResults"] else []
    assert len(found) < 2, "two accounts of " + name
    return found[0] if found else None


def until(what, f):
    for _ in range(200):
        if f():
            return
        time.sleep(0.1)
    raise AssertionError(what + " did not happen; receipts: " + json.dumps([r["Row"] for r in api("/Provisioning/GetReceipts", {"_RowKey": APP})["Results"]])[:1500])


suffix = os.environ["LIMEN_ADMIN"].split("@")[1]
ANN = "ann@" + suffix
APP = api("/SaasManage/ImportAppFromTemplate", {"ID": ["Generic OpenID Connect"]})[0]["_RowKey"]
for _ in range(100):
    try:
        scim("/v2/ServiceProviderConfig")
        break
    except OSError:
        time.sleep(0.1)


@trying("a target, and a role that is a group there")
def _():
    global ROLE, PERSON
    ROLE = api("/Roles/StoreRole", {"Name": "Wiki", "Description": ""})["_RowKey"]
    PERSON = api("/CDirectoryService/CreateUser", {"Name": ANN, "Mail": "ann@example.com", "DisplayName": "Ann", "Password": "Correct-Horse-7-Battery", "SendEmailInvite": False})
    api("/SaasManage/SetApplicationPermissions", {"ID": APP, "Grants": [{"Principal": "Wiki", "PType": "Role", "Rights": "View,Execute"}]})
    api("/Provisioning/SetTarget", {"_RowKey": APP, "BaseURL": f"https://127.0.0.1:{front}/v2", "Secret": TOKEN, "Enabled": True, "OnDelete": "Delete",
                                    "Groups": [{"Role": "Wiki", "Name": "wiki-writers"}]})
    tried = api("/Provisioning/TestTarget", {"_RowKey": APP})
    assert tried["Success"], tried


@trying("somebody who comes to the application is there, and in the group")
def _():
    api("/Roles/UpdateRole", {"Name": ROLE, "Users": {"Add": [PERSON]}})
    until("the account", lambda: there(ANN))
    until("the group", lambda: any(m["value"] == there(ANN)["id"] for g in scim("/v2/Groups?count=100").get("Resources", []) for m in g.get("members", [])))
    got = there(ANN)
    assert got["externalId"] == PERSON and got["active"] is True, got


@trying("a change, and what others have set beside stays")
def _():
    scim("/v2/Users/" + there(ANN)["id"], "PATCH", {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "add", "path": "nickName", "value": "Annie"}]})
    api("/CDirectoryService/ChangeUser", {"ID": PERSON, "DisplayName": "Ann of Wiki"})
    until("the change", lambda: there(ANN)["displayName"] == "Ann of Wiki")
    assert there(ANN)["nickName"] == "Annie"


@trying("drift is found and put right")
def _():
    scim("/v2/Users/" + there(ANN)["id"], "PATCH", {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace", "path": "displayName", "value": "Mallory"}]})
    job = api("/Provisioning/StartRun", {"_RowKey": APP, "Mode": "Compare", "Repair": ["differs", "missing"]})
    until("the repair", lambda: there(ANN)["displayName"] == "Ann of Wiki")
    found = api("/Provisioning/GetFindings", {"_RowKey": APP, "Job": job})
    assert found["Counts"].get("differs") == 1, found["Counts"]


@trying("who loses the application is disabled, and who is deleted is removed")
def _():
    api("/Roles/UpdateRole", {"Name": ROLE, "Users": {"Delete": [PERSON]}})
    until("the disabling", lambda: there(ANN)["active"] is False)
    api("/UserMgmt/RemoveUsers", {"Users": [PERSON]})
    until("the removal", lambda: there(ANN) is None)


service.terminate()
done()
