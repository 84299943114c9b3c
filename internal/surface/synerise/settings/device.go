package settings

import (
	"context"

	"limen/internal/core/demand"
	"limen/internal/core/template"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/synerise"
)

// notify is the mode of who demands nothing: people are told, in this mode and every other.
const notify = "NOTIFY"

// Location is where sign-ins come from.
type Location struct {
	// Countries are ISO 3166-1 codes of two letters.
	Countries []string `json:"countries"`
}

// Devices is how sign-ins are treated on devices on which the person has not signed in completely before.
type Devices struct {
	// Mode is NOTIFY: the person is told by mail; APPROVE: they are told, and confirm with a code by mail unless they pass a second factor anyway;
	// CONDITIONAL: they confirm unless the sign-in comes from one of the countries.
	Mode string `json:"mode"`
	// LocationCondition has the countries of CONDITIONAL; else none.
	LocationCondition Location `json:"locationCondition"`
	// NotificationTemplateID is the workspace's template of the mail that tells; null: it is in the installation's words.
	NotificationTemplateID *string `json:"notificationTemplateId"`
	// RedirectLink is null: who confirms stays where they sign in.
	RedirectLink *string `json:"redirectLink"`
}

func devicesOf(d demand.Demand, words template.Words) Devices {
	is := d.Entry.Device
	out := Devices{Mode: notify, LocationCondition: Location{append([]string{}, is.Countries...)}}
	if is.Mode != demand.Notify {
		out.Mode = string(is.Mode)
	}
	if words.Template != "" {
		out.NotificationTemplateID = &words.Template
	}
	return out
}

// GetDevices says how sign-ins on unknown devices are treated. synerise.yaml, GET /sauth/settings/device-control.
func (s Settings) GetDevices(ctx context.Context, c *op.Call, in Workspace) (Devices, error) {
	d, err := s.Demands.Get(ctx, c, in.Workspace().ID)
	if err != nil {
		return Devices{}, err
	}
	of, err := template.Mails(ctx, c, in.Workspace().ID)
	return devicesOf(d, of[template.Notice]), err
}

// NewDevices is the whole new state: what is not sent goes back to its default.
type NewDevices struct {
	synerise.Here
	// Mode is NOTIFY, APPROVE or CONDITIONAL; absent: NOTIFY. It cannot be DISABLED: people are always told.
	Mode op.Opt[string] `json:"mode"`
	// LocationCondition has the countries of CONDITIONAL, which needs one at least.
	LocationCondition Location `json:"locationCondition"`
	// NotificationTemplateID is the id of one of the workspace's templates; null, empty or absent: the installation's words.
	NotificationTemplateID op.Opt[string] `json:"notificationTemplateId"`
	// RedirectLink cannot be set; null, empty or absent.
	RedirectLink op.Opt[string] `json:"redirectLink"`
}

// Check refuses what there is not.
func (n *NewDevices) Check() error {
	switch n.Mode.Or(notify) {
	case notify, string(demand.Approve), string(demand.Conditional):
	case "DISABLED":
		return fault.Bad("mode", "cannot be DISABLED: people are told of sign-ins on unknown devices in any case")
	default:
		return fault.Bad("mode", "must be NOTIFY, APPROVE or CONDITIONAL")
	}
	if n.RedirectLink.Or("") != "" {
		return fault.Bad("redirectLink", "cannot be set: who confirms stays where they sign in")
	}
	return nil
}

func (n *NewDevices) words() template.Words {
	return template.Words{Template: n.NotificationTemplateID.Or("")}
}

// worded calls the member at fault by its name.
func worded(err error) error {
	const member = "notificationTemplateId"
	return synerise.Member(err, map[string]string{"template": member, "html": member, "text": member, "subject": member})
}

func (s Settings) readNotice(ctx context.Context, c *op.Call, in NewDevices) (template.Checked, error) {
	out := template.Checked{}
	return out, worded(s.Templates.PrepareWords(ctx, c, in.Workspace().ID, template.Notice, in.words(), out))
}

// SetDevices replaces how sign-ins on unknown devices are treated. It counts from the next sign-in of the workspace's people on, by every API
// and page; of several workspaces the strictest counts. Where a device is to be confirmed and only a password is asked for, a code by mail is
// asked for as well, or another second factor of the person's; who has none of all gets in on known devices alone. Known is a browser that keeps
// the cookie of a complete sign-in, and here a client that names itself by deviceId. synerise.yaml, POST /sauth/settings/device-control.
// Errors: demand.device, demand.device_lockout, template.changed.
func (s Settings) SetDevices(ctx context.Context, c *op.Call, in NewDevices, done template.Checked) (Devices, error) {
	at, to := in.Workspace().ID, demand.Device{Mode: demand.Mode(in.Mode.Or(notify)), Countries: in.LocationCondition.Countries}
	if to.Mode == notify {
		to.Mode = demand.Notify
	}
	if err := s.Templates.Choose(ctx, c, at, template.Notice, in.words(), done); err != nil {
		return Devices{}, worded(err)
	}
	d, err := s.Demands.Devices(ctx, c, at, to)
	return devicesOf(d, in.words()), err
}
