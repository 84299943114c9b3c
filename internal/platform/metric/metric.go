// Package metric counts what the program does, in Prometheus' form.
package metric

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"limen/internal/fault"
)

// Metrics is one process's counters. Labels are operations and kinds of outcome only: never tenants, people or
// addresses, whose number has no bound.
type Metrics struct {
	registry *prometheus.Registry
	calls    *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	glass    prometheus.Counter
}

// New makes the counters, those of the Go runtime and the process among them.
func New(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "limen_operation_calls_total", Help: "Calls by operation and outcome; the outcome is ok or the kind of fault.",
		}, []string{"operation", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "limen_operation_seconds", Help: "How long calls took, by operation.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"operation"}),
	}
	m.glass = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "limen_break_glass_sign_ins_total", Help: "Sign-ins by accounts for an emergency.",
	})
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "limen_build_info", Help: "1, with the version as a label."}, []string{"version"})
	build.WithLabelValues(version).Set(1)
	m.registry.MustRegister(m.calls, m.seconds, m.glass, build, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Operation gives the function that counts calls of one operation. Labels are looked up once, not per call.
func (m *Metrics) Operation(path string) func(f *fault.Error, took time.Duration) {
	seconds := m.seconds.WithLabelValues(path)
	ok := m.calls.WithLabelValues(path, "ok")
	return func(f *fault.Error, took time.Duration) {
		seconds.Observe(took.Seconds())
		if f == nil {
			ok.Inc()
			return
		}
		m.calls.WithLabelValues(path, f.Kind.String()).Inc()
	}
}

// BreakGlass counts a sign-in by an account for an emergency.
func (m *Metrics) BreakGlass() { m.glass.Inc() }

// Gauge adds a value that is asked for when metrics are read.
func (m *Metrics) Gauge(name, help string, value func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
}

// Handler serves the counters.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
