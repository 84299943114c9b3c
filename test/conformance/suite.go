package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"
)

// suite is the conformance suite, by its REST interface.
type suite struct {
	at     string // where it listens, without TLS
	client *http.Client
}

// call sends a request and reads the JSON answer into out, unless that is nil.
func (s suite) call(ctx context.Context, method, path string, query url.Values, body []byte, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, s.at+path+"?"+query.Encode(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("X-Forwarded-Proto", "https") // it answers nobody who came without TLS
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	r, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(io.LimitReader(r.Body, 64<<20))
	if err != nil {
		return err
	}
	if r.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: status %d: %.400s", method, path, r.StatusCode, text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

// module is one test of a plan.
type module struct {
	Name    string         `json:"testModule"`
	Variant map[string]any `json:"variant"`
}

// plan makes a test plan.
func (s suite) plan(ctx context.Context, name string, variant map[string]string, config any) (id string, modules []module, err error) {
	query := url.Values{"planName": {name}}
	if len(variant) > 0 {
		text, err := json.Marshal(variant)
		if err != nil {
			return "", nil, err
		}
		query.Set("variant", string(text))
	}
	body, err := json.Marshal(config)
	if err != nil {
		return "", nil, err
	}
	var out struct {
		ID      string   `json:"id"`
		Modules []module `json:"modules"`
	}
	err = s.call(ctx, http.MethodPost, "/api/plan", query, body, &out)
	return out.ID, out.Modules, err
}

// begin begins a test of a plan.
func (s suite) begin(ctx context.Context, plan string, m module) (id string, err error) {
	query := url.Values{"plan": {plan}, "test": {m.Name}}
	if len(m.Variant) > 0 {
		text, err := json.Marshal(m.Variant)
		if err != nil {
			return "", err
		}
		query.Set("variant", string(text))
	}
	var out struct {
		ID string `json:"id"`
	}
	for range 10 {
		if err = s.call(ctx, http.MethodPost, "/api/runner", query, nil, &out); err == nil || !strings.Contains(err.Error(), "status 409") {
			break
		}
		time.Sleep(time.Second) // the test before it has been broken off, and is not gone yet
	}
	return out.ID, err
}

// state is how far a test is, and how it ended.
type state struct{ Status, Result string }

func (s suite) state(ctx context.Context, test string) (out state, err error) {
	return out, s.call(ctx, http.MethodGet, "/api/info/"+test, nil, nil, &out)
}

// due are the addresses that a test wants opened in a browser and that were not since.
func (s suite) due(ctx context.Context, test string) ([]string, error) {
	var out struct{ URLs []string }
	return out.URLs, s.call(ctx, http.MethodGet, "/api/runner/browser/"+test, nil, nil, &out)
}

// visited tells a test that an address is open.
func (s suite) visited(ctx context.Context, test, address string) error {
	return s.call(ctx, http.MethodPost, "/api/runner/browser/"+test+"/visit", url.Values{"url": {address}}, nil, nil)
}

// entry is a line of a test's log.
type entry struct {
	Source, Message, Result, Upload string
}

func (e *entry) UnmarshalJSON(text []byte) error {
	var in struct {
		Source  string          `json:"src"`
		Message json.RawMessage `json:"msg"`
		Result  string          `json:"result"`
		Upload  string          `json:"upload"`
	}
	if err := json.Unmarshal(text, &in); err != nil {
		return err
	}
	*e = entry{Source: in.Source, Result: in.Result, Upload: in.Upload}
	if json.Unmarshal(in.Message, &e.Message) != nil {
		e.Message = string(in.Message)
	}
	return nil
}

func (s suite) log(ctx context.Context, test string) (out []entry, err error) {
	return out, s.call(ctx, http.MethodGet, "/api/log/"+test, nil, nil, &out)
}

// show gives a test the picture that it wants people to look at; a data URL.
func (s suite) show(ctx context.Context, test, placeholder, picture string) error {
	return s.call(ctx, http.MethodPost, "/api/log/"+test+"/images/"+placeholder, nil, []byte(picture), nil)
}

// front serves the suite over TLS, as its redirect URIs want it; it trusts headers that say who came and how.
func front(at *url.URL, port string, cert tls.Certificate, certs bool) (*http.Server, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port)) //nolint:noctx // at the start
	if err != nil {
		return nil, err
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	if certs {
		config.ClientAuth = tls.RequestClientCert
	}
	s := &http.Server{
		ReadHeaderTimeout: 30 * time.Second,
		Handler: &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(at)
			p.Out.Host = p.In.Host
			p.SetXForwarded()
			p.Out.Header.Set("X-Forwarded-Port", port)
			p.Out.Header.Set("X-Ssl-Protocol", strings.Replace(tls.VersionName(p.In.TLS.Version), "TLS ", "TLSv", 1))
			p.Out.Header.Set("X-Ssl-Cipher", tls.CipherSuiteName(p.In.TLS.CipherSuite))
		}},
	}
	go func() { _ = s.Serve(tls.NewListener(l, config)) }()
	return s, nil
}
