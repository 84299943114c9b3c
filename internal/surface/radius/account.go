package radius

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"limen/internal/core/radius"
	"limen/internal/core/user"
	"limen/internal/op"
	wire "limen/internal/wire/radius"
)

// Account is what a client tells of somebody's use of it.
type Account struct {
	// Client is the client's name.
	Client string
	// Status is what happened: Start, Stop, Interim-Update, Accounting-On, Accounting-Off, or a number.
	Status string
	// User is the name that it was told of the person.
	User string
	// Fields are what it tells besides.
	Fields map[string]any

	client radius.Client
	status uint32
	use    radius.Use
}

// statuses are the names of Acct-Status-Type (RFC 2866 section 5.1).
var statuses = map[uint32]string{1: "Start", 2: "Stop", 3: "Interim-Update", 7: "Accounting-On", 8: "Accounting-Off"}

// statusStop is the end of one use; overs are what ends one, or all of a device.
const statusStop = 2

var overs = []uint32{statusStop, 7, 8}

// counts reads an Accounting-Request.
func counts(from netip.AddrPort, k radius.Known, p wire.Packet) *Account {
	out := &Account{Client: k.Name, User: p.Text(wire.UserName), Fields: map[string]any{}, client: k.Client}
	n, _ := p.Number(wire.AcctStatusType)
	out.status = n
	out.use = radius.Use{
		Session: p.Text(wire.AcctSessionID), Name: out.User, From: from.Addr().Unmap().String(), Station: p.Text(wire.CallingStation),
		Identifier: p.Text(wire.NASIdentifier), Address: p.Get(wire.NASIPAddress),
	}
	out.use.NAS = cmp.Or(out.use.Identifier, fmt.Sprintf("%x", out.use.Address), out.use.From)
	if out.Status = statuses[n]; out.Status == "" {
		out.Status = strconv.FormatUint(uint64(n), 10)
	}
	for name, t := range map[string]wire.Type{"AccountingSession": wire.AcctSessionID, "CallingStation": wire.CallingStation, "NASIdentifier": wire.NASIdentifier} {
		if s := p.Text(t); s != "" {
			out.Fields[name] = s
		}
	}
	for name, t := range map[string]wire.Type{
		"Seconds": wire.AcctSessionTime, "InputOctets": wire.AcctInputOctets, "OutputOctets": wire.AcctOutputOctets, "TerminateCause": wire.AcctTerminateCause,
	} {
		if n, ok := p.Number(t); ok {
			out.Fields[name] = n
		}
	}
	out.Fields["From"] = from.Addr().Unmap().String()
	return out
}

// Account keeps what a client tells in an event. RFC 2866.
func (r *Radius) Account(ctx context.Context, c *op.Call, in Account) (op.None, error) {
	e := c.Event
	e.Kind, e.Name, e.Login = "RadiusClient", in.Client, in.User
	e.Set("Status", in.Status)
	for name, value := range in.Fields {
		e.Set(name, value)
	}
	if slices.Contains(overs, in.status) {
		if in.status != statusStop {
			in.use.Session = "" // the device has begun anew, or goes
		}
		if err := r.Setup.Used(ctx, c, in.client, in.use); err != nil {
			return op.None{}, err
		}
	}
	if in.User == "" {
		return op.None{}, nil
	}
	main, err := r.full(ctx, c, in.User)
	if err != nil {
		return op.None{}, err
	}
	u, err := r.People.ByName(ctx, c, main)
	if errors.Is(err, user.ErrNotFound) { // whoever the client means, it is nobody here
		return op.None{}, nil
	}
	if e.User = u.ID; err != nil || slices.Contains(overs, in.status) {
		return op.None{}, err
	}
	return op.None{}, r.Setup.Using(ctx, c, in.client, u.ID, u.Barred(c.Now), in.use)
}
