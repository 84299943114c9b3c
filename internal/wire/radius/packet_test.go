package radius

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The example of RFC 2865 section 7.1: nemo logs in with the password arctangent and the secret xyzzy5461.
func TestExampleOfTheStandard(t *testing.T) {
	secret := []byte("xyzzy5461")
	p, err := Parse(unhex(t, "01 00 00 38 0f 40 3f 94 73 97 80 57 bd 83 d5 cb 98 f4 22 7a 01 06 6e 65 6d 6f 02 12 0d be 70 8d 93 d4 13 ce 31 96 e4 3f 78 2a 0a ee 04 06 c0 a8 01 10 05 06 00 00 00 03"))
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := p.Password(secret); got != "arctangent" || !ok || p.Text(UserName) != "nemo" || p.Code != AccessRequest {
		t.Fatal(got, ok, p)
	}
	if a, err := Hide("arctangent", secret, p.Authenticator); err != nil || !bytes.Equal(a.Value, p.Get(UserPassword)) {
		t.Fatal(a, err)
	}
	answer, err := Parse(unhex(t, "02 00 00 26 86 fe 22 0e 76 24 ba 2a 10 05 f6 bf 9b 55 e0 b2 06 06 00 00 00 01 0f 06 00 00 00 00 0e 06 c0 a8 01 03"))
	if err != nil || !answer.Answers(0, p.Authenticator, secret) {
		t.Fatal("the answer of the standard is refused", err)
	}
	for _, bad := range []bool{answer.Answers(1, p.Authenticator, secret), answer.Answers(0, [16]byte{}, secret), answer.Answers(0, p.Authenticator, []byte("other")), answer.Answers(0, p.Authenticator, nil)} {
		if bad {
			t.Error("an answer of somebody else is taken")
		}
	}
	if has, ok := p.Signed(secret, nil); has || ok {
		t.Error("the example has no Message-Authenticator")
	}
}

// What is made here is read here, and not by whoever lacks the secret or changed a byte.
func TestSignedBothWays(t *testing.T) {
	secret, at := []byte("a secret of sixteen"), [16]byte{1, 2, 3}
	hidden, err := Hide(strings.Repeat("p", 40), secret, at)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Request(AccessRequest, 7, at, secret, Attribute{UserName, []byte("anna")}, hidden, Attribute{ProxyState, []byte("via")})
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if has, ok := p.Signed(secret, nil); !has || !ok || p.Attributes[0].Type != MessageAuthenticator {
		t.Fatal(has, ok, p)
	}
	if got, ok := p.Password(secret); got != strings.Repeat("p", 40) || !ok {
		t.Fatal(got, ok)
	}
	if _, ok := p.Signed([]byte("another secret of it"), nil); ok {
		t.Error("another secret is taken")
	}
	for i := range b {
		changed := bytes.Clone(b)
		changed[i] ^= 1
		if q, err := Parse(changed); err == nil {
			if _, ok := q.Signed(secret, nil); ok {
				t.Errorf("byte %d may be changed", i)
			}
		}
	}
	twice, _ := write(AccessRequest, 7, at, append([]Attribute{{MessageAuthenticator, p.Get(MessageAuthenticator)}}, p.Attributes...))
	if q, err := Parse(twice); err != nil {
		t.Fatal(err)
	} else if has, ok := q.Signed(secret, nil); !has || ok {
		t.Error("two of them are taken")
	}
	r, err := p.Reply(AccessChallenge, secret, Attribute{State, []byte("s")})
	if err != nil {
		t.Fatal(err)
	}
	q, err := Parse(r)
	if err != nil || q.Attributes[0].Type != MessageAuthenticator || string(q.Get(ProxyState)) != "via" || !q.Answers(7, at, secret) {
		t.Fatal(q, err)
	}
	if has, ok := q.Signed(secret, &at); !has || !ok {
		t.Error("the reply is not signed")
	}
	r, err = p.Reply(AccountingResponse, secret)
	if err != nil {
		t.Fatal(err)
	}
	if q, err = Parse(r); err != nil || q.Has(MessageAuthenticator) || !q.Answers(7, at, secret) {
		t.Error(q, err)
	}
}

func TestAccountingIsOfTheSecret(t *testing.T) {
	secret := []byte("a secret of sixteen")
	b, err := write(AccountingRequest, 1, [16]byte{}, []Attribute{{AcctStatusType, []byte{0, 0, 0, 1}}})
	if err != nil {
		t.Fatal(err)
	}
	copy(b[4:head], sum(b, [16]byte{}, secret))
	p, err := Parse(b)
	if err != nil || !p.Counted(secret) || p.Counted([]byte("other")) || p.Counted(nil) {
		t.Fatal(err)
	}
	if n, ok := p.Number(AcctStatusType); n != 1 || !ok {
		t.Error(n, ok)
	}
}

func TestMalformed(t *testing.T) {
	for name, b := range map[string][]byte{
		"nothing": nil, "short": make([]byte, 19), "length below the head": {1, 0, 0, 19, 19: 0}, "length beyond the datagram": {1, 0, 0, 21, 19: 0},
		"an attribute without length": {1, 0, 0, 21, 20: 1}, "an attribute of length 1": {1, 0, 0, 22, 20: 1, 21: 1}, "an attribute beyond the end": {1, 0, 0, 22, 20: 1, 21: 3},
	} {
		if _, err := Parse(b); !errors.Is(err, ErrMalformed) {
			t.Error(name, err)
		}
	}
	if _, err := Hide(strings.Repeat("x", 129), []byte("s"), [16]byte{}); !errors.Is(err, ErrTooLong) {
		t.Error(err)
	}
	many := make([]Attribute, 20)
	for i := range many {
		many[i] = Attribute{ReplyMessage, make([]byte, maxValue)}
	}
	if _, err := write(AccessAccept, 0, [16]byte{}, many); !errors.Is(err, ErrTooLong) {
		t.Error(err)
	}
}

func TestTexts(t *testing.T) {
	long := strings.Repeat("ä", 200)
	var back strings.Builder
	for _, a := range Texts(ReplyMessage, long, 1000) {
		if !strings.HasPrefix(string(a.Value), "ä") {
			t.Errorf("a letter is divided: %q", a.Value)
		}
		back.Write(a.Value)
	}
	if back.String() != long {
		t.Error(back.String())
	}
	if got := Texts(ReplyMessage, long, 5); len(got) != 1 || string(got[0].Value) != "ää" {
		t.Error(got)
	}
}

func FuzzParse(f *testing.F) {
	secret := []byte("a secret of sixteen")
	b, _ := Request(AccessRequest, 7, [16]byte{1}, secret, Attribute{UserName, []byte("anna")}, Attribute{UserPassword, make([]byte, 16)})
	f.Add(b)
	f.Add([]byte{4, 0, 0, 26, 19: 0, 20: 40, 21: 6, 25: 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse(b)
		if err != nil {
			return
		}
		p.Signed(secret, nil)
		p.Counted(secret)
		p.Answers(1, [16]byte{}, secret)
		p.Password(secret)
		p.Text(UserName)
		p.Number(AcctStatusType)
		if len(p.Joined(EAPMessage)) > MaxPacket {
			t.Error("more than the packet has")
		}
		again, err := write(p.Code, p.ID, p.Authenticator, p.Attributes)
		if err != nil || !bytes.Equal(again, p.raw) {
			t.Fatalf("%x is written as %x: %v", p.raw, again, err)
		}
		if out, err := p.Reply(AccessReject, secret); err == nil {
			if _, err := Parse(out); err != nil {
				t.Error(err)
			}
		}
	})
}
