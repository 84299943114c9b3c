package policy

import (
	"fmt"
	"strconv"
	"strings"
)

// Facets are the parts of a situation that the rules of a resultant set look at, as a text: where they are the same, so is the
// decision.
func (r *Resultant) Facets(at Situation) string {
	var b strings.Builder
	put := func(name, value string) { b.WriteString(name + "=" + value + ";") }
	seen := map[string]bool{}
	for _, rule := range r.rules[foldedRules] {
		for _, cond := range rule.Conditions {
			prop := strings.ToLower(cond.Prop)
			switch prop {
			case "dayofweek", "date", "daterange", "time":
				prop = "moment"
			}
			if seen[prop] {
				continue
			}
			seen[prop] = true
			switch prop {
			case "ipaddress":
				put(prop, at.IP.String())
			case "identitycookie":
				if at.Known != nil {
					put(prop, strconv.FormatBool(*at.Known))
				}
			case "moment":
				put(prop, strconv.FormatInt(at.Time.Unix()/60, 10))
			case "deviceos":
				put(prop, at.OS)
			case "browser":
				put(prop, at.Browser)
			case "countrycode":
				put(prop, at.Country)
			case propRisk:
				put(prop, string(at.Risk))
			default: // whatever it looks at
				known := "?"
				if at.Known != nil {
					known = strconv.FormatBool(*at.Known)
				}
				copied := at
				copied.Known = nil
				put(prop, fmt.Sprint(copied, known))
			}
		}
	}
	return b.String()
}
