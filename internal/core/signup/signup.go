// Package signup lets strangers register themselves, where a tenant allows it. There is an account only when they have shown, by the code
// that a mail brings, that the address is theirs; whoever registers learns nothing of who has an account already: their mail tells them.
package signup

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/captcha"
	"limen/internal/core/link"
	"limen/internal/core/message"
	"limen/internal/core/password"
	"limen/internal/core/post"
	"limen/internal/core/proofing"
	"limen/internal/core/setting"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
	"limen/internal/core/workflow"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Lasts is how long a code is good for.
const Lasts = 24 * time.Hour

// Faults of registrations.
var (
	ErrOff = fault.New(fault.Denied, "signup.off", "Registering needs an invitation here. Ask an administrator of the workspace for one.")
	// ErrCode is all that is said of a code which opens nothing, whatever the reason.
	ErrCode = fault.New(fault.NotFound, "signup.code", "This code is not valid. It was used, its time is over, or a newer one was sent.")
	// ErrCaptcha is for those who register without the answer to a CAPTCHA, where there must be one.
	ErrCaptcha = fault.New(fault.Denied, "signup.captcha", "Registering needs the answer to a CAPTCHA.")
	ErrWait    = fault.New(fault.Limited, "signup.wait", "Too many attempts. Please try again later.")
)

// Signups are those of the call's tenant. Its fields are set before use.
type Signups struct {
	People    *user.Directory
	Passwords password.Passwords
	Settings  *setting.Store
	Post      *post.Post
	Throttle  throttle.Throttle
	Links     link.Links
	Captchas  *captcha.Captchas
	// Proofings say who is let in, and Flows have people approve others.
	Proofings *proofing.Proofings
	Flows     *workflow.Flows
	// Ask mails somebody the link by which they show that their mail address is theirs.
	Ask func(ctx context.Context, c *call.Call, u user.User) error
	// Policy is what a password must satisfy of somebody with a mail address, as far as its domain tells.
	Policy func(ctx context.Context, c *call.Call, mail string) (password.Policy, error)
	// Claimed fails when people of a mail address are an organization's to invite.
	Claimed func(ctx context.Context, c *call.Call, mail string) error
	// Link makes the link at which somebody chooses their first password.
	Link func(ctx context.Context, c *call.Call, u user.User, lasts time.Duration) (string, error)
	// Name finds a free login name for a mail address.
	Name func(ctx context.Context, c *call.Call, mail string) (string, error)
}

// Wish is who registers.
type Wish struct {
	Mail, Plain           string
	Given, Family, Mobile string
	Captcha               string // the answer to a CAPTCHA; empty: none was given
}

func (w Wish) display() string { return strings.TrimSpace(w.Given + " " + w.Family) }

// Choice is a wish whose password was checked and hashed.
type Choice struct {
	wish   Wish
	secret string
	proof  captcha.Proof
}

type row struct {
	MailKey string `db:"mail_key"`
	Mail    string `db:"mail"`
	Secret  string `db:"secret"`
	Given   string `db:"given"`
	Family  string `db:"family"`
	Mobile  string `db:"mobile"`
	Expires int64  `db:"expires"`
	Browser string `db:"browser"`
}

const columns = `mail_key, mail, secret, given, family, mobile, expires, browser`

var (
	putRow = dbx.E("signup.put", `INSERT INTO registration (tenant, mail_key, mail, hash, secret, given, family, mobile, expires, browser) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, mail_key) DO UPDATE SET mail = excluded.mail, hash = excluded.hash,
		secret = CASE WHEN registration.expires > ? THEN '' ELSE excluded.secret END, given = CASE WHEN registration.expires > ? THEN '' ELSE excluded.given END,
		family = CASE WHEN registration.expires > ? THEN '' ELSE excluded.family END, mobile = CASE WHEN registration.expires > ? THEN '' ELSE excluded.mobile END,
		expires = excluded.expires, browser = excluded.browser`)
	ofMail   = dbx.Q[row]("signup.ofMail", `SELECT `+columns+` FROM registration WHERE tenant = ? AND mail_key = ? FOR UPDATE`)
	lookRow  = dbx.Q[row]("signup.look", `SELECT `+columns+` FROM registration WHERE tenant = ? AND hash = ?`)
	lockRow  = dbx.Q[row]("signup.lock", `SELECT `+columns+` FROM registration WHERE tenant = ? AND hash = ? FOR UPDATE`)
	renewRow = dbx.E("signup.renew", `UPDATE registration SET hash = ?, expires = ? WHERE tenant = ? AND mail_key = ?`)
	dropRow  = dbx.E("signup.drop", `DELETE FROM registration WHERE tenant = ? AND mail_key = ?`)
	sweepRow = dbx.S("signup.sweep", "registration", "tenant, mail_key", "expires < ?")
)

