#!/usr/bin/env bash
# eapol_test, of wpa_supplicant, signs in by EAP as a device at a switch or at Wi-Fi does: LIMEN_URL, LIMEN_CA, LIMEN_ADMIN, LIMEN_PASSWORD and
# RADIUS_PORT tell where and who.
set -euo pipefail
failed= at=$(mktemp -d "${TMPDIR:-/tmp}/limen-eapol.XXXXXX")
trap 'rm -rf "$at"' EXIT
call() { curl -s --cacert "$LIMEN_CA" -H "Authorization: Bearer ${TOKEN:-}" -H 'X-IDAP-NATIVE-CLIENT: true' "$LIMEN_URL$1" --json "$2"; }
must() { call "$1" "$2" | jq -e .success >/dev/null || { echo "$1 failed"; exit 1; }; }
TOKEN=$(call /Security/Login "{\"user\":\"$LIMEN_ADMIN\",\"password\":\"$LIMEN_PASSWORD\"}" | jq -r .Result.Auth)
SECRET=$(openssl rand -hex 16) PASSWORD=First-Horse-1-Stable suffix=${LIMEN_ADMIN#*@}
# Beside what others have set up for the same address: the secret tells whose a packet is.
client=$(call /Core/SetRadiusClient "{\"Name\":\"Wi-Fi\",\"ClientHostOrIp\":\"127.0.0.0/8\",\"Secret\":\"$SECRET\"}" | jq -r .Result)
must /CDirectoryService/CreateUser "{\"Name\":\"wifi@$suffix\",\"Mail\":\"wifi@example.com\",\"Password\":\"$PASSWORD\",\"ForcePasswordChangeNext\":false}"
links=$(call /Policy/GetNicePlinks '{}' | jq -c '[.Result.Results[].Row | {PolicySet, LinkType, Params}]')
must /Policy/SavePolicyBlock3 "{\"policy\":{\"Path\":\"/Policy/Wi-Fi\",\"Newpolicy\":true,\"Version\":1,\"Settings\":{\"/Core/Authentication/AllowRadius\":true,\"/Core/Authentication/RadiusUseChallenges\":false}},\"plinks\":$(jq -c '. + [{PolicySet: "/Policy/Wi-Fi", LinkType: "Global", Params: []}]' <<<"$links")}"

# A network password of the person's, which they make themselves.
must /Core/SetTenantConfig '{"key":"Authentication.Challenges","value":"UP"}'
must /Core/SetTenantConfig '{"key":"Radius.NetworkPasswords","value":"true"}'
admin=$TOKEN TOKEN=
TOKEN=$(call /Security/Login "{\"user\":\"wifi@$suffix\",\"password\":\"$PASSWORD\"}" | jq -r .Result.Auth)
NETWORK=$(call /NetworkPassword/GenerateNetworkPassword '{}' | jq -er .Result.Password) || { echo "GenerateNetworkPassword failed"; exit 1; }
TOKEN=$admin
must /Core/DeleteTenantConfig '{"key":"Authentication.Challenges"}'

# An authority of people, and a certificate of one of them.
issue() { # NAME PRINCIPAL
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$at/$1.key" -subj "/CN=$1" 2>/dev/null |
        openssl x509 -req -CA "$at/ca.pem" -CAkey "$at/ca.key" -CAcreateserial -days 1 -out "$at/$1.pem" \
            -extfile <(printf 'extendedKeyUsage=clientAuth\nkeyUsage=critical,digitalSignature\nsubjectAltName=otherName:msUPN;UTF8:%s\n' "$2") 2>/dev/null
}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -keyout "$at/ca.key" -out "$at/ca.pem" -subj "/CN=Devices" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
curl -s --cacert "$LIMEN_CA" -H "Authorization: Bearer $TOKEN" "$LIMEN_URL/Core/AddCertificateAuthority" -F Name=Devices \
    -F 'LoginExtraction=Principal Name from Subject Alternate Name' -F RevocationCheck=false -F "file=@$at/ca.pem" | jq -e .success >/dev/null || { echo "AddCertificateAuthority failed"; exit 1; }
issue wifi "wifi@$suffix"
issue nobody "nobody@$suffix"

# try WHAT WANT SETTINGS [OPTIONS]: one sign-in of a device.
try() {
    local what=$1 want=$2 got=0
    printf 'network={\n key_mgmt=IEEE8021X\n eap=%s\n}\n' "$3" >"$at/conf"
    eapol_test -c "$at/conf" -a 127.0.0.1 -p "$RADIUS_PORT" -s "$SECRET" -t 10 -M 02:00:00:00:00:01 ${4:-} >"$at/out" 2>&1 || got=$?
    if { [ "$want" = yes ] && [ $got = 0 ]; } || { [ "$want" = no ] && [ $got != 0 ] && grep -q "EAP: Received EAP-Failure\|CTRL-EVENT-EAP-FAILURE" "$at/out"; }; then echo "  ok      $what"; else
        echo "  FAILED  $what"
        grep -v hexdump "$at/out" | tail -n 40
        failed=1
    fi
}
ca="ca_cert=\"$LIMEN_CA\""
cert() { echo "private_key=\"$at/$1.key\";client_cert=\"$at/$1.pem\""; }
lines() { tr ';' '\n' <<<"$1"; }
tls13='phase1="tls_disable_tlsv1_3=0"'
try "TLS" yes "$(lines "TLS;identity=\"host/laptop\";$ca;$(cert wifi)")"
try "TLS 1.3" yes "$(lines "TLS;identity=\"host/laptop\";$ca;$tls13;$(cert wifi)")"
try "TLS with small fragments" yes "$(lines "TLS;identity=\"host/laptop\";$ca;fragment_size=150;$(cert wifi)")"
try "TLS with a certificate of nobody" no "$(lines "TLS;identity=\"wifi\";$ca;$(cert nobody)")"
try "TTLS with PAP" yes "$(lines "TTLS;identity=\"wifi\";anonymous_identity=\"anonymous\";password=\"$PASSWORD\";$ca;phase2=\"auth=PAP\"")"
try "TTLS with PAP, TLS 1.3" yes "$(lines "TTLS;identity=\"wifi\";password=\"$PASSWORD\";$ca;$tls13;phase2=\"auth=PAP\"")"
try "TTLS with a wrong password" no "$(lines "TTLS;identity=\"wifi\";password=\"wrong\";$ca;phase2=\"auth=PAP\"")"
try "TTLS with CHAP" no "$(lines "TTLS;identity=\"wifi\";password=\"$PASSWORD\";$ca;phase2=\"auth=CHAP\"")"
try "PEAP with GTC" yes "$(lines "PEAP;identity=\"wifi\";anonymous_identity=\"anonymous\";password=\"$PASSWORD\";$ca;phase2=\"auth=GTC\"")"
try "PEAP with GTC, TLS 1.3" yes "$(lines "PEAP;identity=\"wifi\";password=\"$PASSWORD\";$ca;$tls13;phase2=\"auth=GTC\"")"
try "PEAP with a wrong password" no "$(lines "PEAP;identity=\"wifi\";password=\"wrong\";$ca;phase2=\"auth=GTC\"")"
try "PEAP with MS-CHAPv2" yes "$(lines "PEAP;identity=\"wifi\";anonymous_identity=\"anonymous\";password=\"$NETWORK\";$ca;phase2=\"auth=MSCHAPV2\"")"
try "PEAP with MS-CHAPv2, TLS 1.3" yes "$(lines "PEAP;identity=\"wifi@$suffix\";password=\"$NETWORK\";$ca;$tls13;phase2=\"auth=MSCHAPV2\"")"
try "PEAP with MS-CHAPv2 and the password of the account" no "$(lines "PEAP;identity=\"wifi\";password=\"$PASSWORD\";$ca;phase2=\"auth=MSCHAPV2\"")"
try "TTLS with MS-CHAPv2" yes "$(lines "TTLS;identity=\"wifi\";anonymous_identity=\"anonymous\";password=\"$NETWORK\";$ca;phase2=\"auth=MSCHAPV2\"")"
try "TTLS with MS-CHAPv2, TLS 1.3" yes "$(lines "TTLS;identity=\"wifi\";password=\"$NETWORK\";$ca;$tls13;phase2=\"auth=MSCHAPV2\"")"
try "TTLS with MS-CHAPv2 and the password of the account" no "$(lines "TTLS;identity=\"wifi\";password=\"$PASSWORD\";$ca;phase2=\"auth=MSCHAPV2\"")"
try "TTLS with MS-CHAP, version 1" no "$(lines "TTLS;identity=\"wifi\";password=\"$NETWORK\";$ca;phase2=\"auth=MSCHAP\"")"
try "TTLS with PAP and the network password" no "$(lines "TTLS;identity=\"wifi\";password=\"$NETWORK\";$ca;phase2=\"auth=PAP\"")"
try "a server that the device does not trust" no "$(lines "PEAP;identity=\"wifi\";password=\"$PASSWORD\";ca_cert=\"$at/ca.pem\";phase2=\"auth=GTC\"")"
try "MD5" no "$(lines "MD5;identity=\"wifi\";password=\"$PASSWORD\"")"
must /Core/RemoveRadiusClients "{\"Ids\":[\"$client\"]}"
[ -z "$failed" ]
