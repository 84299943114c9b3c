// Package captcha has strangers show that they are no cheap programs: by work that their browser does, which needs no third party, or by a service
// that the tenant names.
//
// The work is that of ALTCHA (altcha.org, its first format): find the number that a hash was made of. A service is asked as Google's reCAPTCHA,
// hCaptcha and Cloudflare's Turnstile are, by a form with secret, response and remoteip.
package captcha

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/big"
	"net/url"
	"strconv"
	"strings"
	"time"

	crand "crypto/rand"

	"limen/internal/call"
	"limen/internal/core/setting"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Purpose is that of the key which challenges are signed with.
const Purpose = "captcha"

const (
	lasts     = 10 * time.Minute // of a challenge
	saltSize  = 12               // bytes
	maxAnswer = 4096             // bytes
	algorithm = "SHA-256"
)

// Faults of CAPTCHAs.
var (
	// ErrWrong is all that is said of an answer that is wrong, used or too old.
	ErrWrong = fault.New(fault.Denied, "captcha.wrong", "The answer to the CAPTCHA is not valid. It was wrong, used, or too old: ask for another one.")
	// ErrService says that the tenant's service could not be asked.
	ErrService = fault.New(fault.Unavailable, "captcha.service", "The CAPTCHA cannot be checked at the moment. Please try again later.")
)

// Captchas are those of the call's tenant. Its fields are set before use.
type Captchas struct {
	Ring     *crypt.Ring
	Settings *setting.Store
	// Post sends a form to an https address, and gives the status and the answer.
	Post func(ctx context.Context, address string, form url.Values) (status int, answer []byte, err error)
}

// Challenge is work to be done: find the number, at most Most, for which the SHA-256 of Salt and the number in decimals is Challenge.
type Challenge struct {
	Algorithm string `json:"algorithm"` // SHA-256
	Challenge string `json:"challenge"` // 64 hexadecimal digits
	Salt      string `json:"salt"`      // with the end of the challenge as parameter: seconds since 1970
	Signature string `json:"signature"` // opaque
	Most      int64  `json:"maxnumber"`
}

// New makes a challenge; outside transactions.
func (k *Captchas) New(ctx context.Context, c *call.Call) (Challenge, error) {
	if err := k.Ring.Ensure(ctx, c.Tenant.ID, Purpose); err != nil {
		return Challenge{}, err
	}
	var v *setting.Values
	err := c.Snapshot(ctx, func() (err error) {
		v, err = k.Settings.Get(ctx, c)
		return err
	})
	if err != nil {
		return Challenge{}, err
	}
	n, err := crand.Int(c.Rand, big.NewInt(int64(v.Captcha.Work)+1))
	if err != nil {
		return Challenge{}, err
	}
	salt := make([]byte, saltSize)
	if _, err := c.Rand.Read(salt); err != nil {
		return Challenge{}, err
	}
	out := Challenge{Algorithm: algorithm, Most: int64(v.Captcha.Work)}
	out.Salt = hex.EncodeToString(salt) + "?expires=" + strconv.FormatInt(c.Now.Add(lasts).Unix(), 10)
	out.Challenge = digest(out.Salt, n.Int64())
	out.Signature, err = k.Ring.MAC(ctx, c.Tenant.ID, Purpose, []byte(out.Challenge+out.Salt))
	return out, err
}

func digest(salt string, n int64) string {
	sum := sha256.Sum256(strconv.AppendInt([]byte(salt), n, 10))
	return hex.EncodeToString(sum[:])
}

// Proof is an answer that is right, which Use uses up. The zero value is one that its service has used up.
type Proof struct {
	hash    []byte
	expires int64 // ms since 1970
}

// Check tells whether an answer is right: the solution of a challenge, or what the tenant's service gave; outside transactions. Faults: ErrWrong,
// ErrService.
func (k *Captchas) Check(ctx context.Context, c *call.Call, answer string) (Proof, error) {
	var v *setting.Values
	err := c.Snapshot(ctx, func() (err error) {
		v, err = k.Settings.Get(ctx, c)
		return err
	})
	switch {
	case err != nil:
		return Proof{}, err
	case answer == "" || len(answer) > maxAnswer:
		return Proof{}, ErrWrong
	case v.Captcha.Service != "":
		return Proof{}, k.ask(ctx, c, v, answer)
	}
	s, ok := parse(answer)
	ends := expiry(s.Salt)
	if !ok || s.Algorithm != algorithm || ends <= c.Now.Unix() || ends > c.Now.Add(2*lasts).Unix() || digest(s.Salt, s.Number) != s.Challenge {
		return Proof{}, ErrWrong
	}
	if err := k.Ring.Ensure(ctx, c.Tenant.ID, Purpose); err != nil {
		return Proof{}, err
	}
	signed, err := k.Ring.CheckMAC(ctx, c.Tenant.ID, Purpose, []byte(s.Challenge+s.Salt), s.Signature)
	if err == nil && !signed {
		err = ErrWrong
	}
	if err != nil {
		return Proof{}, err
	}
	out := Proof{crypt.TokenHash(s.Challenge), ends * 1000}
	return out, c.Snapshot(ctx, func() error { return unused(ctx, c, out) })
}

// unused looks whether an answer was used before: what comes after costs more than this.
func unused(ctx context.Context, c *call.Call, p Proof) error {
	_, err := findUsed.One(ctx, c.Tx, c.Tenant.ID, p.hash)
	switch {
	case errors.Is(err, dbx.ErrNoRow):
		return nil
	case err != nil:
		return err
	}
	return ErrWrong
}

// solution is what a browser found.
type solution struct {
	Algorithm string `json:"algorithm"`
	Challenge string `json:"challenge"`
	Number    int64  `json:"number"`
	Salt      string `json:"salt"`
	Signature string `json:"signature"`
}

// parse reads base64 of JSON.
func parse(answer string) (s solution, ok bool) {
	b, err := base64.StdEncoding.DecodeString(answer)
	if err != nil {
		b, err = base64.RawURLEncoding.DecodeString(answer)
	}
	if err != nil || json.Unmarshal(b, &s) != nil {
		return solution{}, false
	}
	return s, s.Number >= 0
}

// expiry reads the end of a challenge from its salt: seconds since 1970, 0 when there is none.
func expiry(salt string) int64 {
	_, text, _ := strings.Cut(salt, "?expires=")
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

var (
	useRow   = dbx.E("captcha.use", `INSERT INTO captcha_used (tenant, hash, expires) VALUES (?, ?, ?) ON CONFLICT (tenant, hash) DO NOTHING`)
	findUsed = dbx.Q[int64]("captcha.find_used", `SELECT expires FROM captcha_used WHERE tenant = ? AND hash = ?`)
	sweepRow = dbx.S("captcha.sweep", "captcha_used", "tenant, hash", "expires < ?")
)

// Use uses an answer up. Fault: ErrWrong when it was.
func (k *Captchas) Use(ctx context.Context, c *call.Call, p Proof) error {
	if p.hash == nil {
		return nil
	}
	n, err := useRow.Do(ctx, c.Tx, c.Tenant.ID, p.hash, p.expires)
	if err == nil && n == 0 {
		err = ErrWrong
	}
	return err
}

// Sweep removes answers of all tenants that were of no use any more before a time.
func (k *Captchas) Sweep(ctx context.Context, db *dbx.DB, before time.Time) error {
	return sweepRow.Run(ctx, db, before.UnixMilli())
}
