// Package config reads the program's settings: flags over environment over one strict YAML file over defaults. A
// setting has one name everywhere: --log-level, LIMEN_LOG_LEVEL, and log-level in the file. A name that nobody knows
// is an error that suggests the nearest one.
package config

import (
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"

	"limen/internal/fault"
)

// ErrSettings says that the settings cannot be used; its public sentence has a line for each of them that is wrong,
// with the flag, the variable, or the file and line it came from.
var ErrSettings = fault.New(fault.Invalid, "settings.invalid", "The settings cannot be used.")

// Settings is everything that can be set from outside. The tags name, describe and default each setting; fields that
// are no flags hold secrets, which do not belong on a command line.
type Settings struct {
	// Data is the directory of the database, the master key and the local certificates.
	Data string `name:"data" placeholder:"DIR" default:"./data" help:"Directory of the database, the master key and the certificates (${default})."`
	// DB is "sqlite" for DIR/limen.db, or the URL of a PostgreSQL database.
	DB string `name:"db" placeholder:"sqlite|URL" default:"sqlite" secret:"url" help:"\"sqlite\" for a file in the data directory, or postgres://USER:PASSWORD@HOST/NAME (${default}). Give a URL with a password as LIMEN_DB."`
	// Listen is the address of the HTTP server, always as ADDRESS:PORT.
	Listen string `name:"listen" placeholder:"HOST:PORT" default:"localhost:8443" help:"Address to serve on; \":8443\" is every interface (${default})."`
	// TLS is "auto", "off" or "CERT,KEY".
	TLS string `name:"tls" placeholder:"auto|off|CERT,KEY" default:"auto" help:"\"auto\" makes a local authority and certificate once, \"off\" leaves TLS to a proxy, CERT,KEY are two PEM files (${default})."`
	// Hosts are the names and addresses under which clients reach the server, without scheme and port.
	Hosts []string `name:"host" placeholder:"NAME" help:"Name under which clients reach the server; may be given several times."`
	// Dev shows outgoing mail and SMS on a page instead of sending them.
	Dev bool `name:"dev" help:"Show outgoing mail and SMS on a page instead of sending them. Not for real users."`
	// LogLevel is "debug", "info", "warn" or "error".
	LogLevel string `name:"log-level" placeholder:"LEVEL" default:"info" help:"debug, info, warn or error (${default})."`
	// LogFormat is "text" or "json".
	LogFormat string `name:"log-format" placeholder:"FORMAT" default:"text" help:"text or json (${default})."`
	// AdminUser and AdminPassword make the first administrator, when the database is new.
	AdminUser     string `name:"admin-user" placeholder:"NAME" help:"Login name of the first administrator of a new database; the password comes from LIMEN_ADMIN_PASSWORD."`
	AdminPassword string `name:"admin-password" kong:"-" secret:"all" help:"Password of the first administrator of a new database."`
	// TrustedProxies are the networks whose X-Forwarded-For and X-Forwarded-Proto are believed.
	TrustedProxies []string `name:"trusted-proxy" placeholder:"CIDR" help:"Network whose X-Forwarded-For is believed; may be given several times."`
	// AllowNetworks are private networks in which mail servers and gateways that tenants name may be, and addresses that clients
	// of the authorization server name, such as jwks_uri.
	AllowNetworks []string `name:"allow-network" placeholder:"CIDR" help:"Private network in which the mail servers that tenants name, and the addresses of OAuth clients, may be; may be given several times."`
	// MailRelay is the SMTP server for tenants that set none: smtp://USER:PASSWORD@HOST:PORT or smtps://...
	MailRelay string `name:"mail-relay" placeholder:"URL" secret:"url" help:"SMTP server for outgoing mail, smtp://HOST:PORT or smtps://HOST:PORT. Give a URL with a password as LIMEN_MAIL_RELAY."`
	// GeoIP is a file that tells in which country an address is; empty: no country is known.
	GeoIP string `name:"geoip" placeholder:"FILE" help:"Database in MaxMind's format (.mmdb) that tells in which country an address is; without it no country is known."`
	// BadNetworks are files with networks of ill repute, which add to the risk of sign-ins.
	BadNetworks []string `name:"bad-networks" placeholder:"FILE" help:"List of networks of ill repute, one a line, which add to the risk of sign-ins; may be given several times."`
	// Leaked is a file of the hashes of leaked passwords; empty: nobody looks.
	Leaked string `name:"leaked-passwords" placeholder:"FILE" help:"List of SHA-1 hashes of leaked passwords in ascending order, one a line, which add to the risk of sign-ins."`
	// DNSServer is the name server that is asked about what others name: proofs of mail domains, and addresses of clients; empty: the
	// machine's.
	DNSServer string `name:"dns-server" placeholder:"HOST:PORT" help:"Name server that is asked for the proof of mail domains and for the addresses of OAuth clients; the machine's without it."`
	// CertListen is the address of a second HTTPS server, the same but that it asks clients for certificates; empty: there is none.
	CertListen string `name:"mtls-listen" placeholder:"HOST:PORT" help:"Address of a second HTTPS server that asks clients for certificates (RFC 8705); none without it."`
	// CertHeader is the header in which trusted proxies name the certificate of a client; empty: none is believed.
	CertHeader string `name:"client-cert-header" placeholder:"HEADER" help:"Header in which trusted proxies name a client's certificate, as RFC 9440 or PEM in URL encoding; none is believed without it."`
	// Radius is the UDP address on which RADIUS clients are answered; empty: they are not.
	Radius string `name:"radius" placeholder:"HOST:PORT" help:"UDP address on which RADIUS clients are answered, for example :1812; none without it."`
	// RadiusAccounting is a second UDP address for the same.
	RadiusAccounting string `name:"radius-accounting" placeholder:"HOST:PORT" help:"Second UDP address for RADIUS, for clients that account at another port, for example :1813; none without it."`
	// Radsec is the address on which RADIUS clients are answered over TLS; empty: they are not.
	Radsec string `name:"radsec" placeholder:"HOST:PORT" help:"Address on which RADIUS clients are answered over TLS (RadSec), for example :2083; none without it."`
	// RadiusTLS is the certificate and key, as CERT,KEY, that the program shows of itself in EAP; empty: those of TLS.
	RadiusTLS string `name:"radius-tls" placeholder:"CERT,KEY" help:"Files of the certificate that people's devices see when they sign in by EAP at RADIUS clients, and clients over RadSec; the server's own without it."`
	// MetricsListen is an address for metrics alone; empty serves them on Listen to loopback and private callers.
	MetricsListen string `name:"metrics-listen" placeholder:"HOST:PORT" help:"Separate address for metrics; without it they are on the main one, for loopback and private callers only."`
	// TraceEndpoint is an OTLP collector; empty is off.
	TraceEndpoint string `name:"trace-endpoint" placeholder:"URL" help:"OTLP collector that gets traces, http://HOST:4318; off without it."`
	// Memory is what the program is to stay within, as MemoryBound reads it; empty: there is no bound.
	Memory string `name:"memory" placeholder:"SIZE" help:"Memory that the program stays within, such as 512MB or 2GB, at least 128MB; no bound without it."`
	// MasterKeyFile holds the master key; empty is DIR/master.key, which is made on the first start.
	MasterKeyFile string `name:"master-key-file" placeholder:"FILE" help:"File of the master key; DIR/master.key, made on the first start, without it."`
	// MasterKey is the key itself in base64, in place of a file.
	MasterKey string `name:"master-key" kong:"-" secret:"all" help:"The master key itself, base64 of 32 bytes, in place of a file."`
	// Module is the library of a PKCS #11 token that keeps the master key, in place of a file; empty: none does.
	Module string `name:"pkcs11-module" placeholder:"FILE" help:"Library of a PKCS #11 token that keeps the master key, in place of a file; none without it."`
	// Token is the label of that token.
	Token string `name:"pkcs11-token" placeholder:"LABEL" help:"Label of the PKCS #11 token."`
	// TokenKey is the label of the key in it.
	TokenKey string `name:"pkcs11-key" placeholder:"LABEL" default:"limen" help:"Label of the AES key in the PKCS #11 token (${default})."`
	// PINFile holds the PIN of the token's user.
	PINFile string `name:"pkcs11-pin-file" placeholder:"FILE" help:"File of the PIN of the PKCS #11 token."`
	// Node names this process among several; empty is the machine's name.
	Node string `name:"node" placeholder:"NAME" help:"Name of this node among several; the machine's name without it."`

	origin map[string]string // where each setting came from, by its name
}

