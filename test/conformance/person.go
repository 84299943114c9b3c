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
	"slices"
	"strings"
	"time"

	"golang.org/x/net/html"
)

// person is somebody with a browser that knows forms, links and cookies, and no script but the one of the suite's callback page.
type person struct {
	account
	world   *world // whose mail they read
	suite   string // scheme, host and port of the suite's front
	client  *http.Client
	trace   bool      // prints what it opens
	refuses bool      // gives clients nothing
	stays   bool      // does not agree to be signed out
	asked   time.Time // when they asked for a code by mail
	shown   page      // the last page of Limen's that was no redirect
	done    time.Time // when the last way ended
	back    bool      // it ended at the suite
}

func newPerson(who account, w *world, suite string) (*person, error) {
	jar, err := cookiejar.New(nil)
	return &person{account: who, world: w, suite: suite, client: &http.Client{
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
	kinds          map[string]string // of the fields, by their names
	buttons        []button
}

// button is one that sends a form, and itself with it.
type button struct{ name, value, text string }

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
			p.back = true
			return p.submit(ctx, got)
		}
		p.back = false
		if err := p.load(ctx, got); err != nil {
			return err
		}
		next, ok, err := p.next(ctx, got)
		if err != nil {
			return err
		}
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
func (p *person) next(ctx context.Context, got page) (form, bool, error) {
	root, err := html.Parse(bytes.NewReader(got.text))
	if err != nil {
		return form{}, false, nil //nolint:nilerr // no page
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
	if found != nil {
		if err := p.fill(ctx, found); !errors.Is(err, errForm) {
			return *found, true, err
		}
	}
	return form{method: http.MethodGet, action: onward}, onward != "", nil
}

var errForm = errors.New("a form that nobody would send")

// fill fills a form in as somebody does who wants to go on.
func (p *person) fill(ctx context.Context, f *form) error {
	u, err := url.Parse(f.action)
	if err != nil {
		return err
	}
	switch path := u.Path; {
	case strings.HasPrefix(f.action, p.suite+"/"): // form_post
	case path == "/login":
		f.fields.Set("user", p.name)
	case path == "/login/answer":
		return p.answer(ctx, f)
	case strings.HasPrefix(path, "/OAuth2/Confirm"):
		f.fields.Set("result", "1")
		if p.refuses {
			f.fields.Set("result", "0")
		}
	case strings.HasPrefix(path, "/OAuth2/EndSession") && !p.stays, path == "/login/account":
	case path == "/login/more": // more than a password is wanted; some have nothing to show, and go on without
		f.press("do", "without")
	default:
		return errForm
	}
	return nil
}

// answer answers what a sign-in asks: the password, or the code that was mailed.
func (p *person) answer(ctx context.Context, f *form) (err error) {
	switch text := password; {
	case f.kinds["answer"] == "password":
		f.fields.Set("answer", text)
	case f.kinds["answer"] != "":
		if text, err = p.world.code(ctx, p.mail, p.asked); err == nil {
			f.fields.Set("answer", text)
		}
	case f.press("do", "send") || f.way("@"): // by mail
		p.asked = time.Now()
	default:
		return errForm
	}
	return err
}

// read reads a form with what its fields hold.
func read(n *html.Node, at *url.URL) form {
	f := form{method: strings.ToUpper(attr(n, "method")), action: resolve(at, attr(n, "action")), fields: url.Values{}, kinds: map[string]string{}}
	for in := range n.Descendants() {
		switch name := attr(in, "name"); {
		case in.Type != html.ElementNode || name == "":
		case in.Data == "input" && attr(in, "type") != "checkbox":
			f.fields.Set(name, attr(in, "value"))
			f.kinds[name] = attr(in, "type")
		case in.Data == "button" && in.FirstChild != nil:
			f.buttons = append(f.buttons, button{name, attr(in, "value"), in.FirstChild.Data})
		}
	}
	return f
}

// press presses a button, where the form has it.
func (f *form) press(name, value string) bool {
	return f.push(func(b button) bool { return b.name == name && b.value == value })
}

// way presses the button that says something.
func (f *form) way(text string) bool {
	return f.push(func(b button) bool { return strings.Contains(b.text, text) })
}

func (f *form) push(which func(button) bool) bool {
	i := slices.IndexFunc(f.buttons, which)
	if i >= 0 {
		f.fields.Set(f.buttons[i].name, f.buttons[i].value)
	}
	return i >= 0
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
