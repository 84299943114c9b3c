package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	otp "limen/internal/core/factor/authenticator"
	"limen/internal/core/factor/authenticator/authenticatortest"
	"limen/test/rig"
)

// carried is a device that somebody has, and whose it is.
type carried struct {
	*authenticatortest.Device
	tenant string
}

// carry gives somebody a device, by the API.
func (w *site) carry(t *testing.T, me *rig.Client) carried {
	t.Helper()
	var who struct{ UserUuid, TenantID string }
	must(t, me, "/Security/WhoAmI", object{}, &who)
	d := carried{authenticatortest.New(), who.TenantID}
	var made struct{ Id, Secret string }
	must(t, me, "/Authenticator/Enroll", object{
		"Name": "Phone", "PublicKey": d.PublicKey(), "Signature": d.Sign(otp.EnrollMessage(who.TenantID, who.UserUuid, d.PublicKey())),
	}, &made)
	d.ID, d.Secret = made.Id, made.Secret
	return d
}

// answer answers the newest sign-in that waits.
func (w *site) answer(t *testing.T, d carried, approve bool, number string) {
	t.Helper()
	at := time.Now().UnixMilli()
	var rows []struct {
		Id, Nonce, Account, Application, Place string
		Asked                                  int64
	}
	must(t, w.anyone, "/Authenticator/GetWaiting", object{"Device": d.ID, "Time": at, "Signature": d.Sign(otp.WaitingMessage(d.tenant, d.ID, at))}, &rows)
	if len(rows) == 0 {
		t.Fatal("nothing waits")
	}
	r := rows[0]
	a := otp.Ask{ID: r.Id, Nonce: r.Nonce, Login: r.Account, App: r.Application, Place: r.Place, Created: r.Asked}
	must(t, w.anyone, "/Authenticator/Answer", object{
		"Device": d.ID, "Id": r.Id, "Approve": approve, "Number": number, "Signature": d.Sign(otp.AnswerMessage(d.tenant, d.ID, a, approve, number)),
	}, nil)
}

// Somebody signs in at the page with the number that they enter on their device; the page goes on by itself. Refused elsewhere, it ends.
func TestBrowserPush(t *testing.T) {
	t.Parallel()
	w := newSite(t, "SQLite")
	anna := w.person(t, "anna", nil)
	phone := w.carry(t, w.enter(t, anna))
	b := open(t, w.Server)
	ask := func() (number string) {
		b.visit("/login?switch=1")
		b.shows("Sign in to Limen")
		b.keys(anna + kb.Enter)
		b.shows("Enter your password")
		b.keys(password + kb.Enter)
		b.shows("How do you want to go on?", "Mobile authenticator")
		b.press(`button.way`)
		b.shows("Enter this number there:")
		b.do(chromedp.Text(`.number`, &number, chromedp.ByQuery))
		return strings.TrimSpace(number)
	}
	number := ask()
	if len(number) != 2 {
		t.Fatal(number)
	}
	b.look("push")
	w.answer(t, phone, true, number)
	b.shows("You are signed in", anna)

	ask()
	w.answer(t, phone, false, "")
	b.shows("Please begin again.")
}
