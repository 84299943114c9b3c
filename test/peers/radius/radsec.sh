#!/usr/bin/env bash
# FreeRADIUS asks the program over TLS (RadSec), for radclient and for devices whose PEAP it ends by itself: LIMEN_URL, LIMEN_CA, LIMEN_ADMIN,
# LIMEN_PASSWORD and RADSEC_PORT tell where and who.
set -euo pipefail
cd "$(dirname "$0")"
PATH=$PATH:/usr/sbin
failed= at=$(mktemp -d "${TMPDIR:-/tmp}/limen-radsec.XXXXXX") pid=
stop() { [ -z "$pid" ] || { kill "$pid" && wait "$pid" || true; } 2>/dev/null; pid=; }
trap 'stop; rm -rf "$at"' EXIT
call() { curl -s --cacert "$LIMEN_CA" -H "Authorization: Bearer ${TOKEN:-}" -H 'X-IDAP-NATIVE-CLIENT: true' "$LIMEN_URL$1" --json "$2"; }
must() { call "$1" "$2" | jq -e .success >/dev/null || { echo "$1 failed"; exit 1; }; }
TOKEN=$(call /Security/Login "{\"user\":\"$LIMEN_ADMIN\",\"password\":\"$LIMEN_PASSWORD\"}" | jq -r .Result.Auth)
SECRET=$(openssl rand -hex 16) PASSWORD=First-Horse-1-Stable suffix=${LIMEN_ADMIN#*@}
PORT=$(python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

issue() { # FILE NAME USE [DIR]
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$at/$1.key" -subj "/CN=$2" 2>/dev/null |
        openssl x509 -req -CA "$at/${4:-ca}.pem" -CAkey "$at/${4:-ca}.key" -CAcreateserial -days 1 -out "$at/$1.pem" \
            -extfile <(printf 'extendedKeyUsage=%s\nkeyUsage=critical,digitalSignature\nsubjectAltName=DNS:%s\n' "$3" "$2") 2>/dev/null
}
for ca in ca strange; do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -keyout "$at/$ca.key" -out "$at/$ca.pem" -subj "/CN=Proxies" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
done
issue proxy proxy.example clientAuth
issue stranger proxy.example clientAuth strange
issue own radius.example serverAuth

client=$(call /Core/SetRadiusClient "$(jq -n --rawfile ca "$at/ca.pem" '{Name: "Proxy", ClientHostOrIp: "127.0.0.0/16", RadSecAuthority: $ca, RadSecName: "proxy.example", AllowMsChapV2: true}')" | jq -er .Result)
must /CDirectoryService/CreateUser "{\"Name\":\"proxied@$suffix\",\"Mail\":\"proxied@example.com\",\"Password\":\"$PASSWORD\",\"ForcePasswordChangeNext\":false}"
links=$(call /Policy/GetNicePlinks '{}' | jq -c '[.Result.Results[].Row | {PolicySet, LinkType, Params}]')
must /Policy/SavePolicyBlock3 "{\"policy\":{\"Path\":\"/Policy/Proxied\",\"Newpolicy\":true,\"Version\":1,\"Settings\":{\"/Core/Authentication/AllowRadius\":true,\"/Core/Authentication/RadiusUseChallenges\":false}},\"plinks\":$(jq -c '[{PolicySet: "/Policy/Proxied", LinkType: "Global", Params: []}] + .' <<<"$links")}"
must /Core/SetTenantConfig '{"key":"Authentication.Challenges","value":"UP"}'
must /Core/SetTenantConfig '{"key":"Radius.NetworkPasswords","value":"true"}'
admin=$TOKEN TOKEN=
TOKEN=$(call /Security/Login "{\"user\":\"proxied@$suffix\",\"password\":\"$PASSWORD\"}" | jq -r .Result.Auth)
NETWORK=$(call /NetworkPassword/GenerateNetworkPassword '{}' | jq -er .Result.Password) || { echo "GenerateNetworkPassword failed"; exit 1; }
TOKEN=$admin
must /Core/DeleteTenantConfig '{"key":"Authentication.Challenges"}'

# proxy CERT: FreeRADIUS, which shows that certificate.
proxy() {
    stop
    sed "s|@DIR@|$at|; s|@SECRET@|$SECRET|; s|@PORT@|$PORT|; s|@RADSEC@|$RADSEC_PORT|; s|@CERT@|$1|; s|@CA@|$LIMEN_CA|" radsec.conf >"$at/radiusd.conf"
    freeradius -X -d "$at" >"$at/log" 2>&1 &
    pid=$!
    for _ in $(seq 100); do
        grep -q "Ready to process requests" "$at/log" && return
        kill -0 "$pid" || break
        sleep 0.1
    done
    tail "$at/log"
    exit 1
}
say() { # WHAT FINE
    if [ "$2" = 0 ]; then echo "  ok      $1"; else
        echo "  FAILED  $1"
        tail -n 60 "$at/log"
        failed=1
    fi
}
ask() { # WHAT WANT PASSWORD
    local got=0
    echo "User-Name = proxied, User-Password = $3, Message-Authenticator = 0x00" | radclient -x -r 1 -t 2 "127.0.0.1:$PORT" auth "$SECRET" >"$at/out" 2>&1 || true
    grep -q "$2" "$at/out" || got=1
    say "$1" $got
}
try() { # WHAT WANT PASSWORD
    local got=0
    printf 'network={\n key_mgmt=IEEE8021X\n eap=PEAP\n identity="proxied"\n password="%s"\n ca_cert="%s"\n phase2="auth=MSCHAPV2"\n}\n' "$3" "$at/ca.pem" >"$at/conf"
    eapol_test -c "$at/conf" -a 127.0.0.1 -p "$PORT" -s "$SECRET" -t 10 >/dev/null 2>&1 || got=$?
    if [ "$2" = no ]; then got=$((got == 0)); fi
    say "$1" $got
}
proxy proxy
ask "a right password over TLS" "Received Access-Accept" "$PASSWORD"
ask "a wrong password over TLS" "Received Access-Reject" wrong
try "MS-CHAPv2 without a tunnel, over TLS" yes "$NETWORK"
try "the same with the password of the account" no "$PASSWORD"
proxy stranger
ask "another authority's certificate" "No reply\|Access-Reject" "$PASSWORD"
must /Core/RemoveRadiusClients "{\"Ids\":[\"$client\"]}"
[ -z "$failed" ]
