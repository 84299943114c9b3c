package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"

	"golang.org/x/net/html"
)

// person is somebody with a browser that knows forms, links and cookies, and no script but the one of the suite's callback page.
type person struct {
	name, password string
	suite          string // scheme, host and port of the suite's front
	client         *http.Client
	trace          bool      // prints what it opens
	refuses        bool      // gives clients nothing
	stays          bool      // does not agree to be signed out
	shown          page      // the last page of Limen's that was no redirect
	done           time.Time // when the last way ended
}

func newPerson(name, password, suite string) (*person, error) {
	jar, err := cookiejar.New(nil)
	return &person{name: name, password: password, suite: suite, client: &http.Client{
		Jar: jar, Timeout: time.Minute,
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, // both ends are this program's own
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, err
}

// page is what a browser shows.
type page struct {
	at     *url.URL
	status int
	text   []byte
	to     string // Location
}

// form is one that can be sent.
type form struct {
	action, method string
	fields         url.Values
}

func (p *person) ask(ctx context.Context, method, address string, fields url.Values, from *url.URL) (page, error) {
	u, err := url.Parse(address)
	if err != nil {
		return page{}, err
	}
	fragment := u.Fragment
	u.Fragment, u.RawFragment = "", ""
	req, err := http.NewRequestWithContext(ctx, method, u.String(), strings.NewReader(fields.Encode()))
	if err != nil {
		return page{}, err
	}
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if from != nil && from.Host == u.Host {
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		if method == http.MethodPost {
			req.Header.Set("Origin", from.Scheme+"://"+from.Host)
		}
	}
	r, err := p.client.Do(req)
	if err != nil {
		return page{}, err
	}
	defer r.Body.Close()
	u.Fragment = fragment
	out := page{at: u, status: r.StatusCode}
	if p.trace {
		fmt.Printf("  %s %s %d %s\n", method, u, r.StatusCode, r.Header.Get("Location"))
	}
	if out.text, err = io.ReadAll(io.LimitReader(r.Body, 4<<20)); err != nil {
		return out, err
	}
	if to := r.Header.Get("Location"); to != "" && r.StatusCode/100 == 3 {
		next, err := u.Parse(to)
		if err != nil {
			return out, err
		}
		out.to = next.String()
	}
	return out, nil
}

// steps bounds the pages of one way.
const steps = 40

// open opens an address and does whatever the pages ask for, until they ask for nothing more.
func (p *person) open(ctx context.Context, method, address string) (err error) {
	var fields url.Values
	if u, rest, ok := strings.Cut(address, "?"); ok && method == http.MethodPost {
		if fields, err = url.ParseQuery(rest); err != nil {
			return err
		}
		address = u
	}
	var from *url.URL
	for range steps {
		got, err := p.ask(ctx, method, address, fields, from)
		if err != nil {
			return err
		}
		ours := !strings.HasPrefix(address, p.suite+"/")
		method, fields, from = http.MethodGet, nil, got.at
		switch {
		case got.to != "":
			address = got.to
			continue
		case !ours:
			return p.submit(ctx, got)
		}
		if err := p.load(ctx, got); err != nil {
			return err
		}
		next, ok := p.next(got)
		if !ok || next.method == http.MethodPost && !strings.HasPrefix(next.action, p.suite+"/") { // not a page that only leads on
			p.shown = got
		}
		if !ok {
			if p.trace {
				fmt.Printf("  left at:\n%s\n", got.text)
			}
			return nil
		}
		method, address, fields = next.method, next.action, next.fields
	}
	return fmt.Errorf("no end after %d pages, at %s", steps, address)
}

var submitTo = regexp.MustCompile(`xhr\.open\('POST', "([^"]+)"`)

// submit does what the script of the suite's callback page does: it sends the fragment.
func (p *person) submit(ctx context.Context, got page) error {
	m := submitTo.FindSubmatch(got.text)
	if m == nil {
		return nil
	}
	to := strings.ReplaceAll(string(m[1]), `\/`, "/")
	fragment := ""
	if got.at.Fragment != "" {
		fragment = "#" + got.at.EscapedFragment()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewBufferString(fragment))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "text/plain")
	r, err := p.client.Do(req)
	if err != nil {
		return err
	}
	return r.Body.Close()
}

// load loads the frames of a page.
func (p *person) load(ctx context.Context, got page) error {
	root, err := html.Parse(bytes.NewReader(got.text))
	if err != nil {
		return nil //nolint:nilerr // no page with frames
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || n.Data != "iframe" {
			continue
		}
		if _, err := p.ask(ctx, http.MethodGet, resolve(got.at, attr(n, "src")), nil, got.at); err != nil {
			return err
		}
	}
	return nil
}

// next is what a page of Limen wants done.
func (p *person) next(got page) (form, bool) {
	root, err := html.Parse(bytes.NewReader(got.text))
	if err != nil {
		return form{}, false
	}
	var found *form
	var onward string
	for n := range root.Descendants() {
		switch {
		case n.Type != html.ElementNode:
		case n.Data == "form" && found == nil:
			f := read(n, got.at)
			found = &f
		case n.Data == "a" && attr(n, "class") == "main" && onward == "" && attr(n, "href") != "/login": // who has signed out stays so
			onward = resolve(got.at, attr(n, "href"))
		}
	}
	if found != nil && p.fill(found) == nil {
		return *found, true
	}
	return form{method: http.MethodGet, action: onward}, onward != ""
}

var errForm = errors.New("a form that nobody would send")

// fill fills a form in as somebody does who wants to go on.
func (p *person) fill(f *form) error {
	u, err := url.Parse(f.action)
	if err != nil {
		return err
	}
	switch path := u.Path; {
	case strings.HasPrefix(f.action, p.suite+"/"): // form_post
	case path == "/login":
		f.fields.Set("user", p.name)
	case path == "/login/answer" && f.fields.Has("answer"):
		f.fields.Set("answer", p.password)
	case strings.HasPrefix(path, "/OAuth2/Confirm/"):
		f.fields.Set("result", "1")
		if p.refuses {
			f.fields.Set("result", "0")
		}
	case strings.HasPrefix(path, "/OAuth2/EndSession/") && !p.stays, path == "/login/account":
	case path == "/login/more":
		f.fields.Set("do", "without")
	default:
		return errForm
	}
	return nil
}

// read reads a form with what its fields hold; buttons are left out.
func read(n *html.Node, at *url.URL) form {
	f := form{method: strings.ToUpper(attr(n, "method")), action: resolve(at, attr(n, "action")), fields: url.Values{}}
	for in := range n.Descendants() {
		if in.Type == html.ElementNode && in.Data == "input" && attr(in, "name") != "" && attr(in, "type") != "checkbox" {
			f.fields.Set(attr(in, "name"), attr(in, "value"))
		}
	}
	return f
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func resolve(at *url.URL, to string) string {
	u, err := at.Parse(to)
	if err != nil {
		return ""
	}
	return u.String()
}
