package e2e

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"limen/internal/platform/mail/mailtest"
	"limen/test/rig"
)

// site is a server whose tenant sends over a real mail server and a gateway of Twilio's contract.
type site struct {
	*rig.Server
	mail   *mailtest.Server
	twilio *twilio
	anyone *rig.Client
	admin  *rig.Client
}

func newSite(t *testing.T, engine string) *site {
	t.Helper()
	w := &site{mail: mailtest.Run(t, mailtest.Config{Clear: true, User: "limen", Password: "mail-secret"}), twilio: newTwilio(t)}
	w.Server = start(t, engine, rig.Options{Env: []string{"LIMEN_ALLOW_NETWORK=127.0.0.0/8"}})
	w.anyone, w.admin = client(t, w.Server), admin(t, w.Server)
	must(t, w.admin, "/TenantConfig/SetSmtpConfig", object{
		"Enabled": true, "Host": w.mail.Host, "Port": w.mail.Port, "UseTls": false, "UseAuthentication": true,
		"UserName": "limen", "Password": "mail-secret", "FromAddress": "no-reply@acme.example", "FromDisplayName": "Acme",
	}, nil)
	must(t, w.admin, "/Core/SetTenantConfig", object{"key": "Twilio.BaseURL", "value": w.twilio.URL}, nil)
	must(t, w.admin, "/TenantConfig/SetTwilioConfig", object{
		"Enabled": true, "AccountSid": w.twilio.SID, "AuthToken": w.twilio.Token, "FromNumber": "+12065550100", "UseForSms": true,
	}, nil)
	return w
}

// person makes somebody with more fields than the usual ones.
func (w *site) person(t *testing.T, name string, more object) (login string) {
	t.Helper()
	body := object{"Name": name + "@limen", "Mail": name + "@example.com", "DisplayName": name, "Password": password}
	for k, v := range more {
		body[k] = v
	}
	must(t, w.admin, "/CDirectoryService/CreateUser", body, nil)
	return name + "@limen"
}

// proved answers the password and gives the package for what comes next.
func (w *site) proved(t *testing.T, login string) rig.Package {
	t.Helper()
	p, next, err := w.anyone.Password(t.Context(), login, password)
	if err != nil || next.Summary != "StartNextChallenge" {
		t.Fatalf("%s: %+v %v", login, next, err)
	}
	return p
}

// act sends an action that must succeed with a summary.
func (w *site) act(t *testing.T, p rig.Package, challenge int, name, action string, answer any, summary string) rig.Success {
	t.Helper()
	m, err := p.Mechanism(challenge, name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := w.anyone.Act(t.Context(), p, m, action, answer)
	if err != nil || s.Summary != summary {
		t.Fatalf("%s %s: want %s: %+v %v", name, action, summary, s, err)
	}
	return s
}

// entered wants a complete sign-in whose session works.
func (w *site) entered(t *testing.T, s rig.Success, login, level string) *rig.Client {
	t.Helper()
	if s.Summary != "LoginSuccess" || s.User != login || s.AuthLevel != level {
		t.Fatalf("%+v", s)
	}
	c := w.anyone.As(s.Auth)
	var who struct{ User, TenantID string }
	must(t, c, "/Security/WhoAmI", nil, &who)
	if who.User != login || who.TenantID != s.CustomerID {
		t.Errorf("WhoAmI: %+v, want %s", who, login)
	}
	return c
}

// failed wants the one answer that every failure has.
func failed(t *testing.T, a *rig.Answer, err error) {
	t.Helper()
	const text = "Authentication (login or challenge) has failed. Please try again or contact your system administrator."
	if err != nil || a.Success || a.Status != 200 || a.Message != text || !strings.Contains(string(a.Result), `"Summary":"Failure"`) {
		t.Errorf("%v %+v", err, a)
	}
}

// TestSignIn takes every way in, on one server per engine.
func TestSignIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		w := newSite(t, engine)
		for name, f := range map[string]func(*testing.T, *site){
			"password": passwordAlone, "mailed code": mailedCode, "mailed link": mailedLink, "text message": textMessage, "authenticator": authenticator,
			"questions": questions, "several operations": severalOperations, "forced change": forcedChange, "wrong answers": wrongAnswers,
			"unknown names": unknownNames, "single call": singleCall, "cookies": cookies, "logout": logout, "last sign-in": lastLogin,
		} {
			t.Run(name, func(t *testing.T) { t.Parallel(); f(t, w) })
		}
	})
}

