package login

import (
	"cmp"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"limen/internal/core/factor"
	"limen/internal/core/factor/passkey"
	core "limen/internal/core/login"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/qrcode"
	"limen/web/login"
)

// stepURL is the address of the step that is due, with a parameter that is left out where it is empty.
func stepURL(to, name, value string) string {
	q := url.Values{}
	if to != "" {
		q.Set("cloudRedirect", to)
	}
	if value != "" {
		q.Set(name, value)
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// query is a target as the query of an address.
func query(to string) string { return url.Values{"cloudRedirect": {to}}.Encode() }

// step is the page of what is due in a conversation.
func step(c *op.Call, st core.Stage, to string, in Visit) login.Step {
	due := st.Due()
	at := chosen(due, in.Use)
	if at < 0 {
		out := login.Step{Kind: login.Choose, To: to, Account: st.Login, Image: st.Package.Image, Seconds: st.Package.Wait}
		for _, ch := range due {
			out.Ways = append(out.Ways, way(ch))
		}
		return out
	}
	ch := due[at]
	out := login.Step{
		Kind: kind(c, ch), To: to, Account: st.Login, Image: st.Package.Image, Way: way(ch), Persist: st.First && st.Package.AllowPersist,
		Forgot: st.Package.AllowForgot, Other: len(due) > 1, Seconds: st.Package.Wait, Link: ch.Name == factor.Email && ch.Sent != 0 && !st.Recovery,
	}
	switch {
	case out.Kind == login.Key:
		out.Key = toSign(c, ch)
		out.Persist = out.Persist && out.Key != ""
	case out.Kind == login.Scan:
		scan(c, ch, st.Nameless, &out)
	case out.Kind == login.Push:
		out.Begun = ch.Sent != 0
		if c.Now.UnixMilli() < ch.Expires {
			out.Number = ch.Number
		} else if ch.Number != "" {
			out.Begun = false // it may be asked anew
		}
	case out.Kind == login.Reset:
		out.Rules = rules(st.Policy)
	case out.Kind == login.Terms && st.Terms != nil:
		out.Terms = login.Text{Version: st.Terms.Version, Language: st.Terms.Language, Address: ch.Terms.URL, Paragraphs: paragraphs(st.Terms.Body)}
	case out.Kind == login.Questions:
		out.Asked = asked(ch)
	case out.Kind == login.Code && in.Wait != "" && out.Link:
		out.Kind, out.Back = login.Wait, stepURL(to, "use", strconv.Itoa(at))
	}
	return out
}

// paragraphs are the parts of a text that empty lines divide.
func paragraphs(text string) (out []string) {
	for part := range strings.SplitSeq(text, "\n\n") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// complain is the same page with what is wrong.
func complain(c *op.Call, st core.Stage, to, mechanism string, f *fault.Error) login.Step {
	in := Visit{}
	if i := find(st.Due(), mechanism); i >= 0 {
		in.Use = strconv.Itoa(i)
	}
	out := step(c, st, to, in)
	out.Code, out.Reason = f.Code, f.Public
	return out
}

// chosen is the mechanism to show: the one that is named, the one that was sent last, the only one, or -1 for a choice.
func chosen(due []factor.Challenge, use string) int {
	if i, err := strconv.Atoi(use); err == nil && i >= 0 && i < len(due) {
		return i
	}
	if len(due) == 1 {
		return 0
	}
	if use == "all" {
		return -1
	}
	at := -1
	for i, ch := range due {
		if ch.Sent != 0 && (at < 0 || ch.Sent > due[at].Sent) {
			at = i
		}
	}
	return at
}

func find(due []factor.Challenge, id string) int {
	return slices.IndexFunc(due, func(ch factor.Challenge) bool { return id != "" && ch.ID == id })
}

// sends says whether a mechanism sends something before it can be answered.
func sends(ch factor.Challenge) bool { return ch.Prompt.MaskedMail != "" || ch.Prompt.Digits != "" }

// starts says whether a mechanism is begun before it can be answered.
func starts(ch factor.Challenge) bool {
	return sends(ch) || passkey.Is(ch.Name) || ch.Name == factor.OTP || ch.Name == factor.QR || ch.Name == factor.Duo
}

// scan shows the code of a challenge while it can be read.
func scan(c *op.Call, ch factor.Challenge, nobody bool, out *login.Step) {
	out.Nobody, out.Begun = nobody, ch.Sent != 0
	if ch.Number == "" || c.Now.UnixMilli() >= ch.Expires {
		return
	}
	d, err := qrcode.Draw(core.CodeURL(cmp.Or(c.Tenant.Host, c.Client.Host), ch))
	if err == nil { // an address is never too long for a code
		out.Number, out.Drawing, out.Size = ch.Number, d.Path, d.Size
	}
}

// toSign is what the browser is told of a key's challenge; empty where it has not begun, or is over.
func toSign(c *op.Call, ch factor.Challenge) string {
	q, ok := passkey.Request(ch)
	if !ok || c.Now.UnixMilli() >= ch.Expires {
		return ""
	}
	out, err := json.Marshal(q)
	if err != nil {
		return ""
	}
	return string(out)
}

// kind is the page that a mechanism needs.
func kind(c *op.Call, ch factor.Challenge) login.Kind {
	switch {
	case ch.Name == factor.Password:
		return login.Password
	case ch.Name == factor.Reset:
		return login.Reset
	case ch.Name == factor.Consent:
		return login.Terms
	case ch.Name == factor.Question:
		return login.Questions
	case passkey.Is(ch.Name):
		return login.Key
	case ch.Name == factor.OTP:
		return login.Push
	case ch.Name == factor.Recovery:
		return login.Recovery
	case ch.Name == factor.QR:
		return login.Scan
	case ch.Name == factor.Duo:
		return login.Duo
	case ch.Name == factor.Phone && ch.Sent != 0 && c.Now.UnixMilli() < ch.Expires:
		return login.Call
	case sends(ch) && (ch.Sent == 0 || ch.Expires != 0 && c.Now.UnixMilli() >= ch.Expires):
		return login.Send
	}
	return login.Code
}

func way(ch factor.Challenge) login.Way {
	out := login.Way{ID: ch.ID, Name: "app"}
	switch {
	case ch.Prompt.MaskedMail != "":
		out.Name, out.Where = "mail", ch.Prompt.MaskedMail
	case ch.Name == factor.Phone:
		out.Name, out.Where = "call", ch.Prompt.Digits
	case ch.Prompt.Digits != "":
		out.Name, out.Where = "sms", ch.Prompt.Digits
	case ch.Name == factor.Question:
		out.Name = "questions"
	case ch.Name == factor.OTP:
		out.Name = "push"
	case ch.Name == factor.Recovery:
		out.Name = "recovery"
	case ch.Name == factor.QR:
		out.Name = "scan"
	case ch.Name == factor.Duo:
		out.Name = "duo"
	case ch.Name == factor.Password:
		out.Name = "password"
	case passkey.Is(ch.Name):
		out.Name = map[string]string{factor.SecurityKey: "key", factor.OnDevice: "device", factor.Passkey: "passkey"}[ch.Name]
	}
	return out
}

// asked are the questions of a challenge, in the order in which their answers come back.
func asked(ch factor.Challenge) (out []string) {
	for _, p := range ch.Prompt.Parts {
		out = append(out, p.Question)
	}
	if len(out) == 0 {
		out = []string{ch.Prompt.Question}
	}
	return out
}
