"""scim2, the command line of scim2-cli, as it is installed: a person and a group are made, read, found, changed and removed by it, and discovered."""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(__file__)))
from common import ADMIN, URL, admin, done, trying  # noqa: E402

SUFFIX = ADMIN.split("@")[1]
ENV = os.environ | {"SCIM_CLI_URL": URL + "/scim/v2", "SCIM_CLI_HEADERS": "Authorization: Bearer " + admin(), "NO_COLOR": "1"}


def scim2(*args, body=None):
    """What the command prints, as JSON; it exits with another status than 0 when the server's answer is not what it should be."""
    p = subprocess.run(
        [os.path.join(os.path.dirname(sys.executable), "scim2"), *args], env=ENV, input=json.dumps(body) if body else "", capture_output=True, text=True
    )
    assert p.returncode == 0, f"scim2 {' '.join(args)}: {p.returncode} {p.stdout[-300:]} {p.stderr[-300:]}"
    return json.loads(p.stdout) if p.stdout.strip() else None


NAME = f"scim2-{os.getpid()}@{SUFFIX}"


@trying("create, query, replace, modify, search, delete of a user and a group")
def life():
    made = scim2("create", "user", body={"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": NAME, "title": "One"})
    assert made["userName"] == NAME, made
    assert scim2("query", "user", made["id"])["title"] == "One"
    found = scim2("query", "user", "--filter", f'userName eq "{NAME}"')
    assert found["totalResults"] == 1, found
    put = scim2("replace", "user", body={"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": made["id"], "userName": NAME, "title": "Two"})
    assert put["title"] == "Two", put
    group = scim2("create", "group", body={"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": f"scim2-{os.getpid()}"})
    patch = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "add", "path": "members", "value": [{"value": made["id"]}]}]}
    assert len(scim2("modify", "group", group["id"], body=patch)["members"]) == 1
    assert scim2("search", "--filter", f'userName eq "{NAME}"')["totalResults"] == 1
    scim2("delete", "group", group["id"])
    scim2("delete", "user", made["id"])
    assert scim2("query", "user", "--filter", f'userName eq "{NAME}"')["totalResults"] == 0


@trying("query of the documents of discovery")
def discovery():
    types = scim2("query", "resourcetype")
    return f"{types['totalResults']} types, {scim2('query', 'schema')['totalResults']} schemas"


done()
