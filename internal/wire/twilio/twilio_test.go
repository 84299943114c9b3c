package twilio

import (
	"net/url"
	"strings"
	"testing"
)

// The example of Twilio's page on the security of its requests.
func TestSignature(t *testing.T) {
	form := url.Values{
		"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+14158675310"}, "Digits": {"1234"}, "From": {"+14158675310"}, "To": {"+18005551212"},
	}
	const address, token = "https://example.com/myapp.php?foo=1&bar=2", "12345"
	good := Sign(token, address, form)
	if good != "L/OH5YylLD5NRKLltdqwSvS0BnU=" {
		t.Error(good)
	}
	body := []byte(form.Encode())
	if !Valid(token, address, body, good) {
		t.Error("the right signature is refused")
	}
	for name, ok := range map[string]bool{
		"another token":   Valid("12346", address, body, good),
		"no token":        Valid("", address, body, Sign("", address, form)),
		"another address": Valid(token, address+"&x=1", body, good),
		"another key":     Valid(token, address, []byte(strings.Replace(string(body), "1234", "1235", 1)), good),
		"one more field":  Valid(token, address, append(body, "&x=1"...), good),
		"none":            Valid(token, address, body, ""),
		"no base64":       Valid(token, address, body, "%"),
		"cut":             Valid(token, address, body, good[:20]),
		"no form":         Valid(token, address, []byte("%zz"), good),
	} {
		if ok {
			t.Error(name)
		}
	}
}

func TestResponse(t *testing.T) {
	got, err := Response(Gather{Input: "dtmf", Action: "https://x.test/a?b=1&c=2", Method: "POST", Timeout: 9, Digits: 1, Say: Say{Language: "en-US", Text: `"<1>" & so on`}},
		Say{Text: "Bye."}, Hangup{})
	const want = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
		`<Response><Gather input="dtmf" action="https://x.test/a?b=1&amp;c=2" method="POST" timeout="9" numDigits="1"><Say language="en-US">&#34;&lt;1&gt;&#34; &amp; so on</Say></Gather><Say>Bye.</Say><Hangup></Hangup></Response>`
	if string(got) != want || err != nil {
		t.Errorf("%s %v", got, err)
	}
}

func FuzzValid(f *testing.F) {
	f.Add("https://x.test/?a=1", []byte("Digits=1&CallSid=CA1"), "AAAA")
	f.Add("", []byte("a=1&a=2&a=1"), "%")
	f.Fuzz(func(t *testing.T, address string, body []byte, signature string) {
		if Valid("secret", address, body, signature) {
			form, err := url.ParseQuery(string(body))
			if err != nil || Sign("secret", address, form) == "" {
				t.Fatal(err)
			}
			if Valid("another", address, body, signature) {
				t.Fatal("two tokens make one signature")
			}
		}
	})
}
