package app_test

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"

	"limen/internal/app/apptest"
	"limen/internal/core/factor/passkey"
	packet "limen/internal/wire/radius"
)

// post makes a call of the REST API by nobody, and wants success.
func (h *prover) post(path string, in any, out any) {
	h.Helper()
	h.as("", path, in, out)
}

// admin makes one by the administrator.
func (h *prover) admin(path string, in any) {
	h.Helper()
	h.as(h.s.TokenOf(h, "admin"), path, in, nil)
}

func (h *prover) as(token, path string, in any, out any) {
	h.Helper()
	status, raw := h.s.Call(h, token, http.MethodPost, path, in)
	var e struct {
		Success bool `json:"success"`
		Result  json.RawMessage
	}
	if err := json.Unmarshal(raw, &e); err != nil || status != http.StatusOK || !e.Success {
		h.Fatalf("%s: %d %s %v", path, status, raw, err)
	}
	if out != nil {
		if err := json.Unmarshal(e.Result, out); err != nil {
			h.Fatalf("%s: %s %v", path, e.Result, err)
		}
	}
}

// permit adds a policy set for everybody.
func (h *prover) permit(settings map[string]any) {
	h.Helper()
	name := fmt.Sprintf("/Policy/Set%d", sets.Add(1))
	h.admin("/Policy/SavePolicyBlock3", map[string]any{
		"policy": map[string]any{"Path": name, "Newpolicy": true, "Version": 1, "Settings": settings},
		"plinks": []any{map[string]any{"PolicySet": name, "LinkType": "Global", "Params": []any{}}},
	})
}

var sets atomic.Uint32

// step is an answer of the conversation.
type step struct {
	SessionID, Summary, GeneratedAuthValue, ThirdPartyMfaRequest string
	PublicKey                                                    *passkey.Assertion
	Challenges                                                   []struct {
		Mechanisms []struct{ MechanismID, Name, AnswerType string }
	}
}

// byRPC signs in as clients of the contract do.
func byRPC(h *prover, m mechanism) bool {
	var at step
	h.post("/Security/StartAuthentication", map[string]any{"User": h.who.Name, "Version": "1.0"}, &at)
	session := at.SessionID
	advance := func(id, do, answer string) step {
		var out step
		h.post("/Security/AdvanceAuthentication", map[string]any{"SessionId": session, "MechanismId": id, "Action": do, "Answer": answer}, &out)
		return out
	}
	advance(at.Challenges[0].Mechanisms[0].MechanismID, "Answer", apptest.Password)
	due := at.Challenges[1].Mechanisms
	i := slices.IndexFunc(due, func(x struct{ MechanismID, Name, AnswerType string }) bool { return x.Name == m.name })
	if i < 0 {
		i = 0
	}
	id := due[i].MechanismID
	if due[i].AnswerType != "Text" {
		at = advance(id, "StartOOB", "")
	}
	switch {
	case h.sign != nil:
		at = advance(id, "Answer", h.sign(*at.PublicKey))
	case h.typed != nil:
		at = advance(id, "Answer", h.typed())
	case h.visit != nil:
		h.post("/Security/SubmitDuo", map[string]any{"SessionId": session, "signedResponse": h.visit(at.ThirdPartyMfaRequest).Encode()}, nil)
		at = advance(id, "Poll", "")
	default:
		h.confirm(prompt{id: id, number: at.GeneratedAuthValue})
		at = advance(id, "Poll", "")
	}
	return at.Summary == "LoginSuccess"
}

// browser is one without scripts, which follows where it is led.
type browser struct {
	*prover
	jar  http.CookieJar
	body string
}

func (b *browser) open(method, path string, form url.Values) {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), method, b.s.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.Fatal(err)
	}
	r.Host = b.s.Host
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Origin", "https://"+b.s.Host)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, k := range b.jar.Cookies(r.URL) {
		r.AddCookie(k)
	}
	res, err := b.s.HTTP.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		b.Fatal(err)
	}
	b.jar.SetCookies(r.URL, res.Cookies())
	b.body = string(raw)
	if to, err := res.Location(); err == nil {
		b.open(http.MethodGet, to.RequestURI(), nil)
	}
}

// find is what a pattern says of the page; empty where it says nothing.
func (b *browser) find(pattern string) string {
	found := regexp.MustCompile(pattern).FindStringSubmatch(b.body)
	if found == nil {
		return ""
	}
	return html.UnescapeString(found[1])
}

// answer fills in the form of the mechanism that the page is about.
func (b *browser) answer(more url.Values) {
	b.Helper()
	id := b.find(`name="mechanism" value="([^"]+)"`)
	if id == "" {
		b.Fatal("the page asks for nothing:", b.body)
	}
	more.Set("mechanism", id)
	b.open(http.MethodPost, "/login/answer", more)
}

