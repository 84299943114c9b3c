package passkey

import "strings"

// Right says whether an answer is taken for a challenge that nobody knows.
func Right(raw string) bool {
	s, challenge := Site{RP: "id.acme.test", Origin: "https://id.acme.test"}, strings.Repeat("x", 43)
	if _, err := created("alice", pendingRow{Challenge: challenge, Kind: SecurityKey, RP: s.RP, Origin: s.Origin}, raw); err == nil {
		return true
	}
	answer, ok := read(raw)
	if ok {
		_, ok = verified(s, challenge, "preferred", Key{User: "alice", Public: nobodys}, answer)
	}
	return ok
}
