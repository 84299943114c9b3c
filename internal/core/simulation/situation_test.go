package simulation_test

import (
	"net/netip"
	"time"

	"pgregory.net/rapid"

	"limen/internal/core/policy"
	"limen/internal/core/risk"
)

// situated draws a situation.
func situated(t *rapid.T) policy.Situation {
	yes, no := true, false
	return policy.Situation{
		IP:    netip.MustParseAddr(ask(t, "ip", "192.0.2.9", "198.51.100.7", "198.51.100.100", "2001:db8::1")),
		Time:  time.Date(2026, 11, 16+rapid.IntRange(0, 6).Draw(t, "day"), rapid.IntRange(0, 23).Draw(t, "hour"), 30, 0, 0, time.UTC),
		Known: ask(t, "known", nil, &yes, &no), OS: ask(t, "os", "", "Windows", "Mac"), Browser: ask(t, "browser", "", "Firefox", "Other"),
		Country: ask(t, "country", "", "DE"), Risk: ask(t, "risk", "", risk.Normal, risk.High, risk.Unknown),
	}
}

// nearby draws a situation that differs in the topic at most.
func nearby(t *rapid.T, at policy.Situation, topic string) policy.Situation {
	o := situated(t)
	switch topic {
	case "ip":
		at.IP = o.IP
	case "time":
		at.Time = o.Time
	case "known":
		at.Known = o.Known
	case "os":
		at.OS = o.OS
	case "browser":
		at.Browser = o.Browser
	case "country":
		at.Country = o.Country
	case "risk":
		at.Risk = o.Risk
	}
	return at
}
