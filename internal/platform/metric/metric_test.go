package metric

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"limen/internal/fault"
)

func TestOperationsAreCounted(t *testing.T) {
	m := New("v1")
	count := m.Operation("/Security/WhoAmI")
	count(nil, time.Millisecond)
	count(nil, time.Millisecond)
	count(fault.ErrInternal, time.Millisecond)
	m.Gauge("limen_waiting", "Things that wait.", func() float64 { return 7 })
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{
		`limen_operation_calls_total{operation="/Security/WhoAmI",outcome="ok"} 2`,
		`limen_operation_calls_total{operation="/Security/WhoAmI",outcome="internal"} 1`,
		`limen_operation_seconds_count{operation="/Security/WhoAmI"} 3`,
		`limen_build_info{version="v1"} 1`, `limen_waiting 7`,
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("lacks %s", want)
		}
	}
}
