package settings

import (
	"context"
	"net/http"
	"time"

	"limen/internal/core/audit"
	"limen/internal/core/demand"
	"limen/internal/core/message"
	"limen/internal/core/template"
	"limen/internal/core/workspace"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/synerise"
)

// customerOps are the settings of sign-ins. The contract has them for customers' accounts; the accounts here are the people of the workspace.
func (s Settings) customerOps(read func(path, permission string, faults ...*fault.Error) op.Spec,
	write func(method, path, permission string, level workspace.Level, event string, faults ...*fault.Error) op.Spec,
) []op.Op {
	const ban, general, own, device = "settings_customers_iam_locking_policy", "settings_customers_iam_general", "settings_customers_iam_synerise",
		"settings_customers_iam_device_control"
	const root = "/sauth/settings/"
	change := func(path, permission string, faults ...*fault.Error) op.Spec {
		return write(http.MethodPost, root+path, permission, workspace.Update, audit.PolicyChange, append(faults, fault.ErrInvalid)...)
	}
	return []op.Op{
		op.New(read(root+"ban", ban), s.GetBan),
		op.New(change("ban", ban, demand.ErrBan), s.SetBan),
		op.New(read(root+"general", general), s.GetGeneral),
		op.Prepared(change("general", general, demand.ErrLife, message.ErrOverride, template.ErrLong, template.ErrChanged), s.readWords, s.SetGeneral),
		op.New(read(root+"device-control", device), s.GetDevices),
		op.Prepared(change("device-control", device, demand.ErrDevice, demand.ErrShut, message.ErrOverride, template.ErrChanged), s.readNotice, s.SetDevices),
		op.New(read(root+"synerise-auth", own), s.GetAccounts),
		op.New(change("synerise-auth", own, demand.ErrLife, demand.ErrRule), s.SetAccounts),
	}
}

// Ban is a lock-out rule.
type Ban struct {
	// Enabled says whether the workspace demands this of its people's sign-ins. What the installation and its policies say counts in any case.
	Enabled bool `json:"enabled"`
	// MaxFailedAttempts is how many failed sign-ins lock an account, 3 to 100; 10 by default.
	MaxFailedAttempts int `json:"maxFailedAttempts"`
	// AttemptsWindowInSeconds is for how long a failure counts, 60 to 86400 seconds; 1800 by default.
	AttemptsWindowInSeconds int `json:"attemptsWindowInSeconds"`
	// BanTimeInSeconds is for how long the account is locked, 60 to 86400 seconds; 1800 by default.
	BanTimeInSeconds int `json:"banTimeInSeconds"`
	// BanByIP is true: failures from one network are counted in any case, by the installation's numbers.
	BanByIP bool `json:"banByIp"`
	// BanByDeviceID is true: devices on which the person signed in completely have a counter of their own.
	BanByDeviceID bool `json:"banByDeviceId"`
	// BanByUUID is true: failures in an account's name are counted together.
	BanByUUID bool `json:"banByUuid"`
}

func banOf(d demand.Demand) Ban {
	b := d.Entry.Ban
	return Ban{b.On, b.Attempts, b.Window, b.Lasts, true, true, true}
}

// GetBan gives the workspace's lock-out rule. synerise.yaml, GET /sauth/settings/ban.
func (s Settings) GetBan(ctx context.Context, c *op.Call, in Workspace) (Ban, error) {
	d, err := s.Demands.Get(ctx, c, in.Workspace().ID)
	return banOf(d), err
}

// NewBan is the whole new rule: what is not sent goes back to its default.
type NewBan struct {
	synerise.Here
	// Enabled says whether the rule counts; absent: false.
	Enabled bool `json:"enabled"`
	// MaxFailedAttempts is how many failed sign-ins lock an account, 3 to 100; absent: 10.
	MaxFailedAttempts op.Opt[int] `json:"maxFailedAttempts"`
	// AttemptsWindowInSeconds is for how long a failure counts, 60 to 86400 seconds; absent: 1800.
	AttemptsWindowInSeconds op.Opt[int] `json:"attemptsWindowInSeconds"`
	// BanTimeInSeconds is for how long the account is locked, 60 to 86400 seconds; absent: 1800.
	BanTimeInSeconds op.Opt[int] `json:"banTimeInSeconds"`
	// BanByIP is true, which it is when absent: networks are always counted.
	BanByIP op.Opt[bool] `json:"banByIp"`
	// BanByDeviceID is true, which it is when absent: known devices are always counted.
	BanByDeviceID op.Opt[bool] `json:"banByDeviceId"`
	// BanByUUID is true, which it is when absent: accounts are always counted.
	BanByUUID op.Opt[bool] `json:"banByUuid"`
}

// Check refuses to leave one of the counters out.
func (n *NewBan) Check() error {
	for name, on := range map[string]op.Opt[bool]{"banByIp": n.BanByIP, "banByDeviceId": n.BanByDeviceID, "banByUuid": n.BanByUUID} {
		if !on.Or(true) {
			return fault.Bad(name, "cannot be false: failures are always counted by account, network and known device")
		}
	}
	return nil
}

// SetBan replaces the workspace's lock-out rule. It counts from the next failed sign-in of the workspace's people on, wherever they sign in,
// and of the rules of several workspaces, the installation's and the policies' the strictest counts, member by member. Locks end by
// themselves; people get in meanwhile from devices on which they signed in before. synerise.yaml, POST /sauth/settings/ban. Error:
// demand.ban with the member at fault.
func (s Settings) SetBan(ctx context.Context, c *op.Call, in NewBan) (Ban, error) {
	d, err := s.Demands.Ban(ctx, c, in.Workspace().ID, demand.Ban{
		On: in.Enabled, Attempts: in.MaxFailedAttempts.Or(demand.Usual.Attempts), Window: in.AttemptsWindowInSeconds.Or(demand.Usual.Window),
		Lasts: in.BanTimeInSeconds.Or(demand.Usual.Lasts),
	})
	return banOf(d), err
}

// most is the tenant's life of tokens.
func (s Settings) most(ctx context.Context, c *op.Call) (time.Duration, error) {
	v, err := s.Values.Get(ctx, c)
	return v.Workspace.Token, err
}

// life is the life of tokens for a workspace that demands this, in seconds.
func (s Settings) life(ctx context.Context, c *op.Call, d demand.Demand) (int, error) {
	most, err := s.most(ctx, c)
	if d.Entry.Life > 0 {
		most = min(most, time.Duration(d.Entry.Life)*time.Second)
	}
	return int(most / time.Second), err
}

// lives refuses a life of tokens that none is: only leaving it out gives the default.
func lives(life op.Opt[int]) error {
	if n, ok := life.Get(); ok && n < demand.MinLife {
		return fault.Bad("tokenLifetimeInSeconds", "must be at least %d", demand.MinLife)
	}
	return nil
}

// limit sets how long tokens for a workspace are good.
func (s Settings) limit(ctx context.Context, c *op.Call, at string, life op.Opt[int]) (demand.Demand, error) {
	most, err := s.most(ctx, c)
	if err != nil {
		return demand.Demand{}, err
	}
	return s.Demands.Limit(ctx, c, at, life.Or(0), int(most/time.Second))
}
