package risk

import (
	"context"
	"fmt"
)

func (l *look) newDevice(context.Context) (string, error) {
	if l.device != nil {
		return "", nil
	}
	return "the person has not signed in on the device before", nil
}

func (l *look) accountFailures(context.Context) (string, error) {
	n := l.recent.Account
	if n < int64(l.v.Failures) {
		return "", nil
	}
	where := "at the account"
	if l.device != nil {
		where = "at the account on this device"
	}
	return fmt.Sprintf("%d failed attempts %s not long ago", n, where), nil
}

// networkFailures looks for somebody who tries many accounts. Of the failures from the network those at this account are taken away, wherever they came
// from: what is left were others' accounts.
func (l *look) networkFailures(context.Context) (string, error) {
	n := l.recent.Network - l.recent.Account
	if n < int64(l.v.Spread) {
		return "", nil
	}
	return fmt.Sprintf("%d failed attempts at other accounts from the network not long ago", n), nil
}

func (l *look) badNetwork(context.Context) (string, error) {
	if l.Listed == nil {
		return "", nil
	}
	name, err := l.Listed(l.c.Client.IP)
	if err != nil || name == "" {
		return "", err
	}
	return "the address is in the list " + name, nil
}
