package op

import "limen/internal/core/grant"

// OnRow lets any signed-in caller ask; what they may do is for the access control list of the row that the call is about,
// which the operation asks in its own transaction (core/acl, Lists.Need), where it is read. right names what is needed there.
func OnRow(right string) Rule {
	return Rule{text: right, decide: func(c *Call, _ Target) grant.Grant { return grant.Rows(c.Caller.User) }}
}
