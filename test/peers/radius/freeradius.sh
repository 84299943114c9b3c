#!/usr/bin/env bash
# FreeRADIUS is asked by the program whether a passcode is somebody's: LIMEN_URL, LIMEN_CA, LIMEN_ADMIN and LIMEN_PASSWORD tell where the
# program is and who administers it.
set -euo pipefail
cd "$(dirname "$0")"
PATH=$PATH:/usr/sbin
failed= at=$(mktemp -d "${TMPDIR:-/tmp}/limen-freeradius.XXXXXX") pid=
finish() {
    [ -z "$pid" ] || { kill "$pid" && wait "$pid" || true; } 2>/dev/null
    rm -rf "$at"
}
trap finish EXIT
SECRET=$(openssl rand -hex 16)
PORT=$(python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
sed "s|@DIR@|$at|; s|@SECRET@|$SECRET|; s|@PORT@|$PORT|" radiusd.conf >"$at/radiusd.conf"
printf 'anna Cleartext-Password := "135790"\nbert Cleartext-Password := "135790"\n' >"$at/users"
freeradius -X -d "$at" >"$at/log" 2>&1 &
pid=$!
for _ in $(seq 100); do
    grep -q "Ready to process requests" "$at/log" && break
    kill -0 "$pid" || { tail "$at/log"; exit 1; }
    sleep 0.1
done

TOKEN=
call() { curl -s --cacert "$LIMEN_CA" -H "Authorization: Bearer $TOKEN" -H 'X-IDAP-NATIVE-CLIENT: true' "$LIMEN_URL$1" --json "$2"; }
TOKEN=$(call /Security/Login "{\"user\":\"$LIMEN_ADMIN\",\"password\":\"$LIMEN_PASSWORD\"}" | jq -r .Result.Auth)
suffix=${LIMEN_ADMIN#*@} password=First-Horse-1-Stable
must() { call "$1" "$2" | jq -e .success >/dev/null || { echo "$1 failed"; exit 1; }; }
must /Core/SetRadiusServer "{\"Name\":\"Tokens\",\"Host\":\"127.0.0.1\",\"Port\":$PORT,\"Secret\":\"$SECRET\",\"UserIdentifierAttribute\":\"sAMAccountName\"}"
profile=$(call /AuthProfile/SaveProfile '{"settings":{"Name":"Token","Challenges":["UP","RADIUS"],"AdditionalData":{}}}' | jq -r .Result.Uuid)
role=$(call /Roles/StoreRole '{"Name":"Token holders"}' | jq -r ._RowKey,.Result._RowKey | grep -v null | head -1)
for name in anna bert; do
    must /CDirectoryService/CreateUser "{\"Name\":\"$name@$suffix\",\"Mail\":\"$name@example.com\",\"Password\":\"$password\",\"ForcePasswordChangeNext\":false}"
    must /Roles/UpdateRole "{\"Name\":\"$role\",\"Users\":{\"Add\":[\"$name@$suffix\"]}}"
done
# Beside other policy sets, so that this can run behind others.
links=$(call /Policy/GetNicePlinks '{}' | jq -c '[.Result.Results[].Row | {PolicySet, LinkType, Params}]')
must /Policy/SavePolicyBlock3 "{\"policy\":{\"Path\":\"/Policy/Token\",\"Newpolicy\":true,\"Version\":1,\"Settings\":{\"AuthenticationEnabled\":true,\"/Core/Authentication/AuthenticationRulesDefaultProfileId\":\"$profile\",\"/Core/Authentication/AllowExternalRadius\":true}},\"plinks\":$(jq -c ". as \$all | [{PolicySet: \"/Policy/Token\", LinkType: \"Role\", Params: [\"$role\"]}] + \$all" <<<"$links")}"

# signin NAME PASSCODE ...: the summary of the last answer.
signin() {
    local name=$1 begun session out=
    shift
    TOKEN='' begun=$(call /Security/StartAuthentication "{\"User\":\"$name@$suffix\",\"Version\":\"1.0\"}")
    session=$(jq -r .Result.SessionId <<<"$begun")
    call /Security/AdvanceAuthentication "{\"SessionId\":\"$session\",\"MechanismId\":\"$(jq -r '.Result.Challenges[0].Mechanisms[0].MechanismId' <<<"$begun")\",\"Action\":\"Answer\",\"Answer\":\"$password\"}" >/dev/null
    for code; do
        out=$(call /Security/AdvanceAuthentication "{\"SessionId\":\"$session\",\"MechanismId\":\"$(jq -r '.Result.Challenges[1].Mechanisms[] | select(.Name == "RADIUS").MechanismId' <<<"$begun")\",\"Action\":\"Answer\",\"Answer\":\"$code\"}")
    done
    jq -r '.Result.Summary // .Message' <<<"$out"
}
try() {
    local what=$1 want=$2 got
    shift 2
    got=$(signin "$@")
    if [ "$got" = "$want" ]; then echo "  ok      $what"; else
        echo "  FAILED  $what: $got"
        failed=1
    fi
}
try "a right passcode" LoginSuccess anna 135790
try "a wrong passcode" Failure anna 000000
try "a challenge" NewPackage bert 135790
try "a challenge and its answer" LoginSuccess bert 135790 222222
try "a challenge and a wrong answer" Failure bert 135790 333333
kill "$pid" && wait "$pid" || true
pid=
try "no server" "The server that checks passcodes does not answer. Please try again later." anna 135790
[ -z "$failed" ] || { tail -n 60 "$at/log"; exit 1; }
