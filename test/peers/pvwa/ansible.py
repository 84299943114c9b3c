"""Ansible's collection cyberark.pas: logs on and off, creates, changes, groups, disables and deletes users."""

import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from common import done, trying  # noqa: E402

here = os.path.dirname(os.path.abspath(__file__))
playbook = os.path.join(os.path.dirname(sys.executable), "ansible-playbook")
env = dict(os.environ, ANSIBLE_NOCOLOR="1", ANSIBLE_LOCALHOST_WARNING="false", ANSIBLE_DEPRECATION_WARNINGS="false", ANSIBLE_STDOUT_CALLBACK="json",
           ANSIBLE_PYTHON_INTERPRETER=sys.executable)
ran = subprocess.run([playbook, "-i", "localhost,", os.path.join(here, "users.yml")], env=env, capture_output=True, text=True, timeout=600)
try:
    tasks = json.loads(ran.stdout[ran.stdout.index("{"):])["plays"][0]["tasks"]
except (ValueError, LookupError):
    sys.exit(ran.stdout + ran.stderr)
for t in tasks:
    name, result = t["task"]["name"], t["hosts"]["localhost"]

    @trying(name or "assert")
    def _():
        assert not result.get("failed"), re.sub(r"\s+", " ", str(result.get("msg") or result.get("assertion") or result))


@trying("the playbook ends well")
def _():
    assert ran.returncode == 0, ran.stderr


done()