// SQLite gives the database file, and false when the database is PostgreSQL.
func (s Settings) SQLite() (file string, ok bool) {
	return filepath.Join(s.Data, "limen.db"), s.DB == "sqlite"
}

// MemoryBound is Memory in bytes; 0: there is no bound.
func (s Settings) MemoryBound() int64 {
	n, _ := size(s.Memory)
	return n
}

// KeyFile is where the master key is, unless MasterKey is set.
func (s Settings) KeyFile() string {
	if s.MasterKeyFile != "" {
		return s.MasterKeyFile
	}
	return filepath.Join(s.Data, "master.key")
}

// TLSDir is where "auto" keeps its authority and certificate.
func (s Settings) TLSDir() string { return filepath.Join(s.Data, "tls") }

// Proxies are the trusted networks; an address is a network of its own.
func (s Settings) Proxies() []netip.Prefix { return networks(s.TrustedProxies) }

// Networks are the private networks that tenants' own servers may be in; an address is a network of its own.
func (s Settings) Networks() []netip.Prefix { return networks(s.AllowNetworks) }

func networks(texts []string) []netip.Prefix {
	out := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		if p, err := network(text); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// Origin says where a setting came from: "flag --listen", "variable LIMEN_LISTEN", "limen.yaml:3" or "default".
func (s Settings) Origin(name string) string {
	if o := s.origin[name]; o != "" {
		return o
	}
	return "default"
}

func network(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		a, err := netip.ParseAddr(text)
		if err != nil {
			return netip.Prefix{}, err
		}
		return a.Unmap().Prefix(a.Unmap().BitLen())
	}
	p, err := netip.ParsePrefix(text)
	return p.Masked(), err
}

// hidden replaces the password of a URL; what is no URL may be a mistyped one and is hidden whole.
func hidden(text string) string {
	if !strings.Contains(text, "@") && !strings.Contains(text, "password") {
		return text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return "(hidden)"
	}
	q := u.Query()
	for name := range q {
		if strings.Contains(strings.ToLower(name), "password") {
			q.Set(name, "hidden")
		}
	}
	if u.RawQuery != "" {
		u.RawQuery = q.Encode()
	}
	if _, has := u.User.Password(); has {
		u.User = url.UserPassword(u.User.Username(), "hidden")
	}
	return u.String()
}
