package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"limen/bench/load"
)

// unit is what a row counts in.
type unit uint8

const (
	perSecond unit = iota // more is better
	duration              // seconds; less is better
	memory                // less is better
	share                 // of one core; less is better
	number                // of something; less is better
)

func (u unit) text(v float64) string {
	switch u {
	case perSecond:
		return thousands(v) + "/s"
	case duration:
		return time.Duration(v * 1e9).Round(time.Microsecond).String()
	case memory:
		return fmt.Sprintf("%.1f MB", v/1e6)
	case number:
		return thousands(v)
	default:
		return fmt.Sprintf("%.2f %%", 100*v)
	}
}

func thousands(v float64) string {
	if v < 100 && v != math.Trunc(v) {
		return fmt.Sprintf("%.1f", v)
	}
	s := fmt.Sprintf("%.0f", v)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// row is a line of the table.
type row struct {
	measure string
	unit    unit
	limit   float64 // 0: there is none
	of      string  // what the limit is
	ours    float64
	aim     float64       // 0: none
	ratio   float64       // aim for ours as a share of the limit, at least of rates and at most of others; 0: none
	cpu     time.Duration // processor time of a call, client included; 0: not measured
	bare    time.Duration // the same of the limit
	spread  float64       // the 99th percentile of the calls' times in medians; 0: not measured
	even    float64       // aim for the spread, at most; 0: none
}

// rate makes a row of calls per second.
func rate(measure, of string, limit, ours load.Sample) row {
	return row{measure: measure, unit: perSecond, of: of, limit: limit.Rate(), ours: ours.Rate(), cpu: ours.PerCall(), bare: limit.PerCall(), spread: ours.Spread()}
}

// median makes a row of the time of a call.
func median(measure, of string, limit, ours load.Sample) row {
	return row{measure: measure, unit: duration, of: of, limit: limit.Median().Seconds(), ours: ours.Median().Seconds(), cpu: ours.PerCall(), bare: limit.PerCall()}
}

// met says whether the aims are reached; it is true of a row without aims.
func (r row) met() bool {
	ok := r.ratio == 0 || r.ours >= r.ratio*r.limit
	if r.unit != perSecond && r.ratio != 0 {
		ok = r.ours <= r.ratio*r.limit
	}
	ok = ok && (r.even == 0 || r.spread <= r.even) // too few calls tell nothing
	if r.aim == 0 {
		return ok
	}
	if r.unit == perSecond {
		return ok && r.ours >= r.aim
	}
	return ok && r.ours <= r.aim
}

func (r row) aims() string {
	var parts []string
	if r.aim > 0 {
		parts = append(parts, r.unit.text(r.aim))
	}
	if r.ratio > 0 {
		parts = append(parts, fmt.Sprintf("%.0f %%", 100*r.ratio))
	}
	if r.even > 0 {
		parts = append(parts, fmt.Sprintf("p99 %.0f medians", r.even))
	}
	return strings.Join(parts, ", ")
}

// fields are the cells of the line.
func (r row) fields() []string {
	limit, ratio, met, cpu, spread := "", "", "", "", ""
	if r.limit > 0 {
		limit = r.unit.text(r.limit) + " " + r.of
		if r.unit == perSecond {
			ratio = fmt.Sprintf("%.0f %%", 100*r.ours/r.limit)
		} else {
			ratio = fmt.Sprintf("%.1f x", r.ours/r.limit)
		}
	}
	if r.spread > 0 {
		spread = fmt.Sprintf("%.1f", r.spread)
	}
	if r.aim > 0 || r.ratio > 0 || r.even > 0 && r.spread > 0 {
		met = map[bool]string{true: "yes", false: "NO"}[r.met()]
	}
	if r.cpu > 0 {
		cpu = fmt.Sprintf("%v / %v", r.cpu.Round(100*time.Nanosecond), r.bare.Round(100*time.Nanosecond))
	}
	return []string{r.measure, limit, r.unit.text(r.ours), ratio, r.aims(), met, spread, cpu}
}

var (
	titles = []string{"measure", "limit, measured now", "ours", "ratio", "aim", "met", "p99/p50", "CPU a call, ours / limit"}
	widths = []int{34, 34, 12, 8, 18, 4, 8, 0}
)

func line(w io.Writer, cells []string) {
	var b strings.Builder
	for i, c := range cells {
		b.WriteString(c)
		if i < len(cells)-1 {
			b.WriteString(strings.Repeat(" ", max(1, widths[i]-len(c))))
		}
	}
	fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
}
