// Package twilio is what Twilio's voice service and its customers say to each other over HTTP: the signature of its requests, and
// the instructions (TwiML) that answer them.
package twilio

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio's choice; HMAC does not rest on collisions
	"encoding/base64"
	"encoding/xml"
	"net/url"
	"slices"
	"strings"
)

// SignatureHeader is where a request has its signature.
const SignatureHeader = "X-Twilio-Signature"

// Sign signs a request with an account's token: its address as Twilio was given it, and the parameters of its form, by name.
func Sign(token, address string, form url.Values) string {
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(address))
	for _, name := range names {
		values := slices.Clone(form[name])
		slices.Sort(values)
		for _, value := range slices.Compact(values) {
			mac.Write([]byte(name))
			mac.Write([]byte(value))
		}
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Valid says whether a signature is that of a request whose body is a urlencoded form. An account without a token signs nothing.
func Valid(token, address string, body []byte, signature string) bool {
	form, err := url.ParseQuery(string(body))
	given, bad := base64.StdEncoding.DecodeString(strings.TrimSpace(signature))
	if err != nil || bad != nil || token == "" {
		return false
	}
	want, err := base64.StdEncoding.DecodeString(Sign(token, address, form))
	return err == nil && hmac.Equal(given, want)
}

// Say is a sentence that is read out.
type Say struct {
	XMLName  xml.Name `xml:"Say"`
	Language string   `xml:"language,attr,omitempty"` // BCP 47, of those that Twilio speaks
	Text     string   `xml:",chardata"`
}

// Gather waits for keys, while something is read out.
type Gather struct {
	XMLName xml.Name `xml:"Gather"`
	Input   string   `xml:"input,attr"`
	Action  string   `xml:"action,attr"` // address that gets the keys
	Method  string   `xml:"method,attr"`
	Timeout int      `xml:"timeout,attr"`               // seconds without a key
	Digits  int      `xml:"numDigits,attr,omitempty"`   // how many keys are enough; 0: until FinishOnKey
	Finish  string   `xml:"finishOnKey,attr,omitempty"` // the key that ends the number
	Say     Say
}

// Hangup ends the call.
type Hangup struct {
	XMLName xml.Name `xml:"Hangup"`
}

// Response writes instructions, which are followed in order.
func Response(verbs ...any) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	err := xml.NewEncoder(&b).Encode(struct {
		XMLName xml.Name `xml:"Response"`
		Verbs   []any
	}{Verbs: verbs})
	return b.Bytes(), err
}
