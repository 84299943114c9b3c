#!/usr/bin/env bash
# FreeRADIUS stands for a device, which the program tells to end the use of somebody whose account was locked: LIMEN_URL, LIMEN_CA, LIMEN_ADMIN,
# LIMEN_PASSWORD and RADIUS_PORT tell where and who.
set -euo pipefail
cd "$(dirname "$0")"
PATH=$PATH:/usr/sbin
at=$(mktemp -d "${TMPDIR:-/tmp}/limen-disconnect.XXXXXX") pid=
finish() {
    [ -z "$pid" ] || { kill "$pid" && wait "$pid" || true; } 2>/dev/null
    rm -rf "$at"
}
trap finish EXIT
SECRET=$(openssl rand -hex 16)
PORT=$(python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
sed "s|@DIR@|$at|; s|@SECRET@|$SECRET|; s|@PORT@|$PORT|" coa.conf >"$at/radiusd.conf"
freeradius -X -d "$at" >"$at/log" 2>&1 &
pid=$!
for _ in $(seq 100); do
    grep -q "Ready to process requests" "$at/log" && break
    kill -0 "$pid" || { tail "$at/log"; exit 1; }
    sleep 0.1
done
call() { curl -s --cacert "$LIMEN_CA" -H "Authorization: Bearer ${TOKEN:-}" -H 'X-IDAP-NATIVE-CLIENT: true' "$LIMEN_URL$1" --json "$2"; }
TOKEN=$(call /Security/Login "{\"user\":\"$LIMEN_ADMIN\",\"password\":\"$LIMEN_PASSWORD\"}" | jq -r .Result.Auth)
client=$(call /Core/SetRadiusClient "{\"Name\":\"Gateway\",\"ClientHostOrIp\":\"127.0.0.0/24\",\"Secret\":\"$SECRET\",\"DisconnectPort\":$PORT}" | jq -er .Result)
leaver=$(call /CDirectoryService/CreateUser "{\"Name\":\"leaver@${LIMEN_ADMIN#*@}\",\"Mail\":\"leaver@example.com\",\"Password\":\"First-Horse-1-Stable\"}" | jq -er .Result)
for session in 81000001 81000002; do
    echo "User-Name = leaver, Acct-Status-Type = Start, Acct-Session-Id = $session" | radclient -r 1 -t 5 "127.0.0.1:$RADIUS_PORT" acct "$SECRET" >/dev/null
done
call /CDirectoryService/SetUserState "{\"ID\":\"$leaver\",\"state\":\"Locked\"}" | jq -e .success >/dev/null
for _ in $(seq 100); do
    [ "$(grep -c 'Sent Disconnect-' "$at/log")" -lt 2 ] || break
    sleep 0.1
done
call /Core/RemoveRadiusClients "{\"Ids\":[\"$client\"]}" >/dev/null
failed=
for want in "Sent Disconnect-ACK" "Sent Disconnect-NAK"; do
    if [ "$(grep -c "$want" "$at/log")" = 1 ]; then echo "  ok      $want"; else
        echo "  FAILED  $want"
        failed=1
    fi
done
[ -z "$failed" ] || { tail -n 60 "$at/log"; exit 1; }
