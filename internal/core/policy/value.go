package policy

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// text reads a value that is a text, a number or a boolean; ok is false for everything else, null included.
func text(raw json.RawMessage) (s string, ok bool) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return "", false
	}
	switch raw[0] {
	case '"':
		return s, json.Unmarshal(raw, &s) == nil
	case '{', '[', 'n':
		return "", false
	}
	return string(raw), true
}

// boolean reads true, "true", 1 and their like.
func boolean(raw json.RawMessage) (v, ok bool) {
	s, ok := text(raw)
	if !ok {
		return false, false
	}
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "1", "yes", "on":
		return true, true
	case "false", "0", "no", "off":
		return false, true
	}
	return false, false
}

// number reads 5 and "5".
func number(raw json.RawMessage) (n int64, ok bool) {
	s, ok := text(raw)
	if !ok {
		return 0, false
	}
	s = strings.TrimSpace(s)
	if whole, zeros, cut := strings.Cut(s, "."); cut && strings.Trim(zeros, "0") == "" { // some clients write 5.0
		s = whole
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// blank says whether a value says nothing: null, or a text of space.
func blank(raw json.RawMessage) bool {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return true
	}
	s, ok := text(raw)
	return ok && strings.TrimSpace(s) == ""
}

// Rule is one of the rules that choose a profile; the first one whose conditions all hold does.
type Rule struct {
	Conditions []Condition `json:"Conditions"`
	ProfileID  string      `json:"ProfileId"` // UUID, Always or Never
}

// Condition is what a rule asks of a sign-in.
type Condition struct {
	Prop string `json:"Prop"`
	Op   string `json:"Op"`
	Val  string `json:"Val,omitempty"`
}

// readRules reads a RowSet. A setting that stands for no rules gives none.
func readRules(raw json.RawMessage) ([]Rule, error) {
	if blank(raw) {
		return nil, nil
	}
	var loose struct {
		Enabled json.RawMessage `json:"Enabled"`
		Value   []struct {
			Conditions []struct {
				Prop, Op string
				Val      json.RawMessage
			}
			ProfileID json.RawMessage `json:"ProfileId"`
		} `json:"_Value"`
	}
	if s, ok := text(raw); ok { // a client that keeps all its values as texts
		raw = json.RawMessage(s)
	}
	if err := json.Unmarshal(raw, &loose); err != nil {
		return nil, err
	}
	if on, ok := boolean(loose.Enabled); ok && !on {
		return nil, nil
	}
	out := make([]Rule, len(loose.Value))
	for i, r := range loose.Value {
		out[i].ProfileID, _ = text(r.ProfileID)
		out[i].ProfileID = strings.TrimSpace(out[i].ProfileID)
		for _, cond := range r.Conditions {
			val, _ := text(cond.Val)
			out[i].Conditions = append(out[i].Conditions, Condition{strings.TrimSpace(cond.Prop), strings.TrimSpace(cond.Op), strings.TrimSpace(val)})
		}
	}
	return out, nil
}
