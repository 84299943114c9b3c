package oauth

import "sync"

// Derived remembers what is made of an application for as long as the application itself is remembered: it is forgotten with it.
type Derived struct {
	mu sync.RWMutex
	of map[string]any
}

// maxDerived bounds it; beyond that all is made again.
const maxDerived = 500

// Derive gives what of makes of an application, and makes it once while the application stays as it is. key names it, with all that it
// depends on besides the application. What it gives is shared: read only.
func Derive[T any](a App, key string, of func() (T, error)) (T, error) {
	d := a.Derived
	if d == nil {
		return of()
	}
	if a.Wide {
		key = "wide\x00" + key
	}
	d.mu.RLock()
	had, ok := d.of[key].(T)
	d.mu.RUnlock()
	if ok {
		return had, nil
	}
	out, err := of()
	if err != nil {
		return out, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.of == nil || len(d.of) >= maxDerived {
		d.of = map[string]any{}
	}
	d.of[key] = out
	return out, nil
}