// Allowed fails with ErrOff where strangers may not register, and says whether they have to answer a CAPTCHA.
func (s *Signups) Allowed(ctx context.Context, c *call.Call) (answers bool, err error) {
	v, err := s.Settings.Get(ctx, c)
	if err == nil && !v.Signup.Allowed {
		err = ErrOff
	}
	return err == nil && v.Signup.Captcha, err
}

// Prepare checks and hashes a password, for everybody alike; outside transactions. Faults: ErrOff, ErrCaptcha and those of CAPTCHAs, of the password
// policy, of parameters, and of Claimed.
func (s *Signups) Prepare(ctx context.Context, c *call.Call, w Wish) (Choice, error) {
	var p password.Policy
	answers := false
	err := c.Snapshot(ctx, func() (err error) {
		if answers, err = s.Allowed(ctx, c); err == nil && answers && w.Captcha == "" {
			err = ErrCaptcha
		}
		if err == nil {
			err = s.Claimed(ctx, c, w.Mail)
		}
		if err == nil {
			p, err = s.Policy(ctx, c, w.Mail)
		}
		return err
	})
	if err != nil {
		return Choice{}, err
	}
	local, _, _ := user.SplitName(w.Mail)
	if err := (user.New{Name: "x@x", Mail: w.Mail, Display: w.display(), Mobile: w.Mobile}).Offer(); err != nil {
		return Choice{}, err
	}
	if err := p.Check(w.Plain, password.Names{Login: local, Display: w.display(), Mail: w.Mail}); err != nil {
		return Choice{}, err
	}
	out := Choice{wish: w}
	if answers {
		if out.proof, err = s.Captchas.Check(ctx, c, w.Captcha); err != nil {
			return Choice{}, err
		}
	}
	out.secret, err = s.Passwords.Hasher.Hash(ctx, w.Plain)
	return out, err
}

// Cookie is what the browser keeps that registered, to be known again when it shows the code.
func Cookie(browser string, secure bool) *http.Cookie {
	return &http.Cookie{
		Name: cookieName(secure), Value: browser, Path: "/", MaxAge: int(Lasts / time.Second), HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	}
}

// Browser is what a browser has kept; empty: nothing.
func Browser(r *http.Request, secure bool) string {
	k, err := r.Cookie(cookieName(secure))
	if err != nil {
		return ""
	}
	return k.Value
}

func cookieName(secure bool) string {
	if secure {
		return "__Host-registration"
	}
	return "registration"
}

// contested stands for the password where a stranger may have entered it, which the owner of the address would confirm by the code: where somebody
// registered an address that waited already, or the code is shown by another browser than registered. None of what they entered is kept, and the
// owner chooses a password by a link.
const contested = "" // as putRow writes it

// maxSame is how many accounts of an address its mail names.
const maxSame = 10

// Register keeps who wants to register, and mails them the code. To an address that has an account goes a mail that says so. It gives what the
// browser keeps to be known again when it shows the code. Faults: ErrOff, ErrWait, captcha.ErrWrong.
func (s *Signups) Register(ctx context.Context, c *call.Call, ch Choice) (browser string, err error) {
	if _, err := s.Allowed(ctx, c); err != nil {
		return "", err
	}
	if err := s.Captchas.Use(ctx, c, ch.proof); err != nil {
		return "", err
	}
	w := ch.wish
	if err := s.Throttle.Asked(ctx, c, w.Mail, ErrWait); err != nil {
		return "", err
	}
	browser, known := crypt.NewToken(c.Rand)
	told, err := s.tell(ctx, c, w.Mail)
	if err != nil || told {
		return browser, err
	}
	code, hash := crypt.NewToken(c.Rand)
	now, ends := c.Now.UnixMilli(), c.Now.Add(Lasts).UnixMilli()
	if _, err := putRow.Do(ctx, c.Tx, c.Tenant.ID, fold.Key(w.Mail), w.Mail, hash, ch.secret, w.Given, w.Family, w.Mobile, ends,
		hex.EncodeToString(known), now, now, now, now); err != nil {
		return "", err
	}
	return browser, s.send(ctx, c, w.Mail, code)
}

