package users_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/core/captcha"
)

// solved does the work that strangers are given, as a browser does.
func (c client) solved() string {
	c.t.Helper()
	_, body := c.do(http.MethodGet, "/Captcha/Challenge", "application/json", http.NoBody)
	var ch captcha.Challenge
	if err := json.Unmarshal(body, &ch); err != nil || ch.Challenge == "" {
		c.t.Fatalf("%s", body)
	}
	for n := range ch.Most + 1 {
		sum := sha256.Sum256([]byte(ch.Salt + strconv.FormatInt(n, 10)))
		if hex.EncodeToString(sum[:]) == ch.Challenge {
			b, _ := json.Marshal(map[string]any{"algorithm": ch.Algorithm, "challenge": ch.Challenge, "number": n, "salt": ch.Salt, "signature": ch.Signature})
			return base64.StdEncoding.EncodeToString(b)
		}
	}
	c.t.Fatal("no number solves the challenge")
	return ""
}

// A stranger registers by work that they did, once, and signs in when they have shown that the address is theirs.
func TestStrangerRegisters(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		admin, stranger := client{t, site, site.TokenOf(t, "admin")}, client{t: t, site: site}
		set := func(name, value string) {
			t.Helper()
			if e := admin.post("/Core/SetTenantConfig?key="+name+"&value="+value, ""); !e.Success {
				t.Fatal(e)
			}
		}
		for name, value := range map[string]string{"Signup.Allowed": "true", "Authentication.Challenges": "UP", "Captcha.Work": "2000"} {
			set(name, value)
		}
		const secret = "Purple-Staple-7-Wagon"
		address := "gina+" + site.ID + "@example.com"
		register := func(local, answer string) envelope {
			return stranger.post("/User/Signup", `{"Name":"`+local+`@`+site.Suffix+`","Mail":"`+address+`","Password":"`+secret+`","ReCaptchaToken":"`+answer+`"}`)
		}
		answer := stranger.solved()
		if e := register("gina", answer); !e.Success {
			t.Fatal(e)
		}
		if e := register("hans", answer); e.Success || !strings.Contains(e.Message, "CAPTCHA") {
			t.Error("an answer was taken twice", e)
		}
		signIn := func() envelope {
			return stranger.post("/Security/Login", `{"TenantId":"`+site.ID+`","User":"gina@`+site.Suffix+`","Password":"`+secret+`"}`)
		}
		if e := signIn(); !e.Success {
			t.Error(e)
		}
		set("EmailVerification.Mandatory", "true")
		token := mailedToken.FindStringSubmatch(mail(t, s, address, "token=").Text)[1]
		if e := signIn(); e.Success {
			t.Error("somebody signed in whose address is still to be shown")
		}
		if e := stranger.post("/EmailVerification/VerifyMagicLink", `{"token":"`+token+`"}`); !e.Success {
			t.Fatal(e)
		}
		if e := signIn(); !e.Success {
			t.Error(e)
		}
	})
}
