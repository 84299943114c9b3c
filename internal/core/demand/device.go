package demand

import (
	"context"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/fault"
)

// Faults of what is demanded of devices.
var (
	ErrDevice = fault.New(fault.Invalid, "demand.device", "This cannot be demanded of devices.")
	// ErrShut is for those who would shut out themselves, or everybody who could undo it.
	ErrShut = fault.New(fault.Conflict, "demand.device_lockout", "With this change you could not sign in on another device any more. Add a mail address of yours, or another second factor, first.")
)

// Mode is how sign-ins are treated on devices on which the person has not signed in completely before.
type Mode string

// The modes. Whatever the mode, people are told of such sign-ins by mail.
const (
	Notify      Mode = ""            // nothing more happens
	Approve     Mode = "APPROVE"     // the person confirms with a code by mail, or another second factor
	Conditional Mode = "CONDITIONAL" // they do, unless the sign-in comes from some countries
)

// Device is what an organization demands of devices. The zero Device demands nothing.
type Device struct {
	Mode      Mode     `json:"mode,omitempty"`
	Countries []string `json:"countries,omitempty"` // ISO 3166-1 alpha-2, of Conditional
}

// maxCountries is more than there are.
const maxCountries = 300

func (d Device) check() (Device, error) {
	d.Countries = slices.Clone(d.Countries)
	if len(d.Countries) > maxCountries {
		return d, ErrDevice.At("locationCondition").Say("Parameter locationCondition may have %d countries.", maxCountries)
	}
	for i, code := range d.Countries {
		d.Countries[i] = strings.ToUpper(code)
		if len(code) != 2 || strings.Trim(d.Countries[i], "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			return d, ErrDevice.At("locationCondition").Say("Parameter locationCondition names %.20q, which is no country code such as DE.", code)
		}
	}
	slices.Sort(d.Countries)
	d.Countries = slices.Compact(d.Countries)
	switch {
	case d.Mode == Conditional && len(d.Countries) == 0:
		return d, ErrDevice.At("locationCondition").Say("Parameter locationCondition must name countries where the mode is CONDITIONAL.")
	case d.Mode != Conditional && len(d.Countries) > 0:
		return d, ErrDevice.At("locationCondition").Say("Parameter locationCondition names countries for the mode CONDITIONAL alone.")
	}
	return d, nil
}

// Devices sets what an organization demands of devices, from the next sign-in on. Faults: ErrDevice; ErrShut.
func (d *Demands) Devices(ctx context.Context, c *call.Call, org string, to Device) (Demand, error) {
	to, err := to.check()
	if err != nil {
		return Demand{}, err
	}
	if to.Mode == Conditional && !d.Places {
		return Demand{}, ErrDevice.At("mode").Say("Parameter mode cannot be CONDITIONAL: this installation does not know where addresses are.")
	}
	out, err := d.change(ctx, c, org, func(now *Demand) error {
		now.Entry.Device = to
		return nil
	})
	if err == nil && to.Mode != Notify && d.Lockout != nil {
		err = d.Lockout(ctx, c, ErrShut)
	}
	return out, err
}

// Confirms says whether a person must confirm a device that is not known, where a sign-in comes from; country is empty where nobody knows. It
// costs no query while no organization of the tenant demands anything.
func (d *Demands) Confirms(ctx context.Context, c *call.Call, userID, country string) (bool, error) {
	of, err := d.cache.Get(ctx, c)
	if err != nil || userID == "" {
		return false, err
	}
	some := false
	for _, one := range of {
		some = some || one.Entry.Device.Mode != Notify
	}
	if !some {
		return false, nil
	}
	in, err := d.Of(ctx, c, userID)
	return slices.ContainsFunc(in, func(org string) bool { return of[org].Entry.Device.asks(country) }), err
}

func (d Device) asks(country string) bool {
	return d.Mode == Approve || d.Mode == Conditional && !slices.Contains(d.Countries, country)
}
