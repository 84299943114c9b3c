package radius

import (
	"context"
	"errors"
	"net/netip"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/factor/network"
	"limen/internal/core/login"
	"limen/internal/core/radius"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/mschap"
	wire "limen/internal/wire/radius"
)

// Bounds of what is read and written.
const (
	maxName    = 253
	maxState   = 128
	maxTyped   = 128  // bytes of a password, as in a packet
	maxMessage = 1000 // bytes of Reply-Message
)

// Sentences for people.
const (
	sayRefused = "Authentication has failed."
	sayMethod  = "This way to send a password is not supported. Use PAP."
	sayExpired = "Your password has expired or must be changed. Change it on the sign-in page first."
	sayMore    = "Your account is asked for a security key or passkey, which only a browser can ask for."
)

// Access is a request for access.
type Access struct {
	// User is the person's name; without a suffix it has the tenant's own.
	User string
	// Password is the password, or the answer to a challenge.
	Password string
	// State names the conversation that goes on; empty: it begins.
	State string

	at     login.Radius
	caller netip.Addr // from where the person comes, as the client says; none where it does not
	via    string     // method of EAP, or of CHAP, by which they came; empty: by none
	alone  bool       // nothing can be asked for besides
	// exchange is one of MS-CHAP by the person's network password, in place of the password; nil: there is none.
	exchange *mschap.Exchange
}

// TenantHint is none: whose the client is, is known.
func (Access) TenantHint() op.Hint { return op.Hint{} }

// decide answers a request for access.
func (r *Radius) decide(ctx context.Context, from netip.AddrPort, k radius.Known, p wire.Packet) (wire.Code, []wire.Attribute) {
	if p.Has(wire.EAPMessage) {
		return r.converse(ctx, from, k, p)
	}
	if p.Vendor(wire.MSCHAP2Response) != nil {
		return r.challenged(ctx, from, k, p)
	}
	password, ok := p.Password(k.Secret)
	in := &Access{User: strings.TrimSpace(p.Text(wire.UserName)), Password: password, State: p.Text(wire.State)}
	switch {
	case !ok && !p.Has(wire.UserPassword):
		return refuse(sayMethod)
	case !ok, in.User == "", len(in.User) > maxName, len(in.State) > maxState, p.Has(wire.State) && in.State == "":
		return refuse(sayRefused)
	}
	in.at, in.caller = where(k, from), caller(p)
	out, err := r.run(ctx, &r.access, k, from, in, "access")
	if err == nil {
		return out.(Decision).reply()
	}
	return denied(err)
}

// denied answers who is not let in.
func denied(err error) (wire.Code, []wire.Attribute) {
	f := fault.Of(err)
	switch {
	case errors.Is(f, login.ErrExpired):
		return refuse(sayExpired)
	case errors.Is(f, login.ErrMore):
		return refuse(sayMore)
	case f.Kind == fault.Internal || f.Kind == fault.Unavailable:
		return 0, nil // another server may know
	}
	return refuse(sayRefused)
}

func refuse(message string) (wire.Code, []wire.Attribute) {
	return wire.AccessReject, wire.Texts(wire.ReplyMessage, message, maxMessage)
}

// Decision is what became of a request for access.
type Decision struct {
	// State names the conversation that waits for an answer; empty: the person is let in.
	State string
	// Message is what is asked.
	Message string
	// User is the login name of whom is let in.
	User string

	agreed network.Agreed // by MS-CHAP
}

func (d Decision) reply() (wire.Code, []wire.Attribute) {
	if d.State == "" {
		return wire.AccessAccept, nil
	}
	return wire.AccessChallenge, append([]wire.Attribute{{Type: wire.State, Value: []byte(d.State)}}, wire.Texts(wire.ReplyMessage, d.Message, maxMessage)...)
}

// checked is a request with what was found out of it.
type checked struct {
	start  login.VaultStart
	answer login.Request // to a challenge; the start is none then
	made   login.Prepared
}

// prepare looks at a password or an answer, outside transactions.
func (r *Radius) prepare(ctx context.Context, c *op.Call, in Access) (out checked, err error) {
	name, err := r.full(ctx, c, in.User)
	if err != nil {
		return out, err
	}
	if in.State == "" {
		out.start, err = r.Logins.PrepareVault(ctx, c, login.Vault{Login: name, Password: in.Password, Further: !in.alone, Exchange: in.exchange, Radius: &in.at})
		return out, err
	}
	if err := r.Logins.Ensure(ctx, c.Tenant.ID); err != nil {
		return out, err
	}
	request, whose, open, err := r.Logins.RadiusRequest(ctx, c, in.State, in.Password, in.at)
	if err != nil {
		return out, err
	}
	if !open || !strings.EqualFold(whose, name) {
		return out, nil // of a conversation that is over, or somebody else's
	}
	out.answer = request
	out.made, err = r.Logins.Prepare(ctx, c, request)
	return out, err
}

// full is the login name that a name stands for.
func (r *Radius) full(ctx context.Context, c *op.Call, name string) (full string, err error) {
	if _, _, ok := user.SplitName(name); ok {
		return name, nil
	}
	err = c.Snapshot(ctx, func() error {
		main, err := r.Tenants.MainSuffix(ctx, c)
		full = name + "@" + main.Name
		return err
	})
	return full, err
}

// Access lets somebody in whose password is right, or asks them for a further factor where their policies want one. RFC 2865 section 4.
func (r *Radius) Access(ctx context.Context, c *op.Call, in Access, k checked) (Decision, error) {
	c.Event.Set("RadiusClient", in.at.Name)
	if in.via != "" {
		c.Event.Set("RadiusMethod", in.via)
	}
	var out login.Result
	var err error
	switch {
	case in.State == "":
		out, err = r.Logins.Vault(ctx, c, k.start, nil)
	case k.answer.Session != "":
		c.Event.Type = audit.LoginStep
		out, err = r.Logins.VaultAnswer(ctx, c, k.answer, k.made)
	default:
		c.Event.Type, c.Event.Login = audit.LoginFail, in.User
		c.Event.Set("FailReason", "expired or unknown conversation")
		err = login.ErrFailed
	}
	if f := fault.Of(err); f != nil {
		if errors.Is(f, login.ErrFailed) || errors.Is(f, login.ErrExpired) || errors.Is(f, login.ErrMore) {
			return Decision{}, op.Refused(f)
		}
		return Decision{}, err
	}
	if out.Success != nil {
		return Decision{User: out.Success.Person.Name, agreed: k.start.Agreed()}, nil
	}
	return Decision{State: out.Package.Session, Message: question(out)}, nil
}

// questions are what is asked for, by mechanism.
var questions = map[string]string{
	factor.OATH: "Enter the code of your authenticator.", factor.OTP: "Enter the code that your authenticator shows.", factor.Email: "Enter the code that was sent to you by mail.",
	factor.SMS: "Enter the code that was sent to you by text message.", factor.Password: "Enter your password.",
}

// question is what a further factor asks for.
func question(r login.Result) string {
	ch := r.Package.Challenges[0][0]
	if ch.Prompt.Question != "" {
		return ch.Prompt.Question
	}
	if s := questions[ch.Name]; s != "" {
		return s
	}
	return ch.Prompt.Chosen
}
