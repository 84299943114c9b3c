package rpc

import (
	"errors"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// truth reads a boolean in the ways clients write them.
func truth(t string) (value, ok bool) {
	switch t {
	case "true", "True", "1":
		return true, true
	case "false", "False", "0":
		return false, true
	}
	switch strings.ToLower(strings.TrimSpace(t)) {
	case "true", "yes", "on", "1":
		return true, true
	case "false", "no", "off", "0":
		return false, true
	}
	return false, false
}

func (b *binder) numeric(p *plan, v reflect.Value, s scalar) error {
	t := s.text
	if s.token == text {
		t = strings.TrimSpace(t)
	}
	if s.token == boolean || strings.ContainsAny(t, "xX_pPnNiI") {
		return b.wrong(p.must())
	}
	var err error
	switch p.kind {
	case kInt:
		var n int64
		if n, err = strconv.ParseInt(whole(t), 10, 64); err == nil && v.OverflowInt(n) {
			err = strconv.ErrRange
		}
		v.SetInt(n)
	case kUint:
		var n uint64
		if n, err = strconv.ParseUint(whole(t), 10, 64); err == nil && v.OverflowUint(n) {
			err = strconv.ErrRange
		}
		v.SetUint(n)
	default:
		var f float64
		if f, err = strconv.ParseFloat(t, v.Type().Bits()); err == nil && math.IsInf(f, 0) {
			err = strconv.ErrRange
		}
		v.SetFloat(f)
	}
	switch {
	case errors.Is(err, strconv.ErrRange):
		return b.wrong("is out of range")
	case err != nil:
		return b.wrong(p.must())
	}
	return nil
}

// whole rewrites 10.0 and 1e3 as 10 and 1000; what is no whole number stays as it is.
func whole(t string) string {
	dot := strings.IndexAny(t, ".eE")
	if dot < 0 {
		return t
	}
	mantissa, exponent := t, 0
	if e := strings.IndexAny(t, "eE"); e >= 0 {
		n, err := strconv.Atoi(t[e+1:])
		if err != nil || n > 40 || n < -400 {
			return t
		}
		mantissa, exponent = t[:e], n
	}
	before, after, _ := strings.Cut(mantissa, ".")
	sign := ""
	if before != "" && (before[0] == '-' || before[0] == '+') {
		sign, before = before[:1], before[1:]
	}
	digits, point := before+after, len(before)+exponent
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return t
	}
	if point < 0 {
		digits, point = strings.Repeat("0", -point)+digits, 0
	}
	if point > len(digits) {
		digits += strings.Repeat("0", point-len(digits))
	}
	if strings.Trim(digits[point:], "0") != "" {
		return t
	}
	return sign + "0" + digits[:point]
}
