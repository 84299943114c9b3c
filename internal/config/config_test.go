package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"limen/internal/fault"
)

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "limen.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDefaults(t *testing.T) {
	s, err := Load(nil, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	sqlite, ok := s.SQLite()
	got := []any{s.Data, s.DB, sqlite, ok, s.Listen, s.TLS, len(s.Hosts), s.Dev, s.LogLevel, s.LogFormat, s.KeyFile(), s.TLSDir(), s.Node != "", s.Origin("data")}
	want := []any{"data", "sqlite", "data/limen.db", true, "127.0.0.1:8443", "auto", 0, false, "info", "text", "data/master.key", "data/tls", true, "default"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Each setting that may come from anywhere, from every combination of sources: the strongest wins and is named.
func TestPrecedence(t *testing.T) {
	type source struct{ flag, env, yaml, shown string }
	for name, v := range map[string][3]source{ // by strength: flag, variable, file
		"data":               {{"a", "", "", "a"}, {"", "b", "", "b"}, {"", "", "c", "c"}},
		"listen":             {{":1", "", "", ":1"}, {"", ":2", "", ":2"}, {"", "", "\":3\"", ":3"}},
		"db":                 {{"sqlite", "", "", "sqlite"}, {"", "postgres://b/x", "", "postgres://b/x"}, {"", "", "postgres://c/x", "postgres://c/x"}},
		"tls":                {{"off", "", "", "off"}, {"", "auto", "", "auto"}, {"", "", "\"off\"", "off"}},
		"host":               {{"a,a2", "", "", "a,a2"}, {"", "b, b2", "", "b,b2"}, {"", "", "[c, c2]", "c,c2"}},
		"dev":                {{"true", "", "", "true"}, {"", "false", "", "false"}, {"", "", "true", "true"}},
		"log-level":          {{"debug", "", "", "debug"}, {"", "WARN", "", "warn"}, {"", "", "error", "error"}},
		"log-format":         {{"json", "", "", "json"}, {"", "text", "", "text"}, {"", "", "json", "json"}},
		"admin-user":         {{"a", "", "", "a"}, {"", "b", "", "b"}, {"", "", "c", "c"}},
		"trusted-proxy":      {{"10.0.0.1", "", "", "10.0.0.1"}, {"", "10.0.0.0/8,::1", "", "10.0.0.0/8,::1"}, {"", "", "\n  - fd00::/8", "fd00::/8"}},
		"allow-network":      {{"10.0.0.1", "", "", "10.0.0.1"}, {"", "10.0.0.0/8,::1", "", "10.0.0.0/8,::1"}, {"", "", "\n  - fd00::/8", "fd00::/8"}},
		"mail-relay":         {{"smtp://a", "", "", "smtp://a"}, {"", "smtps://b:465", "", "smtps://b:465"}, {"", "", "smtp://c", "smtp://c"}},
		"memory":             {{"512MB", "", "", "512MB"}, {"", "2GiB", "", "2GiB"}, {"", "", "300000000", "300000000"}},
		"geoip":              {{"a.mmdb", "", "", "a.mmdb"}, {"", "b.mmdb", "", "b.mmdb"}, {"", "", "c.mmdb", "c.mmdb"}},
		"bad-networks":       {{"a,b", "", "", "a,b"}, {"", "c, d", "", "c,d"}, {"", "", "\n  - e", "e"}},
		"leaked-passwords":   {{"a", "", "", "a"}, {"", "b", "", "b"}, {"", "", "c", "c"}},
		"dns-server":         {{"192.0.2.1:53", "", "", "192.0.2.1:53"}, {"", "[::1]:53", "", "[::1]:53"}, {"", "", "192.0.2.3:53", "192.0.2.3:53"}},
		"radius":             {{"localhost:9", "", "", "127.0.0.1:9"}, {"", ":9", "", ":9"}, {"", "", "'[::1]:9'", "[::1]:9"}},
		"radius-accounting":  {{"localhost:9", "", "", "127.0.0.1:9"}, {"", ":9", "", ":9"}, {"", "", "'[::1]:9'", "[::1]:9"}},
		"radsec":             {{"localhost:9", "", "", "127.0.0.1:9"}, {"", ":9", "", ":9"}, {"", "", "'[::1]:9'", "[::1]:9"}},
		"radius-tls":         {{"a,b", "", "", "a,b"}, {"", "c, d", "", "c,d"}, {"", "", "e,f", "e,f"}},
		"metrics-listen":     {{"localhost:9", "", "", "127.0.0.1:9"}, {"", ":9", "", ":9"}, {"", "", "'[::1]:9'", "[::1]:9"}},
		"mtls-listen":        {{"localhost:9", "", "", "127.0.0.1:9"}, {"", ":9", "", ":9"}, {"", "", "'[::1]:9'", "[::1]:9"}},
		"client-cert-header": {{"Client-Cert", "", "", "Client-Cert"}, {"", "X-Cert", "", "X-Cert"}, {"", "", "C", "C"}},
		"trace-endpoint":     {{"http://a:4318", "", "", "http://a:4318"}, {"", "https://b", "", "https://b"}, {"", "", "http://c", "http://c"}},
		"master-key-file":    {{"a", "", "", "a"}, {"", "b", "", "b"}, {"", "", "c", "c"}},
		"pkcs11-module":      {{"a.so", "", "", "a.so"}, {"", "b.so", "", "b.so"}, {"", "", "c.so", "c.so"}},
		"pkcs11-token":       {{"a", "", "", "a"}, {"", "b", "", "b"}, {"", "", "c", "c"}},
		"pkcs11-key":         {{"a", "", "", "a"}, {"", "b", "", "b"}, {"", "", "c", "c"}},
		"pkcs11-pin-file":    {{"a", "", "", "a"}, {"", "b", "", "b"}, {"", "", "c", "c"}},
		"node":               {{"a", "", "", "a"}, {"", "b", "", "b"}, {"", "", "n-1.example", "n-1.example"}},
	} {
		for bits := range 8 {
			var args, env []string
			text, origin, shown := "# settings\n\n", "default", ""
			if bits&1 != 0 {
				text += name + ": " + v[2].yaml + "\n"
				origin, shown = "FILE:3", v[2].shown
			}
			if bits&2 != 0 {
				env = append(env, variableOf(name)+"="+v[1].env, "PATH=/bin", "LIMEN_DB=")
				origin, shown = "variable "+variableOf(name), v[1].shown
			}
			if bits&4 != 0 {
				args = append(args, "--"+name+"="+v[0].flag)
				origin, shown = "flag --"+name, v[0].shown
			}
			if strings.HasPrefix(name, "pkcs11-") { // which go together
				for _, other := range []string{"pkcs11-module", "pkcs11-token", "pkcs11-pin-file"} {
					if other != name && bits != 0 {
						args = append(args, "--"+other+"=x")
					}
				}
			}
			path := file(t, text)
			s, err := Load(args, env, path)
			if err != nil {
				t.Errorf("%s %03b: %v", name, bits, err)
				continue
			}
			got := valueOf(t, s, name)
			if o := strings.Replace(s.Origin(name), path, "FILE", 1); o != origin || bits != 0 && got != shown {
				t.Errorf("%s %03b: %q from %q, not %q from %q", name, bits, got, o, shown, origin)
			}
		}
	}
}

func valueOf(t *testing.T, s Settings, name string) string {
	t.Helper()
	for _, f := range fields(&s) {
		if f.name == name {
			if list, ok := f.at.Interface().([]string); ok {
				return strings.Join(list, ",")
			}
			return fmt.Sprint(f.at.Interface())
		}
	}
	t.Fatal("no setting", name)
	return ""
}

func TestEverySettingIsInTheMatrix(t *testing.T) {
	source, err := os.ReadFile("config_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fields(new(Settings)) {
		if f.flag && !strings.Contains(string(source), fmt.Sprintf("\t\t%q:", f.name)) {
			t.Errorf("%s is not tested", f.name)
		}
		if f.help == "" {
			t.Errorf("%s has no help", f.name)
		}
	}
}

func TestFileNamedElsewhere(t *testing.T) {
	one, two := file(t, "node: one"), file(t, "node: two")
	for name, c := range map[string]struct {
		args, env []string
		want      string
	}{
		"flag":               {[]string{"--config", one}, nil, "one"},
		"variable":           {nil, []string{"LIMEN_CONFIG=" + two}, "two"},
		"flag over variable": {[]string{"-c", one}, []string{"LIMEN_CONFIG=" + two}, "one"},
	} {
		if s, err := Load(c.args, c.env, ""); err != nil || s.Node != c.want {
			t.Errorf("%s: %q %v", name, s.Node, err)
		}
	}
	if _, err := Load(nil, []string{"LIMEN_CONFIG=/no/such"}, ""); !errors.Is(err, ErrSettings) {
		t.Error(err)
	}
}

func TestUnknownNames(t *testing.T) {
	for _, c := range []struct {
		args []string
		env  string
		yaml string
		want string
	}{
		{args: []string{"--lisen", ":1"}, want: `unknown flag --lisen, did you mean "--listen"?`},
		{args: []string{"--admin-password", "x"}, want: "unknown flag --admin-password"},
		{env: "LIMEN_LISEN=:1", want: "variable LIMEN_LISEN is unknown; did you mean LIMEN_LISTEN?"},
		{env: "LIMEN_LOGLEVEL=info", want: "did you mean LIMEN_LOG_LEVEL?"},
		{env: "LIMEN_HOSTS=a", want: "did you mean LIMEN_HOST?"},
		{env: "LIMEN_ADMINPASSWORD=a", want: "did you mean LIMEN_ADMIN_PASSWORD?"},
		{env: "LIMEN_MASTER=a", want: "did you mean LIMEN_MASTER_KEY?"},
		{env: "LIMEN_LOG-LEVEL=info", want: "did you mean LIMEN_LOG_LEVEL?"},
		{env: "LIMEN_SOMETHING_ELSE=1", want: "variable LIMEN_SOMETHING_ELSE is unknown"},
		{yaml: "node: x\nlog_level: info", want: `FILE:2: setting "log_level" is unknown; did you mean "log-level"?`},
		{yaml: "databse: x", want: `FILE:1: setting "databse" is unknown`},
		{yaml: "dta: x", want: `did you mean "data"?`},
		{yaml: "trusted-proxies: []", want: `did you mean "trusted-proxy"?`},
		{yaml: "config: x", want: `FILE:1: setting "config" is unknown`},
	} {
		expect(t, c.args, c.env, c.yaml, c.want)
	}
	if _, err := Load(nil, []string{"LIMEN_TEST_POSTGRES=x", "LIMENX=1", "XLIMEN_DATA=1"}, ""); err != nil {
		t.Error(err)
	}
}

func expect(t *testing.T, args []string, env, yaml, want string) {
	t.Helper()
	path := file(t, yaml)
	_, err := Load(args, []string{env}, path)
	if !errors.Is(err, ErrSettings) {
		t.Errorf("%v %s %q: %v", args, env, yaml, err)
		return
	}
	if got := strings.ReplaceAll(fault.Of(err).Public, path, "FILE"); !strings.Contains(got, want) {
		t.Errorf("%v %s %q:\n%s\nnot\n%s", args, env, yaml, got, want)
	}
}

func TestWrongValuesNameTheirSource(t *testing.T) {
	key := base64.StdEncoding.EncodeToString(make([]byte, 31))
	for _, c := range []struct {
		args []string
		env  string
		yaml string
		want string
	}{
		{args: []string{"--listen", "8443"}, want: "flag --listen: listen is HOST:PORT"},
		{args: []string{"--listen", "localhost:99999"}, want: `flag --listen: listen has the port "99999"`},
		{args: []string{"--listen", "localhost:+1"}, want: `has the port "+1"`},
		{args: []string{"--listen", "a b:1"}, want: `has the host "a b"`},
		{env: "LIMEN_DB=mysql://user:geheim@h/x", want: `variable LIMEN_DB: db is "sqlite" or a URL`},
		{env: "LIMEN_DB=postgres://h", want: "names no database"},
		{env: "LIMEN_DEV=maybe", want: `variable LIMEN_DEV: dev is true or false, not "maybe"`},
		{yaml: "\nlog-level: inof", want: `FILE:2: log-level is one of debug, info, warn, error, not "inof"; did you mean "info"?`},
		{yaml: "log-format: xml", want: "log-format is one of text, json"},
		{yaml: "tls: on", want: "FILE:1: tls is auto, off, or two files"},
		{yaml: "tls: a,b", want: "no such file"},
		{yaml: "host: https://id.example.com", want: "without scheme"},
		{yaml: "host: [ok.example, 'bücher.example']", want: "xn-- form"},
		{yaml: "host: [id.example.com:8443]", want: "without scheme, port"},
		{env: "LIMEN_TRUSTED_PROXY=10.0.0.0/8,proxy", want: `trusted-proxy has "proxy"`},
		{env: "LIMEN_TRUSTED_PROXY=0.0.0.0/0", want: "every network"},
		{env: "LIMEN_MAIL_RELAY=mail.example.com", want: "mail-relay is a URL of the form smtp:// or smtps://"},
		{args: []string{"--radius", "1812"}, want: "radius is HOST:PORT"},
		{args: []string{"--radius", ":1812", "--radius-accounting", ":1812"}, want: "same address as radius"},
		{args: []string{"--radsec", "localhost:8443"}, want: "same address"},
		{args: []string{"--radsec", ":2083", "--tls", "off"}, want: "needs TLS"},
		{args: []string{"--radius", ":1812", "--radius-tls", "off"}, want: "is two files as CERT,KEY"},
		{args: []string{"--metrics-listen", "localhost:8443"}, want: "same address as listen"},
		{args: []string{"--dns-server", "dns.example.com:53"}, want: "is an address with a port"},
		{args: []string{"--dns-server", "192.0.2.1:0"}, want: "is an address with a port"},
		{args: []string{"--mtls-listen", "localhost:8443"}, want: "must not ask browsers"},
		{args: []string{"--mtls-listen", "localhost:8444", "--tls", "off"}, want: "needs TLS"},
		{args: []string{"--client-cert-header", "a b"}, want: "name of a header"},
		{args: []string{"--trace-endpoint", "collector:4318"}, want: "trace-endpoint is a URL"},
		{env: "LIMEN_ADMIN_PASSWORD=long-enough", want: "admin-user is not"},
		{args: []string{"--admin-user", "a"}, env: "LIMEN_ADMIN_PASSWORD=short", want: "variable LIMEN_ADMIN_PASSWORD: admin-password has 5 bytes"},
		{args: []string{"--admin-user", "a b"}, want: "has a space"},
		{env: "LIMEN_MASTER_KEY=" + key, want: "variable LIMEN_MASTER_KEY: master-key is not base64 of 32 bytes"},
		{args: []string{"--master-key-file", "x"}, env: "LIMEN_MASTER_KEY=" + key, want: "so is master-key-file (flag --master-key-file)"},
		{args: []string{"--pkcs11-token", "vault"}, want: "pkcs11-module is missing"},
		{args: []string{"--pkcs11-module", "x.so", "--pkcs11-token", "vault"}, want: "pkcs11-module needs pkcs11-pin-file"},
		{yaml: "pkcs11-module: x.so\nmaster-key-file: y", want: "FILE:1: pkcs11-module is set, and so is master-key-file (FILE:2)"},
		{args: []string{"--node", "a/b"}, want: "flag --node: node is up to 64"},
		{args: []string{"--data", " "}, want: "names no directory"},
		{args: []string{"--data", "config_test.go"}, want: "is not a directory"},
		{yaml: "data: [a, b]", want: "FILE:1: data takes one value, not 2"},
		{yaml: "data: {a: b}", want: "FILE:1: data takes a plain value or a list"},
		{yaml: "data:", want: "FILE:1: data has no value"},
		{yaml: "host: [[a]]", want: "FILE:1: host takes a list of plain values"},
		{yaml: "node: a\nnode: b", want: "FILE:2: node is given twice"},
		{yaml: "- node", want: "FILE:1: expected lines of the form"},
		{yaml: "node: a\n---\nnode: b", want: "more than one document"},
		{yaml: "node: [a", want: "FILE: yaml: line"},
		{yaml: "node: *a", want: "FILE: yaml: "},
		{yaml: "x: &a [a]\nhost: *a", want: "FILE:2: host takes a plain value or a list"},
	} {
		expect(t, c.args, c.env, c.yaml, c.want)
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	_, err := Load([]string{"--listen", "x"}, []string{"LIMEN_DTA=x", "LIMEN_DEV=x"}, file(t, "nod: x\nlog-level: x"))
	if n := strings.Count(fault.Of(err).Public, "\n") + 1; n != 5 {
		t.Fatalf("%d lines: %v", n, fault.Of(err).Public)
	}
}

func TestSecretsAreNotRepeated(t *testing.T) {
	key := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))
	for _, env := range [][]string{
		{"LIMEN_DB=postgres://u:geheim@h/n?sslpassword=geheim2", "LIMEN_ADMIN_USER=root", "LIMEN_ADMIN_PASSWORD=geheimnis", "LIMEN_MASTER_KEY=" + key, "LIMEN_MAIL_RELAY=smtp://u:geheim@h"},
		{"LIMEN_DB=postgres://h/n?password=geheim"},
	} {
		s, err := Load(nil, env, "")
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := s.Explain(&b); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "geheim") || strings.Contains(b.String(), key) || !strings.Contains(b.String(), "variable LIMEN_DB") {
			t.Error(b.String())
		}
	}
	_, err := Load(nil, []string{"LIMEN_DB=mysql://u:geheim@h/n", "LIMEN_ADMIN_PASSWORD=geheim", "LIMEN_MASTER_KEY=geheim", "LIMEN_MAIL_RELAY=u:geheim@h"}, "")
	if strings.Contains(fault.Of(err).Public, "geheim") {
		t.Error(err)
	}
}