// lastLogin wants lists and queries to know of a sign-in some seconds later.
func lastLogin(t *testing.T, w *site) {
	began := time.Now()
	login := w.person(t, "lars", nil)
	seen := func() string {
		var q struct {
			Results []struct{ Row struct{ LastLogin *string } }
		}
		must(t, w.admin, "/Redrock/Query", object{"Script": "select LastLogin from User where Username = '" + login + "'"}, &q)
		if len(q.Results) != 1 || q.Results[0].Row.LastLogin == nil {
			return ""
		}
		return *q.Results[0].Row.LastLogin
	}
	if at := seen(); at != "" {
		t.Errorf("signed in at %s before ever signing in", at)
	}
	w.enter(t, login)
	eventually(t, 15*time.Second, "the time of the sign-in is known", func() bool { return seen() != "" })
	ms, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimPrefix(seen(), "/Date("), ")/"), 10, 64)
	if at := time.UnixMilli(ms); err != nil || at.Before(began.Add(-time.Second)) || at.After(time.Now()) {
		t.Errorf("signed in at %v %v", seen(), err)
	}
}

func passwordAlone(t *testing.T, w *site) {
	p, s, err := w.anyone.Password(t.Context(), w.Admin, w.Password)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Challenges) != 1 || len(p.Challenges[0].Mechanisms) != 1 || !p.Challenges[0].Mechanisms[0].Enrolled || p.Version != "1.0" || p.Summary != "NewPackage" {
		t.Errorf("%+v", p)
	}
	w.entered(t, s, w.Admin, "Normal")
}

func mailedCode(t *testing.T, w *site) {
	login := w.person(t, "cora", nil)
	p := w.proved(t, login)
	m, _ := p.Mechanism(1, "EMAIL")
	if m.AnswerType != "StartTextOob" || m.MaskedEmailAddress != "***@example.com" || !m.Enrolled {
		t.Errorf("%+v", m)
	}
	w.act(t, p, 1, "EMAIL", "StartOOB", nil, "OobPending")
	w.act(t, p, 1, "EMAIL", "Poll", "", "OobPending")
	got := w.mail.Wait(t, "cora@example.com", 1)
	if !got.Authenticated || !strings.Contains(got.Header.Get("From"), "no-reply@acme.example") {
		t.Errorf("%s", got.Raw)
	}
	s := w.act(t, p, 1, "EMAIL", "Answer", code.FindString(got.Text), "LoginSuccess")
	w.entered(t, s, login, "High")
	m, err := p.Mechanism(1, "EMAIL")
	if err != nil {
		t.Fatal(err)
	}
	a, err := w.anyone.Advance(t.Context(), p, m, "Answer", code.FindString(got.Text))
	failed(t, a, err) // a code and a conversation work once
}

var link = regexp.MustCompile(`https://\S+/Security/AnswerOOBChallenge\S*`)

// mailedLink follows the link in the mail as a person does, with a click on the page, while the client polls.
func mailedLink(t *testing.T, w *site) {
	login := w.person(t, "lena", nil)
	p := w.proved(t, login)
	w.act(t, p, 1, "EMAIL", "StartOOB", nil, "OobPending")
	address := link.FindString(w.mail.Wait(t, "lena@example.com", 1).Text)
	u, err := url.Parse(address)
	if err != nil || address == "" {
		t.Fatalf("no link in the mail: %v", err)
	}
	browser := *w.anyone
	browser.Header = map[string][]string{"Accept": {"text/html"}, "Sec-Fetch-Site": {"none"}}
	page, err := browser.Do(t.Context(), "GET", u.RequestURI(), nil, nil)
	if err != nil || page.Status != 200 || !strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") {
		t.Fatalf("%v %+v", err, page)
	}
	w.act(t, p, 1, "EMAIL", "Poll", "", "OobPending") // opening the link, as mail scanners do, approves nothing
	form := url.Values{"answer": {u.Query().Get("answer")}}
	browser.Header = map[string][]string{"Accept": {"text/html"}, "Sec-Fetch-Site": {"same-origin"}}
	done, err := browser.Do(t.Context(), "POST", u.Path, map[string][]string{"Content-Type": {"application/x-www-form-urlencoded"}}, []byte(form.Encode()))
	if err != nil || done.Status >= 400 {
		t.Fatalf("%v %+v", err, done)
	}
	s := w.act(t, p, 1, "EMAIL", "Poll", "", "LoginSuccess")
	w.entered(t, s, login, "High")
}

