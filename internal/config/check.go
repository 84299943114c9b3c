package config

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"limen/internal/crypt"
)

var (
	nodeName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$`)
	hostName = regexp.MustCompile(`^(\*\.)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)
)

// check puts the settings into their final form, and says what is wrong with each and where it came from.
func (s *Settings) check() []error {
	var errs []error
	for _, c := range []struct {
		name string
		err  error
	}{
		{"data", s.checkData()},
		{"db", s.checkDB()},
		{"listen", address(&s.Listen)},
		{"tls", s.checkTLS()},
		{"host", s.checkHosts()},
		{"log-level", oneOf(&s.LogLevel, "debug", "info", "warn", "error")},
		{"log-format", oneOf(&s.LogFormat, "text", "json")},
		{"admin-user", s.checkAdminUser()},
		{"admin-password", s.checkAdminPassword()},
		{"trusted-proxy", checkNetworks(s.TrustedProxies)},
		{"allow-network", checkNetworks(s.AllowNetworks)},
		{"mail-relay", optionalURL(s.MailRelay, "smtp", "smtps")},
		{"geoip", noDirectory(s.GeoIP)},
		{"bad-networks", noDirectory(s.BadNetworks...)},
		{"leaked-passwords", noDirectory(s.Leaked)},
		{"dns-server", s.checkDNS()},
		{"mtls-listen", s.checkCertListen()},
		{"client-cert-header", s.checkCertHeader()},
		{"metrics-listen", s.checkMetrics()},
		{"radius", optionalAddress(&s.Radius)},
		{"radius-accounting", s.checkAccounting()},
		{"radsec", s.checkRadsec()},
		{"radius-tls", s.checkRadiusTLS()},
		{"memory", s.checkMemory()},
		{"trace-endpoint", optionalURL(s.TraceEndpoint, "http", "https")},
		{"master-key", s.checkMasterKey()},
		{"pkcs11-module", s.checkToken()},
		{"node", s.checkNode()},
	} {
		if c.err != nil {
			errs = append(errs, fmt.Errorf("%s: %s %w", s.Origin(c.name), c.name, c.err))
		}
	}
	return errs
}

func (s *Settings) checkData() error {
	if strings.TrimSpace(s.Data) == "" {
		return errors.New("names no directory")
	}
	s.Data = filepath.Clean(s.Data)
	if info, err := os.Stat(s.Data); err == nil && !info.IsDir() {
		return fmt.Errorf("%s is not a directory", s.Data)
	}
	return nil
}

func (s *Settings) checkDB() error {
	if s.DB == "sqlite" {
		return nil
	}
	u, err := url.Parse(s.DB)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		// The text may hold a password and is not repeated.
		return errors.New(`is "sqlite" or a URL of the form postgres://USER:PASSWORD@HOST/NAME`)
	}
	if strings.Trim(u.Path, "/") == "" {
		return errors.New("names no database: postgres://.../NAME")
	}
	return nil
}

// address checks HOST:PORT and makes localhost an address, so that no resolver is asked.
func address(text *string) error {
	host, port, err := net.SplitHostPort(*text)
	if err != nil {
		return fmt.Errorf("is HOST:PORT, for example localhost:8443 or :8443, not %q", *text)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return fmt.Errorf("has the port %q, which is not a number from 0 to 65535", port)
	}
	switch host = strings.ToLower(host); {
	case host == "localhost":
		host = "127.0.0.1"
	case host != "" && !hostName.MatchString(host):
		if _, err := netip.ParseAddr(host); err != nil {
			return fmt.Errorf("has the host %q, which is neither a name nor an address", host)
		}
	}
	*text = net.JoinHostPort(host, port)
	return nil
}

func (s *Settings) checkTLS() error {
	if s.TLS == "auto" || s.TLS == "off" {
		return nil
	}
	if !pair(&s.TLS) {
		return fmt.Errorf("is auto, off, or two files as CERT,KEY, not %q", s.TLS)
	}
	for f := range strings.SplitSeq(s.TLS, ",") {
		if _, err := os.Stat(f); err != nil {
			return err
		}
	}
	return nil
}

