package tenant

import (
	"context"
	"slices"
	"strings"

	"limen/internal/core/setting"
	"limen/internal/fold"
	"limen/internal/op"
)

// find gives the description of a known setting.
func find(name string) (setting.Key, bool) {
	keys, key := setting.Keys(), fold.Key(strings.TrimSpace(name))
	i := slices.IndexFunc(keys, func(k setting.Key) bool { return fold.Key(k.Name) == key })
	if i < 0 {
		return setting.Key{}, false
	}
	return keys[i], true
}

func known(name string) bool {
	_, ok := find(name)
	return ok
}

// unmasked leaves out secrets that come back as lists show them: a page that saves what it was shown must not replace a
// password by asterisks.
func unmasked(pairs ...setting.Pair) []setting.Pair {
	return slices.DeleteFunc(pairs, func(p setting.Pair) bool {
		if p.Value == nil || *p.Value != setting.Mask {
			return false
		}
		k, ok := find(p.Name)
		return ok && k.Secret
	})
}

// write stores settings. A saved secret stays with the server that it was saved for: whoever points the settings at
// another one must know the secret, else they could have it sent to a server of their own.
func (t Tenant) write(ctx context.Context, c *op.Call, pairs []setting.Pair, ready setting.Ready) error {
	now, err := t.Settings.Get(ctx, c)
	if err != nil {
		return err
	}
	next, err := setting.Overlay(now, pairs...)
	if err != nil {
		return err
	}
	if now.SMTP.Password != "" && moved(now.SMTP.Host, next.SMTP.Host) && !gives(pairs, setting.SMTPPassword) {
		return ErrNoSecret.At("Password")
	}
	if now.Twilio.AuthToken != "" && moved(now.Twilio.BaseURL, next.Twilio.BaseURL) && !gives(pairs, setting.TwilioToken) {
		return ErrNoSecret.At("AuthToken")
	}
	return t.Settings.Write(ctx, c, ready)
}

// moved says whether a secret would go elsewhere. No host is nowhere, and no base URL is Twilio's own.
func moved(from, to string) bool { return to != "" && !strings.EqualFold(from, to) }

func gives(pairs []setting.Pair, name string) bool {
	return slices.ContainsFunc(pairs, func(p setting.Pair) bool { return fold.Key(strings.TrimSpace(p.Name)) == fold.Key(name) })
}
