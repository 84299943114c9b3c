package eap

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"testing"

	"limen/internal/wire/certificate/certificatetest"
)

func TestPackets(t *testing.T) {
	for name, tt := range map[string]struct {
		in   string
		want Packet
		bad  bool
	}{
		"an identity":            {in: "\x02\x07\x00\x09\x01anna", want: Packet{Response, 7, Identity, []byte("anna")}},
		"padding":                {in: "\x02\x07\x00\x06\x01aXX", want: Packet{Response, 7, Identity, []byte("a")}},
		"success":                {in: "\x03\x07\x00\x04", want: Packet{Code: Success, ID: 7}},
		"nothing":                {bad: true},
		"shorter than it says":   {in: "\x02\x07\x00\x09\x01ann", bad: true},
		"no type":                {in: "\x02\x07\x00\x04", bad: true},
		"a length below a head":  {in: "\x02\x07\x00\x03\x01", bad: true},
		"an unknown code":        {in: "\x05\x07\x00\x05\x01", bad: true},
		"a success with a type":  {in: "\x03\x07\x00\x05\x01", bad: true},
		"longer than RADIUS has": {in: "\x02\x07\x20\x00" + string(make([]byte, 8192)), bad: true},
	} {
		p, err := Parse([]byte(tt.in))
		if (err != nil) != tt.bad || p.Code != tt.want.Code || p.ID != tt.want.ID || p.Type != tt.want.Type || !bytes.Equal(p.Data, tt.want.Data) {
			t.Errorf("%s: %v %v", name, p, err)
		}
	}
}

func TestFragments(t *testing.T) {
	message := bytes.Repeat([]byte("0123456789"), 500)
	for _, size := range []int{64, 1000, 6000} {
		q, a := Queue{Version: 1, Size: size}, Assembler{}
		q.Put(message)
		for rounds := 0; ; rounds++ {
			data := q.Next()
			if len(data) > size {
				t.Fatal("a fragment is too long", len(data))
			}
			got, version, whole, err := a.Add(data)
			if err != nil || version != 1 || whole == q.Waits() {
				t.Fatal(version, whole, err)
			}
			if whole {
				if !bytes.Equal(got, message) {
					t.Error("it does not come out as it went in")
				}
				break
			}
		}
	}
	q := Queue{Size: 64}
	q.Put(nil)
	if got := q.Next(); !bytes.Equal(got, []byte{0}) || q.Waits() {
		t.Error(got)
	}
}