func (s *Settings) checkRadiusTLS() error {
	if s.RadiusTLS != "" && !pair(&s.RadiusTLS) {
		return fmt.Errorf("is two files as CERT,KEY, not %q", s.RadiusTLS)
	}
	return nil
}

// pair tidies the names of two files with a comma between; false: they are none.
func pair(text *string) bool {
	cert, key, ok := strings.Cut(*text, ",")
	cert, key = strings.TrimSpace(cert), strings.TrimSpace(key)
	if !ok || cert == "" || key == "" || strings.Contains(key, ",") {
		return false
	}
	*text = cert + "," + key
	return true
}

func (s *Settings) checkHosts() error {
	var out []string
	for _, h := range s.Hosts {
		name := strings.TrimSuffix(strings.ToLower(strings.TrimSpace(h)), ".")
		ip, err := netip.ParseAddr(strings.Trim(name, "[]"))
		switch {
		case err == nil:
			name = ip.String()
		case strings.Contains(name, "/") || strings.Contains(name, ":"):
			return fmt.Errorf("is a name alone, without scheme, port or path, not %q", h)
		case len(name) > 253 || !hostName.MatchString(name):
			return fmt.Errorf("has %q, which is no host name (others than ASCII letters in their xn-- form)", h)
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	s.Hosts = out
	return nil
}

func oneOf(text *string, known ...string) error {
	lower := strings.ToLower(*text)
	if !slices.Contains(known, lower) {
		return fmt.Errorf("is one of %s, not %q%s", strings.Join(known, ", "), *text, suggest(lower, known, quoted))
	}
	*text = lower
	return nil
}

func (s *Settings) checkAdminUser() error {
	bad := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }
	if len(s.AdminUser) > 128 || strings.ContainsFunc(s.AdminUser, bad) {
		return errors.New("is longer than 128 bytes or has a space in it")
	}
	return nil
}

func (s *Settings) checkAdminPassword() error {
	switch n := len(s.AdminPassword); {
	case n == 0:
		return nil
	case s.AdminUser == "":
		return errors.New("is set, but admin-user is not")
	case n < 8 || n > crypt.MaxPassword:
		return fmt.Errorf("has %d bytes, and needs 8 to %d", n, crypt.MaxPassword)
	}
	return nil
}

func checkNetworks(texts []string) error {
	for _, text := range texts {
		p, err := network(text)
		if err != nil {
			return fmt.Errorf("has %q, which is no network such as 10.0.0.0/8", text)
		}
		if p.Bits() == 0 {
			return fmt.Errorf("has %q, which is every network", text)
		}
	}
	return nil
}

// noDirectory lets files be absent: what brings them may start later.
func noDirectory(paths ...string) error {
	for _, path := range paths {
		if info, err := os.Stat(path); path != "" && err == nil && info.IsDir() {
			return fmt.Errorf("is a file, and %s is a directory", path)
		}
	}
	return nil
}

// checkDNS wants an address: a name would have to be looked up first.
func (s *Settings) checkDNS() error {
	if s.DNSServer == "" {
		return nil
	}
	at, err := netip.ParseAddrPort(s.DNSServer)
	if err != nil || at.Port() == 0 {
		return fmt.Errorf("is an address with a port, such as 192.0.2.53:53, not %q", s.DNSServer)
	}
	return nil
}

func (s *Settings) checkMetrics() error {
	if s.MetricsListen == "" {
		return nil
	}
	if err := address(&s.MetricsListen); err != nil {
		return err
	}
	if s.MetricsListen == s.Listen {
		return errors.New("is the same address as listen; leave it out to serve metrics there")
	}
	return nil
}

func optionalAddress(text *string) error {
	if *text == "" {
		return nil
	}
	return address(text)
}

func (s *Settings) checkAccounting() error {
	if err := optionalAddress(&s.RadiusAccounting); err != nil {
		return err
	}
	if s.RadiusAccounting != "" && s.RadiusAccounting == s.Radius {
		return errors.New("is the same address as radius, which takes accounting as well; leave it out")
	}
	return nil
}

func (s *Settings) checkRadsec() error {
	if err := optionalAddress(&s.Radsec); err != nil || s.Radsec == "" {
		return err
	}
	switch {
	case s.Radsec == s.Listen || s.Radsec == s.CertListen:
		return errors.New("is the same address as another server's")
	case s.TLS == "off" && s.RadiusTLS == "":
		return errors.New("needs TLS: name a certificate with radius-tls")
	}
	return nil
}

func (s *Settings) checkCertListen() error {
	if s.CertListen == "" {
		return nil
	}
	if err := address(&s.CertListen); err != nil {
		return err
	}
	switch {
	case s.CertListen == s.Listen:
		return errors.New("is the same address as listen, which must not ask browsers for certificates")
	case s.TLS == "off":
		return errors.New("needs TLS; behind a proxy that ends it, use client-cert-header")
	}
	return nil
}

var headerName = regexp.MustCompile(`^[A-Za-z0-9-]{1,100}$`)

func (s *Settings) checkCertHeader() error {
	if s.CertHeader != "" && !headerName.MatchString(s.CertHeader) {
		return fmt.Errorf("is the name of a header, not %q", s.CertHeader)
	}
	return nil
}

func optionalURL(text string, schemes ...string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || !slices.Contains(schemes, u.Scheme) || u.Hostname() == "" {
		return fmt.Errorf("is a URL of the form %s://HOST:PORT", strings.Join(schemes, ":// or "))
	}
	return nil
}

// minMemory is less than the program can do with: a password's hash takes 46 MiB by itself.
const minMemory = 128_000_000

func (s *Settings) checkMemory() error {
	if n, ok := size(s.Memory); s.Memory != "" && (!ok || n < minMemory) {
		return fmt.Errorf("is a size of at least 128MB, such as 512MB or 2GB, not %q", s.Memory)
	}
	return nil
}

// size reads a number of bytes, with a unit of a thousand or of 1024.
func size(text string) (int64, bool) {
	text = strings.ToUpper(strings.TrimSpace(text))
	for _, u := range []struct {
		name  string
		bytes int64
	}{{"KIB", 1 << 10}, {"MIB", 1 << 20}, {"GIB", 1 << 30}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1}} {
		if digits, ok := strings.CutSuffix(text, u.name); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
			return n * u.bytes, err == nil && n > 0 && n <= math.MaxInt64/u.bytes
		}
	}
	return 0, false
}

