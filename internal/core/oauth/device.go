package oauth

import (
	"context"
	"errors"
	"io"
	"net/url"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/throttle"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
	wire "limen/internal/wire/oauth"
)

// DeviceGrant is the grant_type of RFC 8628 section 3.4, and DevicePath the page to which people bring its codes.
const (
	DeviceGrant = "urn:ietf:params:oauth:grant-type:device_code"
	DevicePath  = "/device"
)

// deviceLife is for how long a code may be brought, and fetched.
const deviceLife = 10 * time.Minute

// letters are those of user codes: without vowels, so that they spell nothing, and none is taken for a digit (RFC 8628 section 6.1).
const (
	letters  = "BCDFGHJKLMNPQRSTVWXZ"
	codeSize = 8 // of twenty letters: 34 bits, of which ten misses of an account and a hundred of a network can be tried in half an hour
)

// guessing counts user codes that are none.
const guessing throttle.Kind = "usercode"

// ErrWait says that too many codes were tried.
var ErrWait = fault.New(fault.Limited, Prefix+"too_many_codes", "Too many wrong codes were entered. Wait a while, then try again.")

// Device is what a device shows its person, and keeps for itself.
type Device struct {
	Code     string // device_code: the device alone knows it
	UserCode string // BCDF-GHJK
	URI      string
	Complete string // with the code in it
	Life     time.Duration
	Pace     int64 // seconds between two polls
}

// PrepareDevice finds and proves a client that wants to show a code, before the transaction.
func (s *Server) PrepareDevice(ctx context.Context, c *call.Call, service, authorization string, p wire.Params) (Ask, error) {
	return s.begin(ctx, c, DeviceGrant, service, authorization, p, nil)
}

// Device makes the two codes (RFC 8628 section 3.2).
func (s *Server) Device(ctx context.Context, c *call.Call, a Ask) (Device, error) {
	plain, _ := crypt.NewToken(c.Rand)
	user, err := newUserCode(c.Rand)
	if err != nil {
		return Device{}, err
	}
	mac, err := s.userCode(ctx, c, user)
	if err != nil {
		return Device{}, err
	}
	if _, err := s.keep(ctx, c, a, deviceKind, plain, mac, "", wish{}, deviceLife); err != nil {
		return Device{}, err
	}
	user = user[:codeSize/2] + "-" + user[codeSize/2:]
	at := "https://" + c.Tenant.Host + DevicePath
	return Device{Code: plain, UserCode: user, URI: at, Complete: at + "?user_code=" + url.QueryEscape(user), Life: deviceLife, Pace: pace}, nil
}

// byDevice is a device that asks what became of its code (RFC 8628 section 3.4).
func (s *Server) byDevice(ctx context.Context, c *call.Call, a Ask) (grantee, error) {
	return s.poll(ctx, c, a, deviceKind, a.Params.Get("device_code"))
}

// ofDevice is who agreed to what a device wants.
func (s *Server) ofDevice(ctx context.Context, c *call.Call, a Ask) (grantee, error) {
	return s.decided(ctx, c, deviceKind, a.Params.Get("device_code"))
}

// decided is who agreed to a request that waited.
func (s *Server) decided(ctx context.Context, c *call.Call, kind, handle string) (grantee, error) {
	row, err := peekPending.One(ctx, c.Tx, c.Tenant.ID, crypt.TokenHash(handle), kind)
	if err != nil || row.Granted == "" || row.Used != 0 {
		return grantee{}, errors.Join(err, ErrGrant)
	}
	return s.granted(ctx, c, row.Granted)
}

// LookDevice says what a code that somebody who is signed in brings would allow, for them to see before they decide. A code that is none counts
// against who tries and their network, so the transaction must write, and be committed where the error is a ReplayError. Faults:
// ErrNobody, ErrDecided, ErrWait.
func (s *Server) LookDevice(ctx context.Context, c *call.Call, userCode string) (Pending, error) {
	if c.Caller == nil {
		return Pending{}, ErrNobody
	}
	try := throttle.Attempt{Kind: guessing, Login: c.Caller.User, IP: c.Client.IP}
	wait, err := s.Throttle.Wait(ctx, c, try)
	if err != nil {
		return Pending{}, err
	}
	if wait > 0 {
		return Pending{}, ErrWait.RetryAfter(int(wait/time.Second) + 1)
	}
	mac, err := s.userCode(ctx, c, plainCode(userCode))
	if err != nil {
		return Pending{}, err
	}
	row, err := pendingByCode.One(ctx, c.Tx, c.Tenant.ID, mac)
	var p Pending
	if err == nil {
		p, err = s.shown(ctx, c, row)
	}
	if errors.Is(err, dbx.ErrNoRow) || errors.Is(err, ErrDecided) {
		// A right code clears no counter: whoever has codes of their own could try others between them.
		if _, err := s.Throttle.Count(ctx, c, try, false); err != nil {
			return Pending{}, err
		}
		return Pending{}, &ReplayError{ErrDecided}
	}
	return p, err
}

// DecideDevice notes what the caller, who was shown LookDevice, decided about a code, and says again what it was. Where something has to
// happen first, it says what, and nothing is noted. The page must refuse forms of other sites. Faults: those of LookDevice, ErrDenied.
func (s *Server) DecideDevice(ctx context.Context, c *call.Call, userCode string, yes bool) (Pending, Next, error) {
	p, err := s.LookDevice(ctx, c, userCode)
	if err != nil {
		return p, Answer, err
	}
	by, err := s.SignedIn(ctx, c)
	if err != nil || by == nil {
		return p, SignIn, err
	}
	next, err := s.decide(ctx, c, p, *by, yes)
	return p, next, err
}

// userCode is the keyed hash under which a user code is kept: who reads the store cannot try all codes.
func (s *Server) userCode(ctx context.Context, c *call.Call, plain string) (string, error) {
	return s.Ring.MAC(ctx, c.Tenant.ID, secretPurpose, []byte("user code\x00"+plain))
}

// newUserCode draws a code, each letter as likely as any.
func newUserCode(rand io.Reader) (string, error) {
	var out []byte
	var b [1]byte
	for len(out) < codeSize {
		if _, err := io.ReadFull(rand, b[:]); err != nil {
			return "", err
		}
		if n := int(b[0]); n < 256/len(letters)*len(letters) {
			out = append(out, letters[n%len(letters)])
		}
	}
	return string(out), nil
}

// plainCode is a code as people type it: in any case, with any signs between its letters.
func plainCode(typed string) string {
	if len(typed) > 100 {
		return ""
	}
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(letters, r) {
			return r
		}
		return -1
	}, strings.ToUpper(typed))
}
