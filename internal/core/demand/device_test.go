package demand_test

import (
	"context"
	"testing"

	"limen/internal/call"
	"limen/internal/core/demand"
	"limen/internal/fault"
)

func TestDevices(t *testing.T) {
	each(t, func(w *world) {
		w.in["both"], w.in["one"], w.in["else"] = []string{"A", "B"}, []string{"A"}, []string{"C"}
		set := func(want error, org string, d demand.Device) {
			t.Helper()
			w.write(want, func(c *call.Call) error {
				_, err := w.Demands.Devices(t.Context(), c, org, d)
				return err
			})
		}
		asks := func(who, country string, want bool) {
			t.Helper()
			if got, err := w.Confirms(t.Context(), w.call(nil), who, country); got != want || err != nil {
				t.Errorf("%s from %q: %v %v", who, country, got, err)
			}
		}
		asks("one", "DE", false)
		set(demand.ErrDevice, "A", demand.Device{Mode: demand.Conditional, Countries: []string{"DE"}})
		w.Places = true
		set(nil, "A", demand.Device{Mode: demand.Conditional, Countries: []string{"pl", "de", "PL"}})
		if c := w.event.Changes["DeviceCountries"]; c.New != "DE,PL" {
			t.Errorf("%+v", w.event.Changes)
		}
		asks("one", "DE", false)
		asks("one", "FR", true)
		asks("one", "", true)
		asks("both", "DE", false)
		asks("else", "FR", false)
		asks("", "FR", false)
		set(nil, "B", demand.Device{Mode: demand.Approve})
		asks("both", "DE", true)
		asks("one", "DE", false)
		for _, bad := range []demand.Device{
			{Mode: demand.Conditional}, {Mode: demand.Conditional, Countries: []string{"Germany"}}, {Mode: demand.Conditional, Countries: []string{"D1"}},
			{Mode: demand.Approve, Countries: []string{"DE"}}, {Mode: demand.Conditional, Countries: make([]string, 301)},
		} {
			set(demand.ErrDevice, "A", bad)
		}
		w.Lockout = func(_ context.Context, _ *call.Call, warning *fault.Error) error { return warning }
		set(demand.ErrShut, "A", demand.Device{Mode: demand.Approve})
		set(nil, "A", demand.Device{})
		asks("one", "FR", false)
		asks("both", "DE", true)
	})
}