func (s *Settings) checkMasterKey() error {
	if s.MasterKey == "" {
		return nil
	}
	if s.MasterKeyFile != "" {
		return fmt.Errorf("is set, and so is master-key-file (%s); one of them is enough", s.Origin("master-key-file"))
	}
	if _, err := crypt.MasterFromText(s.MasterKey); err != nil {
		return errors.New("is not base64 of 32 bytes; make one with: openssl rand -base64 32")
	}
	return nil
}

// checkToken wants all that names a key in a token, and no other master key.
func (s *Settings) checkToken() error {
	if s.Module == "" {
		if s.Token != "" || s.PINFile != "" {
			return errors.New("is missing: it is the library of the token that pkcs11-token and pkcs11-pin-file name")
		}
		return nil
	}
	for _, other := range []struct{ name, value string }{{"master-key", s.MasterKey}, {"master-key-file", s.MasterKeyFile}} {
		if other.value != "" {
			return fmt.Errorf("is set, and so is %s (%s); one of them is enough", other.name, s.Origin(other.name))
		}
	}
	for _, needed := range []struct{ name, value string }{{"pkcs11-token", s.Token}, {"pkcs11-key", s.TokenKey}, {"pkcs11-pin-file", s.PINFile}} {
		if needed.value == "" {
			return fmt.Errorf("needs %s", needed.name)
		}
	}
	return nil
}

func (s *Settings) checkNode() error {
	if s.Node == "" {
		s.Node = Hostname()
	}
	if !nodeName.MatchString(s.Node) {
		return fmt.Errorf("is up to 64 letters, digits, dots and dashes, not %q", s.Node)
	}
	return nil
}
