package radius

import (
	"context"
	"encoding/base64"
	"io"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/fault"
	wire "limen/internal/wire/radius"
)

// ErrUnanswered says that no server elsewhere answered. It counts as no guess.
var ErrUnanswered = fault.New(fault.Unavailable, "radius.unanswered", "The server that checks passcodes does not answer. Please try again later.")

// Ask sends a datagram to a host and port, and again where nothing comes back, until good takes an answer or the time is over.
type Ask func(ctx context.Context, host string, port int, wait time.Duration, b []byte, good func([]byte) bool) ([]byte, error)

// longest bounds how long somebody waits for all servers together.
const longest = 20 * time.Second

// Reply is what a server elsewhere said.
type Reply struct {
	Right bool
	// Again asks for something else: it is the server's sentence. Token is to be given back with the answer.
	Again, Token string
}

// who is whom a person's name is at a server; empty: it does not know them.
func who(s Server, login, mail string) string {
	switch s.Names {
	case "Mail":
		return mail
	case "sAMAccountName":
		if i := strings.LastIndexByte(login, '@'); i > 0 {
			return login[:i]
		}
	}
	return login
}

// Usable lists the servers that are asked about a person.
func (s *Setup) Usable(ctx context.Context, c *call.Call, userID, login, mail string) ([]Server, error) {
	all, err := s.Servers(ctx, c)
	if err != nil {
		return nil, err
	}
	var out []Server
	known, plain := false, true
	for _, one := range all {
		if !one.Trusted && !known && userID != "" && s.Plain != nil {
			if plain, err = s.Plain(ctx, c, userID); err != nil {
				return nil, err
			}
			known = true
		}
		if (one.Trusted || plain) && who(one, login, mail) != "" {
			out = append(out, one)
		}
	}
	return out, nil
}

// Check asks servers, one after the other until one answers, whether what was typed is somebody's; that alone which asked for more, where
// the token is one's. It must not be called within a transaction. Fault: ErrUnanswered.
func (s *Setup) Check(ctx context.Context, c *call.Call, servers []Server, login, mail, typed, token string) (Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	id, state, more := strings.Cut(token, " ")
	tried := false
	for _, one := range servers {
		if more && one.ID != id {
			continue
		}
		if tried = true; ctx.Err() != nil {
			break
		}
		out, err := s.check(ctx, c, one, who(one, login, mail), typed, state)
		if err == nil {
			return out, nil
		}
		if f := fault.Of(err); f.Kind == fault.Internal {
			return Reply{}, err
		}
	}
	if !tried { // they were removed meanwhile
		return Reply{}, nil
	}
	return Reply{}, ErrUnanswered
}

// check asks one server (RFC 2865 section 2). An answer counts with its Message-Authenticator alone.
func (s *Setup) check(ctx context.Context, c *call.Call, one Server, name, typed, state string) (Reply, error) {
	secret, err := s.Open(ctx, c.Tenant.ID, one.ID, one.Sealed)
	if err != nil {
		return Reply{}, err
	}
	var random [17]byte
	if _, err := io.ReadFull(c.Rand, random[:]); err != nil {
		return Reply{}, err
	}
	at := [16]byte(random[1:])
	if len(typed) > maxTyped || len(name) > maxValue {
		return Reply{}, nil // it is nobody's passcode
	}
	hidden, err := wire.Hide(typed, secret, at)
	if err != nil {
		return Reply{}, err
	}
	all := []wire.Attribute{{Type: wire.UserName, Value: []byte(name)}, hidden, {Type: wire.NASIdentifier, Value: []byte("limen")}}
	if ip := c.Client.IP.Unmap(); ip.IsValid() {
		all = append(all, wire.Attribute{Type: wire.CallingStation, Value: []byte(ip.String())})
	}
	if state != "" {
		raw, err := base64.RawURLEncoding.DecodeString(state)
		if err != nil {
			return Reply{}, err
		}
		all = append(all, wire.Attribute{Type: wire.State, Value: raw})
	}
	b, err := wire.Request(wire.AccessRequest, random[0], at, secret, all...)
	if err != nil {
		return Reply{}, err
	}
	got, err := s.Ask(ctx, one.Host, int(one.Port), time.Duration(one.Wait)*time.Second, b, func(b []byte) bool {
		p, err := wire.Parse(b)
		if err != nil || !p.Answers(random[0], at, secret) {
			return false
		}
		_, ok := p.Signed(secret, &at)
		return ok
	})
	if err != nil {
		return Reply{}, err
	}
	p, err := wire.Parse(got)
	if err != nil {
		return Reply{}, err
	}
	return said(one, p), nil
}

// Bounds of what a packet can say, in bytes.
const (
	maxValue = 253
	maxTyped = 128 // RFC 2865 section 5.2
)

// said reads an answer. A challenge that cannot be answered is a refusal.
func said(one Server, p wire.Packet) Reply {
	switch state := p.Get(wire.State); {
	case p.Code == wire.AccessAccept:
		return Reply{Right: true}
	case p.Code == wire.AccessChallenge && len(state) > 0:
		text := strings.Map(func(r rune) rune {
			if r < ' ' {
				return ' '
			}
			return r
		}, strings.ToValidUTF8(p.Joined(wire.ReplyMessage), ""))
		if text = strings.TrimSpace(text); len(text) < 2 || len(text) > maxText {
			text = "Enter the next passcode."
		}
		return Reply{Again: text, Token: one.ID + " " + base64.RawURLEncoding.EncodeToString(state)}
	}
	return Reply{}
}
