package e2e

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"limen/test/rig"
)

// authenticator gives the browser an authenticator.
func (b *tab) authenticator(o webauthn.VirtualAuthenticatorOptions) (id webauthn.AuthenticatorID) {
	b.t.Helper()
	b.do(webauthn.Enable(), chromedp.ActionFunc(func(ctx context.Context) (err error) {
		id, err = webauthn.AddVirtualAuthenticator(&o).Do(ctx)
		return err
	}))
	return id
}

// platform is an authenticator that is built in and verifies the person by itself.
func platform() webauthn.VirtualAuthenticatorOptions {
	return webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true, HasUserVerification: true,
		IsUserVerified: true, AutomaticPresenceSimulation: true, DefaultBackupEligibility: true, DefaultBackupState: true,
	}
}

// register gives somebody a key of the browser's, which shows a page of the server.
func (b *tab) register(me *rig.Client, kind string) (handle string) {
	b.t.Helper()
	me.Header.Set("Origin", b.base)
	var options json.RawMessage
	must(b.t, me, "/U2f/GetRegistrationChallenge", object{"authenticatorType": kind, "userDefinedName": "Browser"}, &options)
	var answer string
	b.do(chromedp.Evaluate(`navigator.credentials.create({publicKey:PublicKeyCredential.parseCreationOptionsFromJSON(`+string(options)+
		`)}).then(c=>JSON.stringify(c.toJSON()))`, &answer, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	must(b.t, me, "/U2f/AnswerRegistrationChallenge", object{"rawRegisterResponse": answer}, &handle)
	return handle
}

// quiet has the browser be one that offers no passkeys among the names. Others take the virtual one at once, as if somebody had picked it.
func (b *tab) quiet() {
	b.t.Helper()
	b.do(chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(`PublicKeyCredential.isConditionalMediationAvailable=async()=>false`).Do(ctx)
		return err
	}))
}

// Somebody signs in with a passkey and no name: from the list of names, and by the button; and with their name, by the passkey alone.
func TestBrowserPasskeyNames(t *testing.T) {
	t.Parallel()
	w := newSite(t, "SQLite")
	anna := w.person(t, "anna", nil)
	me := w.enter(t, anna)
	b := open(t, w.Server)
	b.authenticator(platform())
	b.visit("/")
	b.register(me, "PASSKEY")

	b.visit("/login")
	b.shows("You are signed in")
	b.signsOut()
	b.quiet()
	b.visit("/login")
	b.look("name-with-passkey")
	b.press(`form#passkey button`)
	b.shows("You are signed in")
	b.signsOut()
	b.visit("/login")
	b.keys(anna + kb.Enter)
	b.shows("How do you want to go on?", "Password", "Passkey")
	b.press(`button.way:nth-of-type(2)`)
	b.shows("You are signed in")

	// They look after their keys on a page.
	b.visit("/passkeys")
	b.shows("Your passkeys and security keys", "Browser", "Last used on")
	b.look("passkeys")
	b.press(`button[value="remove"]`)
	b.shows("You have no passkey yet.")
	b.do(chromedp.Focus("#name", chromedp.ByQuery))
	b.keys("Phone")
	b.press(`button[value="PASSKEY"]`)
	b.shows("Your passkeys and security keys", "Phone", "Not used yet.")
}

// signsOut ends the session.
func (b *tab) signsOut() {
	b.t.Helper()
	b.visit("/logout")
	b.press(`form[action="/logout"] button`)
	b.shows("You are signed out")
}

// Somebody registers a passkey with a real browser and signs in with it: as the second factor by the keyboard, alone where a profile
// allows that, and not with one that does not verify them.
func TestBrowserPasskey(t *testing.T) {
	t.Parallel()
	w := newSite(t, "SQLite")
	anna := w.person(t, "anna", nil)
	me := w.enter(t, anna)
	must(t, w.admin, "/Core/SetTenantConfig", object{"key": "Authentication.PasskeyAlone", "value": "false"}, nil)
	b := open(t, w.Server)
	b.quiet()
	id := b.authenticator(platform())
	b.visit("/")
	b.register(me, "PASSKEY")

	b.visit("/login")
	b.keys(anna + kb.Enter)
	b.shows("Enter your password")
	b.keys(password + kb.Enter)
	b.shows("How do you want to go on?", "Passkey", "Code by mail")
	b.look("ways-with-passkey")
	b.press(`button.way`)
	b.shows("You are signed in")

	// What does not verify the person lets nobody in, and they may try again.
	b.signsOut()
	b.do(webauthn.SetUserVerified(id, false))
	b.visit("/login")
	b.keys(anna + kb.Enter)
	b.shows("Enter your password")
	b.keys(password + kb.Enter)
	b.shows("How do you want to go on?")
	b.press(`button.way`)
	b.shows("That did not work.", "Choose another way")
	b.look("passkey")
	b.do(webauthn.SetUserVerified(id, true))
	b.press(`form#key button`)
	b.shows("You are signed in")

	// Alone, where a profile says so.
	var made struct{ Uuid string }
	must(t, w.admin, "/AuthProfile/SaveProfile", object{"settings": object{
		"Name": "Passkeys", "Challenges": []string{"UP", "OATH"}, "SingleChallengeMechanisms": "PASSKEY",
	}}, &made)
	must(t, w.admin, "/Core/SetTenantConfig", object{"key": "Authentication.Profile", "value": made.Uuid}, nil)
	b.signsOut()
	b.visit("/login")
	b.keys(anna + kb.Enter)
	b.shows("How do you want to go on?", "Password", "Passkey")
	b.press(`button.way:nth-of-type(2)`)
	b.shows("You are signed in")
}
