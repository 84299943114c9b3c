package policy

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/network"
	"limen/internal/core/risk"
)

// Situation is where, when and with what somebody signs in. What is not known is zero, and makes every condition about it
// false.
type Situation struct {
	IP      netip.Addr
	Time    time.Time
	Known   *bool  // the person has signed in completely on the device
	OS      string // iOS, Android, WindowsMobile, Mac, Windows, Linux
	Browser string // Other, Chrome, Firefox, IE, Safari, MicrosoftEdge
	Country string // ISO 3166-1 alpha-2
	Risk    risk.Level
	// Certificate says that a certificate was used, which is always known.
	Certificate bool

	person string // whose risk is rated where a rule looks at it; empty: nobody's
}

// Here is the situation of a call.
func (p *Policies) Here(ctx context.Context, c *call.Call, personID string) (Situation, error) {
	s := Situation{IP: c.Client.IP.Unmap(), Time: c.Now, OS: System(c.Client.UserAgent), Browser: Browser(c.Client.UserAgent), person: personID}
	if p.Country != nil && s.IP.IsValid() {
		s.Country = p.Country(s.IP)
	}
	if p.Knows == nil {
		return s, nil
	}
	known, err := p.Knows(ctx, c, personID)
	s.Known = &known
	return s, err
}

// Result is what became of a condition.
type Result struct {
	Condition
	Holds bool
	Why   string // what was found, for people
}

// judge tests conditions of one situation.
type judge struct {
	*Policies
	c  *call.Call
	at Situation
}

// holds tests one condition. Nothing that is unknown holds.
func (j judge) holds(ctx context.Context, cond Condition) (Result, error) {
	var ok bool
	var why string
	var err error
	switch strings.ToLower(cond.Prop) {
	case "ipaddress":
		ok, why, err = j.network(ctx, cond)
	case "identitycookie":
		ok, why = j.cookie(cond)
	case "dayofweek", "date", "daterange", "time":
		ok, why, err = j.moment(ctx, cond)
	case "deviceos":
		ok, why = equals(cond, j.at.OS, "operating system")
	case "browser":
		ok, why = equals(cond, j.at.Browser, "browser")
	case "countrycode":
		ok, why = equals(cond, j.at.Country, "country")
	case "zso":
		ok, why = j.certificate(cond)
	case propRisk:
		ok, why = atRisk(cond, j.at.Risk)
	default:
		why = fmt.Sprintf("%.40s is not known here", cond.Prop)
	}
	return Result{Condition: cond, Holds: ok, Why: why}, err
}

func (j judge) certificate(cond Condition) (bool, string) {
	why := "no certificate was used"
	if j.at.Certificate {
		why = "a certificate was used"
	}
	switch strings.ToLower(cond.Op) {
	case "opis":
		return j.at.Certificate, why
	case "opisnot":
		return !j.at.Certificate, why
	}
	return false, noOp(cond)
}

func noOp(cond Condition) string {
	return fmt.Sprintf("the operator %.40s is not known here", cond.Op)
}

func (j judge) cookie(cond Condition) (bool, string) {
	if j.at.Known == nil {
		return false, "whether the device is known is not known"
	}
	why := "the person has not signed in on the device before"
	if *j.at.Known {
		why = "the person has signed in on the device before"
	}
	switch strings.ToLower(cond.Op) {
	case "opexists":
		return *j.at.Known, why
	case "opnotexists":
		return !*j.at.Known, why
	}
	return false, noOp(cond)
}

func equals(cond Condition, got, what string) (bool, string) {
	if got == "" {
		return false, "the " + what + " is not known"
	}
	why := "the " + what + " is " + got
	switch strings.ToLower(cond.Op) {
	case "opequal":
		return strings.EqualFold(got, cond.Val), why
	case "opnotequal":
		return !strings.EqualFold(got, cond.Val), why
	}
	return false, noOp(cond)
}

func (j judge) network(ctx context.Context, cond Condition) (bool, string, error) {
	// A value may also be networks themselves, beyond the contract.
	id, want := "", true
	switch strings.ToLower(cond.Op) {
	case "opincorpiprange":
	case "opnotincorpiprange":
		want = false
	case "opinsideiprange":
		id = cond.Val
	default:
		return false, noOp(cond), nil
	}
	if !j.at.IP.IsValid() {
		return false, "the address is not known", nil
	}
	of, err := network.Parse(id)
	ok := err == nil
	if !ok && j.Ranges != nil {
		if of, ok, err = j.Ranges(ctx, j.c, id); err != nil {
			return false, "", err
		}
	}
	if !ok {
		return false, "the IP range is not known", nil
	}
	in := of.Contains(j.at.IP)
	why := j.at.IP.String() + " is outside of it"
	if in {
		why = j.at.IP.String() + " is inside of it"
	}
	return in == want, why, nil
}

