package dialects

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"limen/internal/app/apptest"
)

var secret = regexp.MustCompile(`[\w-]{43}`)

// pending is an invitation that waits.
type pending struct {
	mail, token string
	over        bool // it may be good no more
}

// enrol has people come by the workspace's API, and come back who forgot their password; it says what they did.
func (w *world) enrol(rt *rapid.T, people map[string]bool) string {
	w.t.Helper()
	do := []string{"invite", "sign up"}
	waits, able := w.waiting(people), w.able(people)
	if len(waits) > 0 {
		do = append(do, "register", "register")
	}
	if len(able) > 0 {
		do = append(do, "reset", "reset")
	}
	which := rapid.SampledFrom(do).Draw(rt, "enrolment")
	w.enrolled[which]++
	switch which {
	case "invite":
		did := w.invite(w.value(rt, mail), people)
		if waits := w.waiting(people); w.goesOn(rt, "register") {
			did += ", " + w.register(rt, waits[len(waits)-1])
		}
		return did
	case "sign up":
		did := w.signUp(rt, people)
		if able := w.able(people); len(able) > 0 && w.goesOn(rt, "reset") {
			did += ", " + w.forget(able[len(able)-1])
		}
		return did
	case "register":
		return w.register(rt, rapid.SampledFrom(waits).Draw(rt, "invited"))
	}
	return w.forget(rapid.SampledFrom(able).Draw(rt, "forgetful"))
}

// goesOn says whether people do at once what they could do later: steps between often end what was mailed to them. Each is done once at least.
func (w *world) goesOn(rt *rapid.T, then string) bool {
	goes := w.enrolled[then] == 0 || rapid.Bool().Draw(rt, then+" at once")
	if goes {
		w.enrolled[then]++
	}
	return goes
}

// waiting are those whose invitation is good still.
func (w *world) waiting(people map[string]bool) (out []string) {
	for _, id := range slices.Sorted(maps.Keys(people)) {
		if p, ok := w.invited[id]; ok && !p.over {
			out = append(out, id)
		}
	}
	return out
}

// revoke notes which invitations are over after a step of another dialect: much of what is done to somebody ends what was mailed to them before.
func (w *world) revoke(did string) {
	for id, p := range w.invited {
		p.over = p.over || strings.Contains(did, id)
		w.invited[id] = p
	}
}

// able are those who chose a password, and whom nobody keeps out.
func (w *world) able(people map[string]bool) (out []string) {
	for _, id := range slices.Sorted(maps.Keys(people)) {
		if is := w.core(id); w.chose[id] && is[on] == "true" {
			out = append(out, id)
		}
	}
	return out
}

// nobody asks without a token, and must get what they ask for.
func (w *world) nobody(method, path string, body any, header ...string) ([]byte, []*http.Cookie) {
	w.t.Helper()
	res, b := w.send(method, path, body, append([]string{"Authorization", ""}, header...)...)
	if res.StatusCode != http.StatusOK {
		w.t.Fatalf("%s %s %v: %d %s", method, path, body, res.StatusCode, b)
	}
	return b, res.Cookies()
}

// code waits for a mail with a code or a token that was not used yet.
func (w *world) code(to string) string {
	w.t.Helper()
	for range 2000 {
		for _, m := range w.site.App.Tray.To(to) {
			if found := secret.FindString(m.Text); m.Tenant == w.site.ID && found != "" && !w.used[found] {
				w.used[found] = true
				return found
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	w.t.Fatal("nothing was mailed to", to)
	return ""
}

func (w *world) invite(to string, people map[string]bool) string {
	w.t.Helper()
	status, b := w.ask(http.MethodPost, "/uauth/users/invitations/invite", object{"email": to}, "Authorization", "Bearer "+w.enter())
	if status != http.StatusOK {
		w.t.Fatalf("invite %s: %d %s", to, status, b)
	}
	id := w.of(to)
	people[id] = true
	w.invited[id] = pending{mail: to, token: w.code(to)}
	w.managed++
	return "invite " + to + " as " + id
}

func (w *world) register(rt *rapid.T, id string) string {
	w.t.Helper()
	p := w.invited[id]
	w.nobody(http.MethodPost, "/uauth/user/register", object{
		"email": p.mail, "password": apptest.Password, "invitationToken": p.token,
		"firstName": w.value(rt, given), "lastName": w.value(rt, family), "phone": w.value(rt, mobile),
	})
	delete(w.invited, id)
	w.chose[id] = true
	return "register " + id
}

// signUp has a stranger register, by an address that belongs to no organization.
func (w *world) signUp(rt *rapid.T, people map[string]bool) string {
	w.t.Helper()
	w.made++
	to, same := fmt.Sprintf("p%d@c.example", w.made), rapid.Bool().Draw(rt, "the same browser")
	who := object{"email": to, "password": apptest.Password, "firstName": w.value(rt, given), "lastName": w.value(rt, family), "phone": w.value(rt, mobile)}
	_, cookies := w.nobody(http.MethodPost, "/uauth/user/register", who)
	if len(cookies) != 1 {
		w.t.Fatalf("%v", cookies)
	}
	browser := ""
	if same {
		browser = cookies[0].Name + "=" + cookies[0].Value
	}
	var out struct {
		Email       string
		PasswordSet bool
	}
	b, _ := w.nobody(http.MethodGet, "/uauth/user/confirmation/"+w.code(to), nil, "Cookie", browser)
	if json.Unmarshal(b, &out) != nil || out.Email != to || out.PasswordSet != same {
		w.t.Fatalf("confirming %s: %s", to, b)
	}
	id := w.of(to)
	people[id], w.chose[id] = true, same
	return fmt.Sprintf("sign up %s as %s, in the same browser: %v", to, id, same)
}

// forget has somebody choose a new password by a code in a mail, and sign in with it.
func (w *world) forget(id string) string {
	w.t.Helper()
	to, fresh := w.core(id)[mail], fmt.Sprintf("Violet-Anchor-%d-Lamp", w.made)
	w.nobody(http.MethodPost, "/uauth/password-reset/request", object{"email": to})
	w.nobody(http.MethodPost, "/uauth/password-reset/confirmation", object{"token": w.code(to), "password": fresh})
	w.nobody(http.MethodPost, "/uauth/auth/login/user", object{"username": to, "password": fresh})
	delete(w.chose, id) // once is enough, and who asks often is held back
	return "reset the password of " + id
}

// of gives who has an address.
func (w *world) of(to string) (id string) {
	w.t.Helper()
	c := w.site.App.Shell(w.site.ID)
	if err := c.Snapshot(context.Background(), func() error {
		all, err := w.site.App.People.ByMail(context.Background(), c, to, 2)
		if err == nil && len(all) != 1 {
			err = fmt.Errorf("%d people have the address %s", len(all), to)
		}
		if err == nil {
			id = all[0].ID
		}
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return id
}
