package policy

import (
	"context"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/fault"
)

// names are the modifiers, the built-in one first.
func (s *snapshot) names() []string { return append([]string{BuiltInModifier}, s.modifiers...) }

// Modifiers lists the names that yield a second family of sign-in settings, as in /Core/NAME/AuthenticationEnabled.
func (p *Policies) Modifiers(ctx context.Context, c *call.Call) ([]string, error) {
	s, err := p.now(ctx, c)
	if err != nil {
		return nil, err
	}
	return s.names(), nil
}

// AddModifier registers one; one that is there is no error.
func (p *Policies) AddModifier(ctx context.Context, c *call.Call, name string) error {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > 64 || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		return fault.Bad("name", "has 1 to 64 letters, digits, underscores and hyphens")
	}
	s, err := p.lock(ctx, c)
	if err != nil {
		return err
	}
	noteModifier(c, name)
	switch {
	case s.modifier(name) != "":
		return nil
	case len(s.modifiers) >= maxModifiers:
		return ErrMany
	}
	if _, err := addModifier.Do(ctx, c.Tx, c.Tenant.ID, name, c.Now.UnixMilli()); err != nil {
		return err
	}
	return p.touched(ctx, c, s.Stamp)
}

// DeleteModifier removes one; its settings stay in the policy sets and mean nothing. Faults: ErrModifier, ErrFixed.
func (p *Policies) DeleteModifier(ctx context.Context, c *call.Call, name string) error {
	s, err := p.lock(ctx, c)
	if err != nil {
		return err
	}
	known := s.modifier(strings.TrimSpace(name))
	switch known {
	case "":
		return ErrModifier
	case BuiltInModifier:
		return ErrFixed
	}
	noteModifier(c, known)
	if _, err := dropModifier.Do(ctx, c.Tx, c.Tenant.ID, known); err != nil {
		return err
	}
	return p.touched(ctx, c, s.Stamp)
}

// modifier finds one whatever its case; empty when there is none.
func (s *snapshot) modifier(name string) string {
	all := s.names()
	if i := slices.IndexFunc(all, func(m string) bool { return strings.EqualFold(m, name) }); i >= 0 {
		return all[i]
	}
	return ""
}

func noteModifier(c *call.Call, name string) {
	if c.Event != nil {
		c.Event.Target, c.Event.Kind, c.Event.Name = name, "PolicyModifier", name
	}
}

// CloudMobile says whether policy sets rule mobile devices, rather than the group policy of a directory.
func (p *Policies) CloudMobile(ctx context.Context, c *call.Call) (bool, error) {
	s, err := p.now(ctx, c)
	return s == nil || s.Cloud || s.Revision == "", err
}

// SetCloudMobile chooses; certificate is where such devices get certificates, as clients give it.
func (p *Policies) SetCloudMobile(ctx context.Context, c *call.Call, cloud bool, certificate string) error {
	if len(certificate) > 200 {
		return fault.Bad("certificateOption", "may have 200 bytes")
	}
	s, err := p.lock(ctx, c)
	if err != nil {
		return err
	}
	if c.Event != nil {
		c.Event.Target, c.Event.Kind, c.Event.Name = "/Policy", "PolicyLinks", "mobile devices"
		call.Changed(c.Event, "UseCloud", s.Cloud, cloud)
	}
	if _, err := setCloud.Do(ctx, c.Tx, c.NewID(), cloud, certificate, c.Tenant.ID); err != nil {
		return err
	}
	return p.Changes.Put(ctx, c, "policy", c.Tenant.ID)
}