// moment tests conditions about the time.
func (j judge) moment(ctx context.Context, cond Condition) (bool, string, error) {
	if j.at.Time.IsZero() {
		return false, "the time is not known", nil
	}
	test, misfit := clock(cond)
	if misfit != "" {
		return false, "the value " + misfit, nil
	}
	zone := time.UTC
	if strings.HasPrefix(strings.ToUpper(cond.Val), "L") && j.Zone != nil {
		var err error
		if zone, err = j.Zone(ctx, j.c); err != nil {
			return false, "", err
		}
	}
	at := j.at.Time.In(zone)
	return test(at), "it is " + at.Format("Monday, 2006-01-02 15:04 MST"), nil
}

// clock reads a condition about the time: what tests it, or what is wrong with it.
func clock(cond Condition) (test func(time.Time) bool, misfit string) {
	parts := strings.Split(strings.ReplaceAll(cond.Val, " ", ""), ",")
	if zone := strings.ToUpper(parts[0]); zone != "L" && zone != "U" {
		return nil, "must begin with L, or U, and a comma"
	}
	parts = parts[1:]
	switch strings.ToLower(cond.Prop) + " " + strings.ToLower(cond.Op) {
	case "dayofweek opisdayofweek":
		return weekdays(parts)
	case "time opbetween":
		return hoursOf(parts)
	case "date oplessthan", "date opgreaterthan", "daterange opbetween":
		return dates(cond, parts)
	}
	return nil, "cannot be used with the operator"
}

func weekdays(parts []string) (func(time.Time) bool, string) {
	var on [7]bool
	for _, p := range parts {
		d, err := strconv.Atoi(p)
		if err != nil || d < 0 || d > 6 {
			return nil, "must be days from 0, which is Sunday, to 6"
		}
		on[d] = true
	}
	return func(t time.Time) bool { return on[t.Weekday()] }, ""
}

func hoursOf(parts []string) (func(time.Time) bool, string) {
	var at [2]int
	if len(parts) != 2 {
		return nil, "must be two times, as L,08:00,17:30"
	}
	for i, p := range parts {
		t, err := time.Parse("15:04", p)
		if err != nil {
			return nil, "must be two times, as L,08:00,17:30"
		}
		at[i] = t.Hour()*60 + t.Minute()
	}
	return func(t time.Time) bool {
		m := t.Hour()*60 + t.Minute()
		if at[0] <= at[1] {
			return at[0] <= m && m <= at[1]
		}
		return m >= at[0] || m <= at[1] // over midnight
	}, ""
}

func dates(cond Condition, parts []string) (func(time.Time) bool, string) {
	var at []string
	for _, p := range parts {
		t, err := time.Parse("01/02/2006", p)
		if err != nil {
			return nil, "must be dates as 08/27/2020, month first"
		}
		at = append(at, t.Format(time.DateOnly))
	}
	between := strings.EqualFold(cond.Op, "OpBetween")
	if len(at) != 1 && !between || len(at) != 2 && between {
		return nil, "must be one date, or two for a range"
	}
	return func(t time.Time) bool {
		day := t.Format(time.DateOnly)
		switch {
		case between:
			return at[0] <= day && day <= at[1]
		case strings.EqualFold(cond.Op, "OpLessThan"):
			return day < at[0]
		}
		return day > at[0]
	}, ""
}

const maxRules, maxConditions = 200, 50

// misfitRules completes "The value of X ..."; empty when the rules fit. Conditions that are not known here are kept and
// never hold; a known one must have a value that can be read.
func misfitRules(raw json.RawMessage) string {
	all, err := readRules(raw)
	switch {
	case err != nil:
		return "must be an object with a list _Value of rules"
	case len(all) > maxRules:
		return fmt.Sprintf("may have %d rules", maxRules)
	}
	for i, r := range all {
		if r.ProfileID == "" || len(r.ProfileID) > 200 {
			return fmt.Sprintf("has no ProfileId in rule %d", i+1)
		}
		if len(r.Conditions) > maxConditions {
			return fmt.Sprintf("may have %d conditions in rule %d", maxConditions, i+1)
		}
		for _, cond := range r.Conditions {
			switch strings.ToLower(cond.Prop) {
			case propRisk:
				if why := misfitRisk(cond); why != "" {
					return fmt.Sprintf("has a condition in rule %d whose value %s", i+1, why)
				}
			case "dayofweek", "date", "daterange", "time":
				if _, why := clock(cond); why != "" {
					return fmt.Sprintf("has a condition in rule %d whose value %s", i+1, why)
				}
			}
			if len(cond.Prop)+len(cond.Op)+len(cond.Val) > 4000 {
				return fmt.Sprintf("has a condition in rule %d that is too long", i+1)
			}
		}
	}
	return ""
}

// MisfitRules says what is wrong with a RowSet of rules, as the end of a sentence; empty: nothing. Applications have such
// rules of their own.
func MisfitRules(raw json.RawMessage) string { return misfitRules(raw) }