func textMessage(t *testing.T, w *site) {
	login := w.person(t, "sam", object{"MobileNumber": "+14155550123"})
	p := w.proved(t, login)
	m, err := p.Mechanism(1, "SMS")
	if err != nil || m.PartialDeviceAddress != "0123" || m.AnswerType != "StartTextOob" {
		t.Fatalf("%+v %v", m, err)
	}
	w.act(t, p, 1, "SMS", "StartOOB", nil, "OobPending")
	eventually(t, 10*time.Second, "the text message is at the gateway", func() bool { return len(w.twilio.to("+14155550123")) == 1 })
	s := w.act(t, p, 1, "SMS", "Answer", code.FindString(w.twilio.to("+14155550123")[0]), "LoginSuccess")
	w.entered(t, s, login, "High")
}

// enter signs somebody in with the mailed code.
func (w *site) enter(t *testing.T, login string) *rig.Client {
	t.Helper()
	p := w.proved(t, login)
	address := strings.TrimSuffix(login, "@limen") + "@example.com"
	before := len(w.mail.To(address))
	w.act(t, p, 1, "EMAIL", "StartOOB", nil, "OobPending")
	return w.entered(t, w.act(t, p, 1, "EMAIL", "Answer", code.FindString(w.mail.Wait(t, address, before+1).Text), "LoginSuccess"), login, "High")
}