func (s *Signups) send(ctx context.Context, c *call.Call, mail, code string) error {
	data := message.Data{Code: code, Lasts: Lasts, IP: c.Client.IP.Unmap().String()}
	return s.Post.Mail(ctx, c, "signup/"+c.NewID(), post.Reader{Mail: mail}, message.RegisterCode, data, c.Now.Add(Lasts))
}

// taken gives the accounts of an address.
func (s *Signups) taken(ctx context.Context, c *call.Call, mail string) (names []string, err error) {
	have, err := s.People.ByMail(ctx, c, mail, maxSame)
	for _, u := range have {
		if !u.MailUnproved {
			names = append(names, u.Name)
		}
	}
	return names, err
}

// tell writes to an address that has an account which it is.
func (s *Signups) tell(ctx context.Context, c *call.Call, mail string) (bool, error) {
	names, err := s.taken(ctx, c, mail)
	if err != nil || len(names) == 0 {
		return false, err
	}
	data := message.Data{Accounts: names, Link: s.Links.To(c, "/", ""), IP: c.Client.IP.Unmap().String()}
	return true, s.Post.Mail(ctx, c, "signup/"+c.NewID(), post.Reader{Mail: mail}, message.ForgotUsername, data, c.Now.Add(Lasts))
}

// Again mails a new code to an address that waits to be confirmed, in place of the one before. It does nothing for others, and asking counts
// for all. Fault: ErrWait.
func (s *Signups) Again(ctx context.Context, c *call.Call, mail string) error {
	if err := s.Throttle.Asked(ctx, c, mail, ErrWait); err != nil {
		return err
	}
	key := fold.Key(mail)
	r, err := ofMail.One(ctx, c.Tx, c.Tenant.ID, key)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && r.Expires <= c.Now.UnixMilli() {
		return nil
	}
	if err != nil {
		return err
	}
	code, hash := crypt.NewToken(c.Rand)
	if _, err := renewRow.Do(ctx, c.Tx, hash, c.Now.Add(Lasts).UnixMilli(), c.Tenant.ID, key); err != nil {
		return err
	}
	return s.send(ctx, c, r.Mail, code)
}

// Confirmed is somebody who has an account now.
type Confirmed struct {
	Person        user.User
	Given, Family string
	Chosen        bool // the password is the one that was given; else a link for choosing one was mailed
	Waits         bool // somebody must approve them before they can sign in
}

// by is a registration as far as it counts for a browser that shows its code.
func (r row) by(browser string) row {
	if browser == "" || subtle.ConstantTimeCompare([]byte(hex.EncodeToString(crypt.TokenHash(browser))), []byte(r.Browser)) != 1 {
		r.Secret, r.Given, r.Family, r.Mobile = contested, "", "", ""
	}
	return r
}

// Foreseen is what is to become of who shows a code.
type Foreseen struct {
	row     row
	verdict proofing.Verdict
}

// Foresee says what is to become of who shows a code, for Confirm; outside transactions. It counts nothing, and of codes that open nothing it says
// nothing.
func (s *Signups) Foresee(ctx context.Context, c *call.Call, code, browser string) (Foreseen, error) {
	var f Foreseen
	var name string
	err := c.Snapshot(ctx, func() (err error) {
		if f.row, err = s.waiting(ctx, c, code, lookRow); err == nil {
			name, err = s.Name(ctx, c, f.row.Mail)
		}
		return err
	})
	if errors.Is(err, ErrCode) {
		return Foreseen{}, nil
	}
	if err != nil {
		return Foreseen{}, err
	}
	f.row = f.row.by(browser)
	f.verdict, err = s.Judge(ctx, c, proofing.Applicant{Name: name, Mail: f.row.Mail, Mobile: f.row.Mobile, Display: f.row.display()})
	return f, err
}

