package inquiry

import (
	"context"
	"net/url"
	"strings"
	"unicode"

	"limen/internal/call"
	"limen/internal/crypt"
	"limen/internal/fault"
)

// Mask stands for a key that there is.
const Mask = "********"

const (
	maxURL = 2000 // bytes
	maxKey = 4096 // bytes
)

// ours are headers that the program or HTTP sets.
var ours = map[string]bool{
	"Host": true, "Content-Length": true, "Content-Type": true, "Transfer-Encoding": true, "Connection": true, "Accept": true, "Accept-Encoding": true,
	"Te": true, "Trailer": true, "Upgrade": true, "Expect": true, "Proxy-Authorization": true,
}

// letters are those of headers' names.
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// Check looks at what administrators set of a service: its address, the header in which it wants the key, in canonical form, the key where it is
// set, and the script. Faults of the parameters ApiUrl, ApiKeyHeader, ApiKey and Script.
func (s Service) Check() error {
	u, err := url.Parse(s.URL)
	good := err == nil && u.Scheme == "https" && u.Hostname() != "" && u.User == nil && u.Opaque == "" && u.Fragment == "" && len(s.URL) <= maxURL
	switch {
	case s.URL != "" && !good:
		return fault.Bad("ApiUrl", "must be an absolute https address of at most %d bytes", maxURL)
	case s.Header != "" && (len(s.Header) > 100 || strings.Trim(s.Header, letters) != "" || ours[s.Header]):
		return fault.Bad("ApiKeyHeader", "must be the name of a header that requests do not have already")
	case len(s.Key) > maxKey || strings.ContainsFunc(s.Key, unicode.IsControl):
		return fault.Bad("ApiKey", "may have %d bytes and no control characters", maxKey)
	case len(s.Script) > MaxScript || strings.ContainsRune(s.Script, 0):
		return fault.Bad("Script", "may have %d bytes", MaxScript)
	}
	return nil
}

// Seal seals the key of a service; that of an empty one is empty. Outside transactions.
func Seal(ctx context.Context, c *call.Call, ring *crypt.Ring, purpose, key string) (string, error) {
	if key == "" {
		return "", nil
	}
	if err := ring.Ensure(ctx, c.Tenant.ID, purpose); err != nil {
		return "", err
	}
	return ring.Seal(ctx, c.Tenant.ID, purpose, []byte(key), c.Tenant.ID)
}

// Open opens it again.
func Open(ctx context.Context, c *call.Call, ring *crypt.Ring, purpose, sealed string) (string, error) {
	if sealed == "" {
		return "", nil
	}
	plain, err := ring.Open(ctx, c.Tenant.ID, purpose, sealed, c.Tenant.ID)
	return string(plain), err
}

// Masked is Mask where there is a key, else empty.
func Masked(sealed string) string {
	if sealed == "" {
		return ""
	}
	return Mask
}
