// Package remind mails people the login names that belong to their mail address. Who asks learns nothing: not whether there is an account.
package remind

import (
	"context"
	"strconv"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/message"
	"limen/internal/core/post"
	"limen/internal/core/setting"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
	"limen/internal/crypt"
	"limen/internal/fault"
)

// Purpose is that of the key which conversations are made with.
const Purpose = "remind"

const (
	conversation = 10 * time.Minute // how long a conversation may take
	useful       = time.Hour        // how long a mail that cannot be delivered is tried again
	maxSame      = 20               // accounts that one mail names
	maxShown     = 200              // bytes of what is shown of a conversation
)

// Faults of reminders.
var (
	ErrOff  = fault.New(fault.Denied, "remind.off", "Login names are not sent by mail here.")
	ErrWait = fault.New(fault.Limited, "remind.wait", "Too many attempts. Please try again later.")
	// ErrTalk is all that is said of a conversation that is unknown, altered or over.
	ErrTalk = fault.New(fault.Invalid, "remind.conversation", "The conversation is not known any more. Start again.")
)

// Reminders are those of the call's tenant. Its fields are set before use.
type Reminders struct {
	People   *user.Directory
	Settings *setting.Store
	Post     *post.Post
	Throttle throttle.Throttle
	Ring     *crypt.Ring
}

// Allowed fails with ErrOff where the tenant's settings do not allow reminders. It runs in a transaction.
func (r *Reminders) Allowed(ctx context.Context, c *call.Call) error {
	v, err := r.Settings.Get(ctx, c)
	if err == nil && !v.RemindNames {
		err = ErrOff
	}
	return err
}

// Send mails the login names that belong to an address to it. Asking counts, whether there is anybody or not. It gives the people, for the event
// alone. Faults: ErrOff, ErrWait.
func (r *Reminders) Send(ctx context.Context, c *call.Call, mail string) ([]user.User, error) {
	if err := r.Allowed(ctx, c); err != nil {
		return nil, err
	}
	if err := r.Throttle.Asked(ctx, c, mail, ErrWait); err != nil {
		return nil, err
	}
	all, err := r.People.ByMail(ctx, c, mail, maxSame)
	if err != nil {
		return nil, err
	}
	var who []user.User
	for _, u := range all {
		if !u.MailUnproved && !u.Service && !u.OAuthClient && !u.Barred(c.Now) {
			who = append(who, u)
		}
	}
	if len(who) == 0 {
		return nil, nil
	}
	data := message.Data{IP: c.Client.IP.Unmap().String()}
	for _, u := range who {
		data.Accounts = append(data.Accounts, u.Name)
	}
	first := who[0]
	to := post.Reader{Mail: first.Mail, Culture: first.Culture, Name: first.Display, Account: first.Name, Org: first.Org}
	return who, r.Post.Mail(ctx, c, "remind/"+c.NewID(), to, message.ForgotUsername, data, c.Now.Add(useful))
}

// Talk is a conversation in which somebody is asked for their mail address. It is not stored: it is a keyed hash of its end, so that every
// node knows it.
type Talk struct {
	Session   string
	Mechanism string // what the address is the answer to
}

// Start opens a conversation; outside transactions. Fault: ErrOff.
func (r *Reminders) Start(ctx context.Context, c *call.Call) (Talk, error) {
	if err := c.Snapshot(ctx, func() error { return r.Allowed(ctx, c) }); err != nil {
		return Talk{}, err
	}
	id, _ := crypt.NewToken(c.Rand)
	ends := strconv.FormatInt(c.Now.Add(conversation).Unix(), 36)
	mac, err := r.Ring.MAC(ctx, c.Tenant.ID, Purpose, []byte(ends+"."+id))
	return Talk{ends + "." + mac, id}, err
}

// Check fails with ErrTalk unless a conversation is one of the tenant's that goes on.
func (r *Reminders) Check(ctx context.Context, c *call.Call, t Talk) error {
	if len(t.Session) > maxShown || len(t.Mechanism) > maxShown {
		return ErrTalk
	}
	text, mac, _ := strings.Cut(t.Session, ".")
	if ends, err := strconv.ParseInt(text, 36, 64); err != nil || ends <= c.Now.Unix() {
		return ErrTalk
	}
	ok, err := r.Ring.CheckMAC(ctx, c.Tenant.ID, Purpose, []byte(text+"."+t.Mechanism), mac)
	if err == nil && !ok {
		err = ErrTalk
	}
	return err
}