func TestExplain(t *testing.T) {
	s, err := Load([]string{"--listen", ":1", "--host=a", "--host=b"}, []string{"LIMEN_NODE=n"}, "")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := s.Explain(&b); err != nil {
		t.Fatal(err)
	}
	got := strings.Split(b.String(), "\n")
	for _, want := range []string{"data data default", "listen :1 flag --listen", "host a,b flag --host", "node n variable LIMEN_NODE", "dev false default", "mail-relay - default"} {
		found := false
		for _, line := range got {
			found = found || strings.Join(strings.Fields(line), " ") == want
		}
		if !found {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
}

func TestProxies(t *testing.T) {
	s, err := Load(nil, []string{"LIMEN_TRUSTED_PROXY=10.1.2.3/8, 192.0.2.1, ::1"}, "")
	if err != nil || fmt.Sprint(s.Proxies()) != "[10.0.0.0/8 192.0.2.1/32 ::1/128]" {
		t.Fatal(s.Proxies(), err)
	}
}

func TestOwnCertificate(t *testing.T) {
	dir := t.TempDir()
	for _, f := range []string{"c.pem", "k.pem"} {
		if err := os.WriteFile(filepath.Join(dir, f), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := filepath.Join(dir, "c.pem") + "," + filepath.Join(dir, "k.pem")
	s, err := Load([]string{"--tls", strings.Replace(want, ",", " , ", 1)}, nil, "")
	if err != nil || s.TLS != want {
		t.Fatal(s.TLS, err)
	}
}

func TestEdits(t *testing.T) {
	for pair, want := range map[[2]string]int{{"", ""}: 0, {"a", ""}: 1, {"listen", "lisen"}: 1, {"data", "dtaa"}: 1, {"kitten", "sitting"}: 3, {"db", "node"}: 3} {
		if got := edits(pair[0], pair[1]); got != want || edits(pair[1], pair[0]) != want {
			t.Errorf("%q: %d", pair, got)
		}
	}
}

func FuzzFile(f *testing.F) {
	for _, text := range []string{"", "data: x", "host: [a, b]\n", "node: a\nnode: b", "a: &x [*x]", "- a", "? {a: b}\n: c", "---\n...\n", "data: !!binary aGk=", "<<: {data: x}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		values, errs := parseFile("f", text)
		for name := range values {
			found := false
			for _, n := range names() {
				found = found || n == name
			}
			if !found && len(errs) == 0 {
				t.Fatal(name)
			}
		}
	})
}

func TestMemory(t *testing.T) {
	for text, want := range map[string]int64{"": 0, "512MB": 512e6, " 2 gib ": 2 << 30, "200000KB": 200e6, "128000000": 128e6, "134217728b": 128 << 20} {
		if s, err := Load([]string{"--memory", text}, nil, ""); err != nil || s.MemoryBound() != want {
			t.Errorf("%q: %d, %v, want %d", text, s.MemoryBound(), err, want)
		}
	}
	for _, text := range []string{"127MB", "-1GB", "MB", "1.5GB", "9999999999GB", "lots"} {
		if _, err := Load([]string{"--memory=" + text}, nil, ""); !errors.Is(err, ErrSettings) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