// What lies about its length, begins a method or has no end is refused.
func TestHostileFragments(t *testing.T) {
	for name, all := range map[string][]string{
		"nothing":                   {""},
		"a start":                   {"\x20"},
		"half a length":             {"\x80\x00\x00"},
		"a length above the bound":  {"\xc0\x00\x01\x00\x01x"},
		"more than was named":       {"\xc0\x00\x00\x00\x02x", "\x00yz"},
		"less than was named":       {"\xc0\x00\x00\x00\x03x", "\x00y"},
		"another length":            {"\xc0\x00\x00\x00\x03x", "\x80\x00\x00\x00\x04yzz"},
		"a length that comes later": {"\x40x", "\x80\x00\x00\x00\x02y"},
		"more of nothing":           {"\x40"},
		"one byte above the bound":  {"\x40" + string(make([]byte, MaxMessage)), "\x00x"},
	} {
		var a Assembler
		var err error
		for i, one := range all {
			if _, _, _, err = a.Add([]byte(one)); err != nil && i < len(all)-1 {
				t.Errorf("%s: refused early", name)
			}
		}
		if err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestAttributes(t *testing.T) {
	in := []Attribute{{0, AttributeName, true, []byte("anna@x")}, {311, 25, false, []byte("12345")}, {0, AttributePassword, true, nil}}
	var b []byte
	for _, a := range in {
		b = AppendAttribute(b, a)
	}
	out, err := ParseAttributes(b)
	if err != nil || len(out) != 3 || out[1].Vendor != 311 || string(out[0].Value) != "anna@x" || !out[0].Mandatory || out[1].Mandatory || string(out[1].Value) != "12345" {
		t.Fatal(out, err)
	}
	for name, bad := range map[string]string{
		"half a head": "\x00\x00\x00\x01\x00", "a length below its head": "\x00\x00\x00\x01\x00\x00\x00\x07", "no vendor": "\x00\x00\x00\x01\x80\x00\x00\x08",
		"longer than there is": "\x00\x00\x00\x01\x00\x00\x00\x0cabc", "too many": string(bytes.Repeat([]byte("\x00\x00\x00\x01\x00\x00\x00\x08"), maxAttributes+1)),
	} {
		if out, err := ParseAttributes([]byte(bad)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v %v", name, out, err)
		}
	}
}

// Both sides of a tunnel make the same keys, of either version, and what one says the other hears.
func TestTunnel(t *testing.T) {
	root := certificatetest.Root(t, "Root")
	own := root.Issue(t, func(c *x509.Certificate) {
		c.DNSNames, c.ExtKeyUsage = []string{"radius.test"}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	})
	pool := x509.NewCertPool()
	pool.AddCert(root.Cert)
	for name, version := range map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13} {
		t.Run(name, func(t *testing.T) {
			server := NewTunnel(func(c net.Conn) *tls.Conn {
				return tls.Server(c, &tls.Config{Certificates: []tls.Certificate{own}, SessionTicketsDisabled: true, MinVersion: tls.VersionTLS12})
			})
			client := NewTunnel(func(c net.Conn) *tls.Conn {
				return tls.Client(c, &tls.Config{RootCAs: pool, ServerName: "radius.test", MaxVersion: version})
			})
			defer server.Close()
			defer client.Close()
			hello, err := client.Feed(nil)
			for len(hello) > 0 && err == nil {
				var back []byte
				if back, err = server.Feed(hello); err == nil {
					hello, err = client.Feed(back)
				}
			}
			if err != nil || !server.Done() || !client.Done() {
				t.Fatal(err, server.Done(), client.Done())
			}
			out, err := client.Send([]byte("who"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := server.Feed(out); err != nil || string(server.Received()) != "who" || server.Received() != nil {
				t.Error("it is not heard", err)
			}
			for _, method := range []Type{TLS, TTLS, PEAP} {
				a, b, err := Keys(server.State(), method)
				if err != nil || len(a) != 32 || len(b) != 32 {
					t.Fatal(err)
				}
				if x, y, err := Keys(client.State(), method); err != nil || !bytes.Equal(a, x) || !bytes.Equal(b, y) {
					t.Error("the keys differ", err)
				}
				// All of it is made, since the length counts in TLS 1.3.
				state, label, context := server.State(), "client EAP encryption", []byte(nil)
				if version == tls.VersionTLS13 {
					label, context = "EXPORTER_EAP_TLS_Key_Material", []byte{byte(method)}
				} else if method == TTLS {
					label = "ttls keying material"
				}
				if all, err := state.ExportKeyingMaterial(label, context, 128); err != nil || !bytes.Equal(append(a, b...), all[:64]) {
					t.Error("the keys are not those of the standard", err)
				}
			}
			if _, err := server.Feed([]byte("no TLS at all, and long enough to be seen as such")); err == nil {
				t.Error("anything is taken")
			}
			if _, err := server.Feed(nil); err == nil {
				t.Error("it goes on after its end")
			}
		})
	}
}

func FuzzPacket(f *testing.F) {
	f.Add([]byte("\x02\x07\x00\x09\x01anna"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse(b)
		if err != nil {
			return
		}
		again, err := Parse(p.Bytes())
		if err != nil || again.Code != p.Code || again.Type != p.Type || !bytes.Equal(again.Data, p.Data) {
			t.Error(p, again, err)
		}
	})
}

func FuzzFragments(f *testing.F) {
	f.Add([]byte("\xc0\x00\x00\x00\x03x"), []byte("\x00yz"))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		var a Assembler
		for _, data := range [][]byte{one, two, one} {
			m, _, whole, err := a.Add(data)
			if err != nil {
				return
			}
			if len(m) > MaxMessage || m != nil && !whole {
				t.Error(len(m), whole)
			}
		}
	})
}

func FuzzAttributes(f *testing.F) {
	f.Add(AppendAttribute(AppendAttribute(nil, Attribute{0, 1, true, []byte("anna")}), Attribute{311, 25, false, []byte("x")}))
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := ParseAttributes(b)
		if err != nil {
			return
		}
		var written []byte
		for _, a := range out {
			written = AppendAttribute(written, a)
		}
		if again, err := ParseAttributes(written); err != nil || len(again) != len(out) {
			t.Error(out, again, err)
		}
	})
}