// authenticator enrols an app, whose next code then signs in, and no code twice.
func authenticator(t *testing.T, w *site) {
	login := w.person(t, "toni", nil)
	me := w.enter(t, login)
	var offer struct{ UrlQr, ProfileUuid, Secret, OtpUri, ManualKey string }
	must(t, me, "/Mobile/GetUserThirdPartyOtp", object{"DeviceId": nil}, &offer)
	if !strings.HasPrefix(offer.UrlQr, "data:image/png;base64,") || offer.ProfileUuid == "" {
		t.Fatalf("%+v", offer)
	}
	secret := secretOf(t, offer.UrlQr)
	if a := post(t, me, "/Mobile/ValidateAndSetUserThirdPartyOtp", object{"otpCode": "000000", "uuid": offer.ProfileUuid}); a.Success || a.Message == "" {
		t.Errorf("a wrong first code: %s", a.Body)
	}
	first, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	must(t, me, "/Mobile/ValidateAndSetUserThirdPartyOtp", object{"otpCode": first, "uuid": offer.ProfileUuid}, nil)
	p := w.proved(t, login)
	m, err := p.Mechanism(1, "OATH")
	if err != nil {
		t.Fatal(err)
	}
	a, err := w.anyone.Advance(t.Context(), p, m, "Answer", first)
	failed(t, a, err) // it enrolled the app, and was used up by that
	next, err := totp.GenerateCode(secret, time.Now().Add(30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	p = w.proved(t, login)
	w.entered(t, w.act(t, p, 1, "OATH", "Answer", next, "LoginSuccess"), login, "High")
}

func questions(t *testing.T, w *site) {
	login := w.person(t, "quinn", nil)
	me := w.enter(t, login)
	must(t, me, "/UserMgmt/UpdateSecurityQuestions", object{"Replace": true, "Added": []object{
		{"QuestionText": "What was my first ship called?", "Answer": "Santa Maria", "Type": "User"},
	}}, nil)
	p := w.proved(t, login)
	m, err := p.Mechanism(1, "SQ")
	if err != nil || m.AnswerType != "Text" || m.Question != "What was my first ship called?" {
		t.Fatalf("%+v %v", m, err)
	}
	w.entered(t, w.act(t, p, 1, "SQ", "Answer", "  santa MARIA ", "LoginSuccess"), login, "High")

	p = w.proved(t, login) // the form of several questions, which some clients use for one too
	m, err = p.Mechanism(1, "SQ")
	if err != nil || len(m.MultipartMechanism.MechanismParts) != 1 {
		t.Fatalf("%+v %v", m, err)
	}
	part := m.MultipartMechanism.MechanismParts[0]
	if !strings.HasPrefix(part.Uuid, "u_") || part.QuestionText == "" {
		t.Errorf("%+v", part)
	}
	w.entered(t, w.act(t, p, 1, "SQ", "Answer", object{part.Uuid: "Santa Maria"}, "LoginSuccess"), login, "High")
}

// severalOperations answers the password and starts the mail in one call.
func severalOperations(t *testing.T, w *site) {
	login := w.person(t, "mo", nil)
	p, err := w.anyone.Begin(t.Context(), login)
	if err != nil {
		t.Fatal(err)
	}
	up, err := p.Mechanism(0, "UP")
	if err != nil {
		t.Fatal(err)
	}
	mail, err := p.Mechanism(1, "EMAIL")
	if err != nil {
		t.Fatal(err)
	}
	var s rig.Success
	must(t, w.anyone, "/Security/AdvanceAuthentication", object{"TenantId": p.TenantID, "SessionId": p.SessionID, "MultipleOperations": []object{
		{"MechanismId": up.MechanismID, "Answer": password, "Action": "Answer"}, {"MechanismId": mail.MechanismID, "Action": "StartOOB"},
	}}, &s)
	if s.Summary != "OobPending" {
		t.Fatalf("%+v", s)
	}
	w.entered(t, w.act(t, p, 1, "EMAIL", "Answer", code.FindString(w.mail.Wait(t, "mo@example.com", 1).Text), "LoginSuccess"), login, "High")
}

// forcedChange chooses a new password at the first sign-in; a weak one is asked for again.
func forcedChange(t *testing.T, w *site) {
	login := w.person(t, "fay", object{"ForcePasswordChangeNext": true, "Password": "abc"})
	p, next, err := w.anyone.Password(t.Context(), login, "abc")
	if err != nil {
		t.Fatal(err)
	}
	for next.Summary == "StartNextChallenge" {
		w.act(t, p, 1, "EMAIL", "StartOOB", nil, "OobPending")
		next = w.act(t, p, 1, "EMAIL", "Answer", code.FindString(w.mail.Wait(t, "fay@example.com", 1).Text), "NewPackage")
	}
	if next.Summary != "NewPackage" {
		t.Fatalf("%+v", next)
	}
	asked := next.Package
	if asked.SessionID == "" {
		asked.SessionID = p.SessionID
	}
	for len(asked.Challenges) > 1 { // the second factor may come before the new password
		w.act(t, asked, 0, "EMAIL", "StartOOB", nil, "OobPending")
		w.act(t, asked, 0, "EMAIL", "Answer", code.FindString(w.mail.Wait(t, "fay@example.com", 1).Text), "StartNextChallenge")
		asked.Challenges = asked.Challenges[1:]
	}
	m, err := asked.Mechanism(0, "RESET")
	if err != nil || m.AnswerType != "Text" || m.PasswordComplexityHint == "" {
		t.Fatalf("%+v %v", m, err)
	}
	s, err := w.anyone.Act(t.Context(), asked, m, "Answer", password)
	if err != nil {
		t.Fatal(err)
	}
	w.entered(t, s, login, s.AuthLevel)
	w.proved(t, login) // the new one is the password now
}

func wrongAnswers(t *testing.T, w *site) {
	login := w.person(t, "wim", nil)
	p, err := w.anyone.Begin(t.Context(), login)
	if err != nil {
		t.Fatal(err)
	}
	up, err := p.Mechanism(0, "UP")
	if err != nil {
		t.Fatal(err)
	}
	a, err := w.anyone.Advance(t.Context(), p, up, "Answer", "not-"+password)
	failed(t, a, err)
	a, err = w.anyone.Advance(t.Context(), p, up, "Answer", password)
	failed(t, a, err) // a failure ends the conversation
	p = w.proved(t, login)
	mail, err := p.Mechanism(1, "EMAIL")
	if err != nil {
		t.Fatal(err)
	}
	w.act(t, p, 1, "EMAIL", "StartOOB", nil, "OobPending")
	w.mail.Wait(t, "wim@example.com", 1)
	a, err = w.anyone.Advance(t.Context(), p, mail, "Answer", "000000")
	failed(t, a, err)
	for _, body := range []object{
		{"SessionId": "nothing-of-the-kind", "MechanismId": up.MechanismID, "Action": "Answer", "Answer": password},
		{"SessionId": p.SessionID, "MechanismId": "nothing", "Action": "Answer", "Answer": password},
		{"SessionId": p.SessionID, "MechanismId": up.MechanismID, "Action": "Dance", "Answer": password},
	} {
		a, err := w.anyone.Post(t.Context(), "/Security/AdvanceAuthentication", body)
		failed(t, a, err)
	}
}

// unknownNames get what real people get: the same shape, and the same failure.
func unknownNames(t *testing.T, w *site) {
	w.person(t, "una", nil)
	p, err := w.anyone.Begin(t.Context(), "nobody.of.that.name@limen")
	if err != nil {
		t.Fatal(err)
	}
	up, err := p.Mechanism(0, "UP")
	if err != nil {
		t.Fatal(err)
	}
	a, err := w.anyone.Advance(t.Context(), p, up, "Answer", password)
	failed(t, a, err)
	for _, body := range []object{{"User": "", "Version": "1.0"}, {"User": "una@limen", "Version": "2.0"}, {"User": "una@limen"}} {
		a := post(t, w.anyone, "/Security/StartAuthentication", body)
		if a.Success || a.Status != 200 || !strings.Contains(string(a.Result), `"Summary":"Undefined"`) {
			t.Errorf("%v: %s", body, a.Body)
		}
	}
}

// singleCall is the old form of signing in, where a password alone is enough.
func singleCall(t *testing.T, w *site) {
	var s rig.Success
	must(t, w.anyone, "/Security/Login", object{"user": w.Admin, "password": w.Password}, &s)
	w.entered(t, s, w.Admin, "") // its answer has no level
	login := w.person(t, "lou", nil)
	if a := post(t, w.anyone, "/Security/Login", object{"user": login, "password": password}); a.Success || a.Status != 200 {
		t.Errorf("a password alone let somebody in who needs more: %s", a.Body)
	}
}

// cookies are what a browser keeps: they work with the anti-forgery value or a native header, and not without.
func cookies(t *testing.T, w *site) {
	a, err := w.anyone.Post(t.Context(), "/Security/Login", object{"user": w.Admin, "password": w.Password})
	if err != nil || !a.Success {
		t.Fatal(err, a)
	}
	jar := map[string]string{}
	for _, line := range a.Header.Values("Set-Cookie") {
		name, rest, _ := strings.Cut(line, "=")
		jar[name], _, _ = strings.Cut(rest, ";")
		if name == ".ASPXAUTH" && (!strings.Contains(line, "HttpOnly") || !strings.Contains(line, "Secure")) {
			t.Errorf("%s", line)
		}
	}
	for _, name := range []string{".ASPXAUTH", "antixss", "CCSID", "podloc", "sessdata", "userdata"} {
		if _, there := jar[name]; !there {
			t.Errorf("no cookie %s", name)
		}
	}
	browser := *w.anyone
	session := ".ASPXAUTH=" + jar[".ASPXAUTH"] + "; antixss=" + jar["antixss"]
	for _, c := range []struct {
		header map[string][]string
		status int
	}{
		{map[string][]string{"Cookie": {session}, "X-Idap-Native-Client": {"true"}}, 200},
		{map[string][]string{"Cookie": {session}, "X-Antixss": {jar["antixss"]}}, 200},
		{map[string][]string{"Cookie": {session}}, 401},
		{map[string][]string{"Cookie": {session}, "X-Antixss": {"guessed"}}, 401},
		{map[string][]string{"Cookie": {session}, "Sec-Fetch-Site": {"cross-site"}}, 401},
	} {
		browser.Header = c.header
		if a := post(t, &browser, "/Security/WhoAmI", nil); a.Status != c.status {
			t.Errorf("%v: %d %s", c.header, a.Status, a.Body)
		}
	}
}

func logout(t *testing.T, w *site) {
	me := w.enter(t, w.person(t, "otto", nil))
	if a := post(t, me, "/Security/Logout", nil); !a.Success {
		t.Errorf("%s", a.Body)
	}
	if a := post(t, me, "/Security/WhoAmI", nil); a.Status != 401 {
		t.Errorf("a session after logout: %d %s", a.Status, a.Body)
	}
	if a := post(t, me, "/Security/Logout", nil); !a.Success {
		t.Errorf("logout without a session: %s", a.Body)
	}
}
