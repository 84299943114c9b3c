package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"limen/internal/config"
	"limen/internal/core/grant"
	"limen/internal/core/role"
	"limen/internal/platform/dns"
	"limen/internal/platform/egress"
	"limen/internal/platform/metric"
	"limen/internal/platform/trace"
	"limen/internal/platform/web"
	"limen/internal/surface/dev"
)

// serve is the command "limen serve".
func (c *Commands) serve(ctx context.Context, s config.Settings) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(-1) // until the memory worker runs: what a start allocates is little, and most of it stays
	}
	log := logger(s, os.Stderr)
	a, err := Open(ctx, s, log)
	if err != nil {
		return err
	}
	defer a.Close()
	a.Scripts.Command, a.Quick.Command = self, self
	defer a.Scripts.Close()
	defer a.Quick.Close()
	a.boundMemory()
	return a.Serve(ctx, c.Out)
}

func logger(s config.Settings, w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(s.LogLevel)) // checked with the settings
	o := &slog.HandlerOptions{Level: level}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// wireOutside wires what the settings add to the program: metrics, traces, the tray, and which networks clients' addresses may be in.
func (a *App) wireOutside(ctx context.Context) (err error) {
	permit := a.Settings.Networks()
	if a.Settings.Dev {
		permit = append(permit, netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"))
	}
	a.Resolver = &dns.Resolver{Server: a.Settings.DNSServer}
	a.Egress = &egress.Client{Guard: egress.Guard{Permit: permit}, Resolver: a.Resolver.Net()}
	a.Metrics = metric.New(Version())
	if a.Settings.Dev {
		a.Tray = &dev.Tray{}
	}
	if a.Settings.TraceEndpoint != "" {
		a.Tracer, err = trace.New(ctx, a.Settings.TraceEndpoint, Version(), a.Settings.Node)
	}
	return err
}

// Serve makes the first tenant where there is none, and serves until ctx ends; then it finishes what runs.
func (a *App) Serve(ctx context.Context, out io.Writer) error {
	certs := &web.TLS{Mode: a.Settings.TLS, Dir: a.Settings.TLSDir(), Hosts: a.Settings.Hosts, Log: a.Log, Now: time.Now}
	if certs.Enabled() {
		if _, err := certs.Config(); err != nil {
			return err // before the first start, whose password is shown only once
		}
	}
	admin, err := a.FirstStart(ctx)
	if err != nil {
		return err
	}
	name := a.adminName(ctx, admin)
	if admin != nil {
		trim() // the password's hash
	}
	workers := unhurried(a.Workers())
	if a.Settings.MetricsListen != "" {
		apart := &web.Server{Name: "metrics", Addr: a.Settings.MetricsListen, Handler: a.Metrics.Handler(), Log: a.Log}
		workers = append(workers, web.Worker{Name: "metrics", Run: apart.Run})
	}
	radius, err := a.radiusListeners(certs)
	if err != nil {
		return err
	}
	workers = append(workers, radius...)
	ready := &web.Ready{}
	if a.Settings.CertListen != "" {
		asking := &web.Server{Name: "certificates", Addr: a.Settings.CertListen, Handler: a.Handler(ready), TLS: certs, AskCert: true, Log: a.Log, Ready: &web.Ready{}}
		workers = append(workers, web.Worker{Name: "certificates", Run: asking.Run})
	}
	server := &web.Server{
		Name: "main", Addr: a.Settings.Listen, Handler: a.Handler(ready), TLS: certs, Log: a.Log, Workers: workers, Ready: ready,
		Started: func(at net.Addr) { a.greet(out, at, certs, name, admin) },
	}
	err = server.Run(ctx)
	a.settle()
	return err
}

// Workers are what runs beside the server.
func (a *App) Workers() web.Group {
	return web.Group{
		{Name: "changes", Run: a.Changes.Run},
		{Name: "memory", Run: a.giveBack},
		{Name: "outbox", Run: a.Outbox.Run},
		{Name: "jobs", Run: a.Jobs.Run},
		{Name: "scripts", Run: a.Dynamic.Run},
		{Name: "provisioning", Run: a.Outbound.Run},
		{Name: "audit", Run: a.Audit.Run},
		{Name: "sessions", Run: a.Sessions.Run},
		{Name: "people", Run: a.People.Run},
		{Name: "organizations", Run: a.Orgs.Run},
		{Name: "failures", Run: a.Kernel.Failures.Run},
		{Name: "reports", Run: a.prepareReports},
	}
}

// prepareReports prepares the store for reports, which do so themselves when it fails here.
func (a *App) prepareReports(ctx context.Context) error {
	if err := a.Reports.Prepare(ctx); err != nil && ctx.Err() == nil {
		a.Log.Warn("the store is not prepared for reports; the first one tries again", "error", err)
	}
	return nil
}

// breath is how long background work lets the first requests go ahead. Workers that all begin at once each open a
// connection to the database, and the answer that the server is ready would have to wait for one more.
const breath = 100 * time.Millisecond

func unhurried(g web.Group) web.Group {
	out := make(web.Group, len(g))
	for i, w := range g {
		out[i] = web.Worker{Name: w.Name, Run: func(ctx context.Context) error {
			t := time.NewTimer(breath)
			defer t.Stop()
			select {
			case <-ctx.Done():
			case <-t.C:
			}
			return w.Run(ctx)
		}}
	}
	return out
}

// settle sends what is left of traces.
func (a *App) settle() {
	if a.Tracer != nil {
		if err := a.Tracer.Close(context.Background()); err != nil {
			a.Log.Warn("traces are lost", "error", err)
		}
	}
}

// greet prints, in this order and little else: the address, the administrator, the authority, and how to sign in.
func (a *App) greet(out io.Writer, at net.Addr, certs *web.TLS, name string, admin *Admin) {
	url := a.baseURL(at, certs.Enabled())
	fmt.Fprintln(out, "Limen serves", url)
	password := "..."
	fmt.Fprintln(out, "Administrator", name)
	if admin != nil && admin.Password != "" {
		password = admin.Password
		fmt.Fprintln(out, "Password", password, "(shown this once)")
	}
	trust := ""
	if certs.Enabled() && a.Settings.TLS == "auto" {
		fmt.Fprintln(out, "CA certificate", certs.CAFile())
		trust = " --cacert " + certs.CAFile()
	}
	fmt.Fprintf(out, "Sign in: curl%s %s/Security/Login -H 'X-IDAP-NATIVE-CLIENT: true' --json '{\"user\":\"%s\",\"password\":\"%s\"}'\n",
		trust, url, name, password)
	if a.Tray != nil {
		fmt.Fprintf(out, "Outbox %s/dev/outbox\n", url)
	}
}

// adminName is the login name to greet with. It is found before the server listens: afterwards it would compete with the
// first requests for the one connection that is open.
func (a *App) adminName(ctx context.Context, made *Admin) string {
	if made != nil {
		return made.Name
	}
	return a.administrator(ctx)
}

// administrator is the login name of a system administrator of the only, or first, tenant.
func (a *App) administrator(ctx context.Context) string {
	name, _ := a.firstName()
	id, err := a.Index.Oldest(ctx)
	if err != nil || id == "" {
		return name
	}
	c := a.Shell(id)
	_ = c.Snapshot(ctx, func() error {
		members, err := a.Roles.Members(ctx, c, grant.All(), role.System, role.After{}, 1)
		if err == nil && len(members) > 0 {
			name = members[0].Name
		}
		return err
	})
	return name
}

// baseURL is where clients on this machine reach the server.
func (a *App) baseURL(at net.Addr, secure bool) string {
	host, port, err := net.SplitHostPort(at.String())
	if err != nil {
		return at.String()
	}
	if len(a.Settings.Hosts) > 0 {
		host = a.Settings.Hosts[0]
	} else if ip := net.ParseIP(host); ip == nil || ip.IsLoopback() || ip.IsUnspecified() {
		host = "localhost"
	}
	if secure {
		return "https://" + strings.TrimSuffix(net.JoinHostPort(host, port), ":443")
	}
	return "http://" + strings.TrimSuffix(net.JoinHostPort(host, port), ":80")
}

// port is the one that clients use, as far as the settings tell: behind a proxy that ends TLS it is 443.
func (a *App) port() int {
	if a.Settings.TLS == "off" && len(a.Settings.TrustedProxies) > 0 {
		return 443
	}
	_, p, err := net.SplitHostPort(a.Settings.Listen)
	if err != nil {
		return 443
	}
	n, err := strconv.Atoi(p)
	if err != nil {
		return 443
	}
	return n
}

// Handler serves the operations, and the pages for whoever runs the program.
func (a *App) Handler(ready *web.Ready) http.Handler {
	health := a.health(ready)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/healthz", "/readyz", "/metrics":
			health.ServeHTTP(w, r)
		default:
			a.Kernel.ServeHTTP(w, r)
		}
	})
}