// due is the id of the mechanism that waits. A page that shows it as a drawing does not write it down.
func (b *browser) due() (id string) {
	b.Helper()
	u, err := url.Parse(b.s.URL + "/login")
	if err != nil {
		b.Fatal(err)
	}
	c := b.s.App.Shell(b.s.ID)
	if err := c.Snapshot(b.Context(), func() error {
		for _, k := range b.jar.Cookies(u) {
			if k.Name != "loginsession" {
				continue
			}
			stage, err := b.s.App.Logins.Look(b.Context(), c, k.Value)
			if err != nil {
				return err
			}
			id = stage.Due()[0].ID
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	return id
}

// onward is what leads on from a page that does so by itself.
const onward = `<a class="main" href="([^"]+)"`

// byPages signs in as people do.
func byPages(h *prover, m mechanism) bool {
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.Fatal(err)
	}
	b := &browser{prover: h, jar: jar}
	b.open(http.MethodPost, "/login", url.Values{"user": {h.who.Name}})
	b.answer(url.Values{"answer": {apptest.Password}})
	if m.asked != "" { // another way than the first
		b.open(http.MethodGet, "/login?use=all", nil)
		if id := b.find(`name="mechanism" value="([^"]+)"[^>]*>[^<]*[Rr]ecovery`); id != "" {
			b.open(http.MethodPost, "/login/answer", url.Values{"mechanism": {id}, "do": {"choose"}})
		}
	}
	if strings.Contains(b.body, `name="do" value="send"`) {
		b.answer(url.Values{"do": {"send"}})
	}
	switch {
	case h.sign != nil:
		var q passkey.Assertion
		if err := json.Unmarshal([]byte(b.find(`data-key="([^"]+)"`)), &q); err != nil {
			h.Fatal(err, b.body)
		}
		b.answer(url.Values{"answer": {h.sign(q)}})
	case h.typed != nil && strings.Contains(b.body, `name="part"`):
		b.answer(url.Values{"part": {h.typed()}})
	case h.typed != nil:
		b.answer(url.Values{"answer": {h.typed()}})
	case h.visit != nil:
		b.open(http.MethodGet, "/login/duo?"+h.visit(b.find(onward)).Encode(), nil)
		b.open(http.MethodGet, b.find(onward), nil)
	default:
		h.confirm(prompt{id: b.due(), number: b.find(`<p class="number" dir="ltr">(\d\d)</p>`)})
		b.open(http.MethodGet, "/login?wait=1", nil)
	}
	b.open(http.MethodGet, "/login", nil)
	return strings.Contains(b.body, "You are signed in")
}

// byVault logs on as clients of the Vault do, which are asked for more by RADIUS's name.
func byVault(h *prover, _ mechanism) bool {
	var cookies []*http.Cookie
	logon := func(typed string) (int, string) {
		h.Helper()
		body, _ := json.Marshal(map[string]any{"username": h.who.Name, "password": typed})
		r, err := http.NewRequestWithContext(h.Context(), http.MethodPost, h.s.URL+"/PasswordVault/API/auth/RADIUS/Logon", strings.NewReader(string(body)))
		if err != nil {
			h.Fatal(err)
		}
		r.Host = h.s.Host
		for _, k := range cookies {
			r.AddCookie(k)
		}
		res, err := h.s.HTTP.Do(r)
		if err != nil {
			h.Fatal(err)
		}
		defer res.Body.Close()
		raw, err := io.ReadAll(res.Body)
		if err != nil {
			h.Fatal(err)
		}
		cookies = res.Cookies()
		return res.StatusCode, string(raw)
	}
	status, said := logon(apptest.Password)
	switch {
	case status == http.StatusForbidden:
		return false
	case !strings.Contains(said, "ITATS542I"):
		h.Fatal(status, said)
	}
	if h.typed == nil { // it asks for what they cannot type
		return false
	}
	status, _ = logon(h.typed())
	return status == http.StatusOK
}

var clients atomic.Uint32 // tests share a store, and each has an address of its own

// byRadius is let in as people are at a gateway.
func byRadius(h *prover, _ mechanism) bool {
	const secret = "another secret of sixteen bytes"
	n := clients.Add(2)
	from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 94, byte(n >> 8), byte(n)}), 40000)
	h.admin("/Core/SetRadiusClient", map[string]any{"Name": "VPN", "ClientHostOrIp": from.Addr().String(), "Secret": secret})
	h.permit(map[string]any{"/Core/Authentication/AllowRadius": true})
	server := h.s.App.RadiusAnswers()
	id := byte(0)
	ask := func(typed string, state []byte) packet.Packet {
		h.Helper()
		id++
		at := [16]byte{id, 9}
		hidden, err := packet.Hide(typed, []byte(secret), at)
		if err != nil {
			h.Fatal(err)
		}
		all := []packet.Attribute{{Type: packet.UserName, Value: []byte(h.who.Name)}, hidden}
		if state != nil {
			all = append(all, packet.Attribute{Type: packet.State, Value: state})
		}
		raw, err := packet.Request(packet.AccessRequest, id, at, []byte(secret), all...)
		if err != nil {
			h.Fatal(err)
		}
		p, err := packet.Parse(server.Handle(h.Context(), from, raw))
		if err != nil {
			h.Fatal(err)
		}
		return p
	}
	p := ask(apptest.Password, nil)
	if p.Code == packet.AccessAccept {
		h.Fatal("the password alone was enough")
	}
	if p.Code != packet.AccessChallenge || h.typed == nil { // it asks for what they cannot type
		return false
	}
	return ask(h.typed(), p.Get(packet.State)).Code == packet.AccessAccept
}
