package mschap

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func example(t *testing.T) (Exchange, Hash) {
	t.Helper()
	asked, peer := Challenge(unhex(t, "5b5d7c7d7b3f2f3e3c2c602132262628")), Challenge(unhex(t, "21402324255e262a28295f2b3a337c7e"))
	return Respond(asked, peer, 7, "User", "clientPass"), HashOf("clientPass")
}

// The examples of RFC 2759 section 9.2 and RFC 3079 section 3.5.3.
func TestExamples(t *testing.T) {
	e, h := example(t)
	if got := hex.EncodeToString(h[:]); got != "44ebba8d5312b8d611474411f56989ae" {
		t.Error("hash", got)
	}
	if short := e.short(); hex.EncodeToString(short[:]) != "d02e4386bce91226" {
		t.Errorf("challenge %x", short)
	}
	if got := hex.EncodeToString(e.Response.Response[:]); got != "82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df" {
		t.Error("response", got)
	}
	if got := e.Proof(h); got != "S=407A5589115FD0D6209F510FE9C04566932CDA56" {
		t.Error("proof", got)
	}
	if _, send := e.Keys(h); hex.EncodeToString(send) != "8b7cdc149b993a1ba118cb153f56dccb" {
		t.Errorf("key %x", send)
	}
	if receive, send := e.Keys(h); bytes.Equal(receive, send) || len(receive) != 16 {
		t.Error("one key serves both directions")
	}
	if h := HashOf("SecREt01"); hex.EncodeToString(h[:]) != "cd06ca7c7e10c99b1d33b7485a2ed808" {
		t.Errorf("hash %x", h)
	}
}

func TestRight(t *testing.T) {
	e, h := example(t)
	if !e.Right(h) {
		t.Error("what is right is refused")
	}
	e.Name = `ACME\User`
	if !e.Right(h) {
		t.Error("a Windows domain counts")
	}
	for what, change := range map[string]func(*Exchange){
		"another name":      func(e *Exchange) { e.Name = "user" },
		"another challenge": func(e *Exchange) { e.Asked[3]++ },
		"another peer":      func(e *Exchange) { e.Peer[3]++ },
		"another response":  func(e *Exchange) { e.Response.Response[23]++ },
	} {
		other := e
		if change(&other); other.Right(h) {
			t.Error(what, "is taken")
		}
	}
	if e.Right(HashOf("clientpass")) {
		t.Error("another password is taken")
	}
}

// Attack: the server's own challenge comes back as the peer's, so that what the server says serves as an answer elsewhere.
func TestReflection(t *testing.T) {
	c := NewChallenge()
	if e := Respond(c, c, 1, "User", "clientPass"); e.Right(HashOf("clientPass")) {
		t.Error("a challenge is taken back")
	}
}

func TestMessages(t *testing.T) {
	e, _ := example(t)
	if got, err := ParseAttribute(e.Response.Attribute()); err != nil || got != e.Response {
		t.Error(got, err)
	}
	said := Said{Op: OpResponse, Response: e.Response, Name: "User"}
	if got, err := Parse(said.Bytes()); err != nil || got != said {
		t.Error(got, err)
	}
	if b := said.Bytes(); len(b) != 58 || b[4] != 49 || b[3] != 58 {
		t.Error(b)
	}
	if got, err := Parse([]byte{3}); err != nil || got.Op != OpSuccess {
		t.Error(got, err)
	}
	if got := Ask(9, e.Asked, "limen"); !bytes.Equal(got[:5], []byte{1, 9, 0, 26, 16}) || !bytes.HasSuffix(got, []byte("limen")) {
		t.Error(got)
	}
	if got := string(Failed(9, e.Asked)); !strings.HasSuffix(got, "E=691 R=0 C=5B5D7C7D7B3F2F3E3C2C602132262628 V=3 M=Authentication failed") {
		t.Error(got)
	}
}

func TestHostileMessages(t *testing.T) {
	e, _ := example(t)
	good, attribute := Said{Op: OpResponse, Response: e.Response, Name: "User"}.Bytes(), e.Response.Attribute()
	with := func(b []byte, i int, v byte) []byte {
		b = bytes.Clone(b)
		b[i] = v
		return b
	}
	for what, b := range map[string][]byte{
		"nothing": nil, "a challenge": {1}, "a success with more": {3, 0}, "half": good[:40], "another length": with(good, 3, 57), "another size": with(good, 4, 48),
		"reserved bytes": with(good, 21, 1), "flags": with(good, 53, 1), "a request of the server's": Ask(1, e.Asked, ""),
		"a long name": Said{Op: OpResponse, Name: strings.Repeat("x", maxName+1)}.Bytes(),
	} {
		if got, err := Parse(b); err == nil {
			t.Error(what, "is taken", got)
		}
	}
	for what, b := range map[string][]byte{"short": attribute[:49], "long": append(bytes.Clone(attribute), 0), "reserved bytes": with(attribute, 20, 1)} {
		if got, err := ParseAttribute(b); err == nil {
			t.Error(what, "is taken", got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Said{Op: OpResponse, Name: "User"}.Bytes())
	f.Add([]byte{3})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Parse(b)
		if err == nil && !bytes.Equal(s.Bytes(), b) {
			t.Errorf("%x is read as %x", b, s.Bytes())
		}
	})
}

func FuzzParseAttribute(f *testing.F) {
	f.Add(Response{ID: 1}.Attribute())
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseAttribute(b)
		if err == nil {
			b = bytes.Clone(b)
			b[1] = 0 // flags
		}
		if err == nil && !bytes.Equal(r.Attribute(), b) {
			t.Errorf("%x is read as %x", b, r.Attribute())
		}
	})
}
