#!/usr/bin/env bash
# radclient, of FreeRADIUS, asks the program: LIMEN_URL, LIMEN_CA, LIMEN_ADMIN, LIMEN_PASSWORD and RADIUS_PORT tell where and who.
set -euo pipefail
failed=
call() { curl -s --cacert "$LIMEN_CA" -H "Authorization: Bearer ${TOKEN:-}" -H 'X-IDAP-NATIVE-CLIENT: true' "$LIMEN_URL$1" --json "$2"; }
TOKEN=$(call /Security/Login "{\"user\":\"$LIMEN_ADMIN\",\"password\":\"$LIMEN_PASSWORD\"}" | jq -r .Result.Auth)
SECRET=$(openssl rand -hex 16)
PASSWORD=First-Horse-1-Stable
CLIENT=$(call /Core/SetRadiusClient "{\"Name\":\"radclient\",\"ClientHostOrIp\":\"127.0.0.1\",\"Secret\":\"$SECRET\"}" | jq -r .Result)
call /CDirectoryService/CreateUser "{\"Name\":\"radius@${LIMEN_ADMIN#*@}\",\"Mail\":\"radius@example.com\",\"Password\":\"$PASSWORD\",\"ForcePasswordChangeNext\":false}" | jq -e .success >/dev/null
call /Policy/SavePolicyBlock3 '{"policy":{"Path":"/Policy/RADIUS","Newpolicy":true,"Version":1,"Settings":{"/Core/Authentication/AllowRadius":true}},"plinks":[{"PolicySet":"/Policy/RADIUS","LinkType":"Global","Params":[]}]}' | jq -e .success >/dev/null

# ask WHAT WANT ATTRIBUTES [COMMAND [SECRET]]: one packet, and what its answer has to hold.
ask() {
    out=$(echo "$3" | radclient -x -r 1 -t 2 "127.0.0.1:$RADIUS_PORT" "${4:-auth}" "${5:-$SECRET}" 2>&1 || true)
    if grep -q "$2" <<<"$out"; then echo "  ok      $1"; else
        echo "  FAILED  $1"
        echo "$out"
        failed=1
    fi
}
signed="Message-Authenticator = 0x00"
profile() {
    local id
    id=$(call /AuthProfile/SaveProfile "{\"settings\":{\"Name\":\"$1\",\"Challenges\":$2,\"AdditionalData\":{}}}" | jq -r .Result.Uuid)
    call /Core/SetRadiusClient "{\"Id\":\"$CLIENT\",\"Name\":\"radclient\",\"ClientHostOrIp\":\"127.0.0.1\",\"AuthProfile\":\"$id\"}" | jq -e .success >/dev/null
}
profile Password '["UP"]'
ask "a right password" "Received Access-Accept" "User-Name = radius, User-Password = $PASSWORD, $signed"
ask "the answer begins with a Message-Authenticator" "Message-Authenticator = 0x[0-9a-f]\{32\}" "User-Name = radius, User-Password = $PASSWORD, $signed"
ask "a wrong password" "Received Access-Reject" "User-Name = radius, User-Password = wrong, $signed"
ask "a name that nobody has" "Received Access-Reject" "User-Name = nobody, User-Password = wrong, $signed"
ask "no Message-Authenticator" "No reply" "User-Name = radius, User-Password = $PASSWORD"
ask "another secret" "No reply" "User-Name = radius, User-Password = $PASSWORD, $signed" auth "another secret of it"
ask "CHAP" "Use PAP" "User-Name = radius, CHAP-Password = $PASSWORD, $signed"
ask "Status-Server" "Received Access-Accept" "$signed" status
ask "accounting" "Received Accounting-Response" "User-Name = radius, Acct-Status-Type = Stop, Acct-Session-Id = 1, Acct-Session-Time = 300" acct
ask "accounting with another secret" "No reply" "User-Name = radius, Acct-Status-Type = Stop, Acct-Session-Id = 1" acct "another secret of it"
profile Mail '["UP","EMAIL"]'
ask "a challenge" "Received Access-Challenge" "User-Name = radius, User-Password = $PASSWORD, $signed"
state=$(sed -n 's/.*State = //p' <<<"$out")
code=
for _ in $(seq 100); do
    code=$(curl -s --cacert "$LIMEN_CA" "$LIMEN_URL/dev/outbox" | sed -n 's/^ *\([0-9]\{6\}\)$/\1/p' | head -1)
    [ -z "$code" ] || break
    sleep 0.1
done
ask "its answer by somebody else" "Received Access-Reject" "User-Name = other, User-Password = $code, State = $state, $signed"
ask "its answer" "Received Access-Accept" "User-Name = radius, User-Password = $code, State = $state, $signed"
ask "its answer once more" "Received Access-Reject" "User-Name = radius, User-Password = $code, State = $state, $signed, NAS-Port = 1"
[ -z "$failed" ]