func (r row) display() string {
	out := Wish{Given: r.Given, Family: r.Family}.display()
	if out == "" {
		out, _, _ = user.SplitName(r.Mail)
	}
	return out
}

// Confirm makes the account of who shows the code, which works once, and what Register gave the browser: without that, somebody else may have
// registered the address, and its owner confirms nothing of what they entered. A code that opens nothing counts as a guess of the caller's network, so
// its fault must not undo the transaction, and neither must that of who is refused: the code is used up. Faults: ErrCode, also where the address has got
// an account meanwhile; ErrWait; those of Claimed; proofing.ErrDenied; and those of Enter.
func (s *Signups) Confirm(ctx context.Context, c *call.Call, code, browser string, f Foreseen) (Confirmed, error) {
	r, err := s.waiting(ctx, c, code, lockRow)
	if err != nil && !errors.Is(err, ErrCode) {
		return Confirmed{}, err
	}
	if failed := s.Links.Used(ctx, c, err == nil, ErrWait); failed != nil {
		return Confirmed{}, failed
	}
	if err != nil {
		return Confirmed{}, err
	}
	if _, err := dropRow.Do(ctx, c.Tx, c.Tenant.ID, r.MailKey); err != nil {
		return Confirmed{}, err
	}
	if err := s.Claimed(ctx, c, r.Mail); err != nil {
		return Confirmed{}, err
	}
	if r = r.by(browser); r != f.row {
		return Confirmed{}, proofing.ErrChanged
	}
	if err := f.verdict.Denied(); err != nil {
		return Confirmed{}, err
	}
	u, waits, err := s.create(ctx, c, r, f.verdict)
	return Confirmed{u, r.Given, r.Family, r.Secret != contested, waits}, err
}

// waiting finds the registration of a code, by a query.
func (s *Signups) waiting(ctx context.Context, c *call.Call, code string, by dbx.Query[row]) (row, error) {
	hash, ok := link.Hash(code)
	if !ok {
		return row{}, ErrCode
	}
	r, err := by.One(ctx, c.Tx, c.Tenant.ID, hash)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && r.Expires <= c.Now.UnixMilli() {
		return row{}, ErrCode
	}
	if err != nil {
		return row{}, err
	}
	names, err := s.taken(ctx, c, r.Mail)
	if err == nil && len(names) > 0 {
		err = ErrCode
	}
	return r, err
}

func (s *Signups) create(ctx context.Context, c *call.Call, r row, v proofing.Verdict) (user.User, bool, error) {
	name, err := s.Name(ctx, c, r.Mail)
	if err != nil {
		return user.User{}, false, err
	}
	u, waits, err := s.Enter(ctx, c, Entry{
		New: user.New{Name: name, Mail: r.Mail, Display: r.display(), Mobile: r.Mobile, Everybody: true}, Verdict: v, Stranger: true,
	})
	switch {
	case err != nil:
		return user.User{}, false, err
	case r.Secret == contested && waits: // they are written to once they are let in
		return u, waits, nil
	case r.Secret == contested:
		return u, waits, s.welcome(ctx, c, u)
	}
	fresh, err := password.Imported(r.Secret, password.Current{})
	if err != nil {
		return user.User{}, false, err
	}
	return u, waits, s.Passwords.Put(ctx, c, u.ID, fresh, false)
}

// welcome mails the link at which a person chooses their first password.
func (s *Signups) welcome(ctx context.Context, c *call.Call, u user.User) error {
	to, err := s.Link(ctx, c, u, Lasts)
	if err != nil {
		return err
	}
	reader, data := post.Reader{Mail: u.Mail, Account: u.Name}, message.Data{Link: to, Lasts: Lasts}
	if err := s.Post.Mail(ctx, c, "signup/"+c.NewID(), reader, message.Invitation, data, c.Now.Add(Lasts)); err != nil {
		return err
	}
	return s.People.Invited(ctx, c, u.ID)
}

// Sweep removes registrations of all tenants whose time was over before a time.
func (s *Signups) Sweep(ctx context.Context, db *dbx.DB, before time.Time) error {
	return sweepRow.Run(ctx, db, before.UnixMilli())
}
