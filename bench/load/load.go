// Package load asks an HTTP server as fast as it answers, at little cost of its own: prepared bytes over kept-alive
// connections, and of each answer only the status, the length and the first bytes are looked at. Client and server share
// the processors of the machine, so what the client saves the server has.
package load

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Conn is a kept-alive connection for one goroutine.
type Conn struct {
	c    net.Conn
	in   *bufio.Reader
	body []byte

	to string // Location of the last answer

	// Cookies, when not nil, takes the cookies that answers set. Requests carry none by themselves.
	Cookies map[string]string
}

// Dial connects to HOST:PORT.
func Dial(ctx context.Context, addr string) (*Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &Conn{c: c, in: bufio.NewReaderSize(c, 16<<10)}, nil
}

// Close ends the connection.
func (c *Conn) Close() error { return c.c.Close() }

// Request makes the bytes of a POST of JSON; header is a line such as "Authorization: Bearer X", or empty.
func Request(host, path, header, body string) []byte {
	return AppendRequest(nil, host, path, header, body)
}

// AppendRequest is Request into a buffer that is used again.
func AppendRequest(b []byte, host, path, header, body string) []byte {
	b = append(append(append(b, "POST "...), path...), " HTTP/1.1\r\nHost: "...)
	b = append(append(b, host...), "\r\nContent-Type: application/json\r\nX-IDAP-NATIVE-CLIENT: true\r\n"...)
	if header != "" {
		b = append(append(b, header...), "\r\n"...)
	}
	b = append(b, "Content-Length: "...)
	b = strconv.AppendInt(b, int64(len(body)), 10)
	return append(append(b, "\r\n\r\n"...), body...)
}

// Form makes the bytes of a POST of a form.
func Form(host, path, body string) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", path, host, len(body), body)
}

// Get makes the bytes of a GET; header is as in Request.
func Get(host, path, header string) []byte {
	if header != "" {
		header += "\r\n"
	}
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", path, host, header)
}

// maxBody bounds an answer.
const maxBody = 64 << 20

// Do sends a request and gives the answer's status and body, which is good until the next call.
func (c *Conn) Do(request []byte) (status int, body []byte, err error) {
	if _, err := c.c.Write(request); err != nil {
		return 0, nil, err
	}
	line, err := c.line()
	if err != nil {
		return 0, nil, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, nil, fmt.Errorf("no HTTP answer: %q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, nil, err
	}
	length := -1
	c.to = ""
	for {
		if line, err = c.line(); err != nil {
			return 0, nil, err
		}
		if len(line) == 0 {
			break
		}
		if c.Cookies != nil {
			c.keep(line)
		}
		if v, ok := field(line, "Location:"); ok {
			c.to = string(v)
		}
		if v, ok := field(line, "Content-Length:"); ok {
			if length, err = strconv.Atoi(string(v)); err != nil {
				return 0, nil, err
			}
		}
	}
	if status == 204 { // which has no body, and says no length
		length = 0
	}
	if length < 0 || length > maxBody {
		return 0, nil, fmt.Errorf("an answer of %d bytes", length)
	}
	c.body = slices.Grow(c.body[:0], length)[:length]
	_, err = io.ReadFull(c.in, c.body)
	return status, c.body, err
}

func (c *Conn) line() ([]byte, error) {
	line, err := c.in.ReadSlice('\n')
	return bytes.TrimRight(line, "\r\n"), err
}

// field gives the value of a header line with that name.
func field(line []byte, name string) ([]byte, bool) {
	if len(line) < len(name) || !bytes.EqualFold(line[:len(name)], []byte(name)) {
		return nil, false
	}
	return bytes.TrimSpace(line[len(name):]), true
}

func (c *Conn) keep(line []byte) {
	if v, ok := field(line, "Set-Cookie:"); ok {
		pair, _, _ := bytes.Cut(v, []byte(";"))
		name, value, _ := bytes.Cut(pair, []byte("="))
		c.Cookies[string(name)] = string(value)
	}
}

var success = []byte(`"success":true`)

// Succeed sends a request and is an error unless the answer is an envelope of a success.
func (c *Conn) Succeed(request []byte) ([]byte, error) {
	status, body, err := c.Do(request)
	if err == nil && (status != 200 || !bytes.Contains(body[:min(len(body), 64)], success)) {
		err = fmt.Errorf("status %d: %s", status, body[:min(len(body), 500)])
	}
	return body, err
}

// OK sends a request and is an error unless the answer's status is 200.
func (c *Conn) OK(request []byte) ([]byte, error) {
	status, body, err := c.Do(request)
	if err == nil && status != 200 {
		err = fmt.Errorf("status %d: %s", status, body[:min(len(body), 500)])
	}
	return body, err
}

// Location sends a request and gives where its answer leads.
func (c *Conn) Location(request []byte) (status int, to string, err error) {
	status, _, err = c.Do(request)
	return status, c.to, err
}

// Sample is what was measured. Samples of one measure can be added.
type Sample struct {
	Calls int64
	Took  time.Duration
	CPU   time.Duration // processor time of this process: what a busy machine does not change
	Each  []time.Duration
}

// Rate is calls per second.
func (s Sample) Rate() float64 { return float64(s.Calls) / s.Took.Seconds() }

// PerCall is processor time per call.
func (s Sample) PerCall() time.Duration { return s.CPU / time.Duration(max(s.Calls, 1)) }

// Median is the middle of the calls' times.
func (s Sample) Median() time.Duration { return s.quantile(0.5) }

// Spread is how many medians the 99th percentile of the calls' times is; 0 when there are too few to tell.
func (s Sample) Spread() float64 {
	if len(s.Each) < 500 {
		return 0
	}
	return float64(s.quantile(0.99)) / float64(max(s.Median(), 1))
}

// quantile is the time within which that part of the calls was answered.
func (s Sample) quantile(q float64) time.Duration {
	if len(s.Each) == 0 {
		return 0
	}
	each := slices.Sorted(slices.Values(s.Each))
	return each[int(q*float64(len(each)))]
}

// Plus adds another sample of the same measure.
func (s Sample) Plus(o Sample) Sample {
	return Sample{s.Calls + o.Calls, s.Took + o.Took, s.CPU + o.CPU, append(s.Each, o.Each...)}
}

// Calls has callers call f for d and a bit: a call that has begun is waited for. The first error ends it.
func Calls(callers int, d time.Duration, f func(caller int) error) (Sample, error) {
	var (
		wg    sync.WaitGroup
		stop  atomic.Bool
		calls atomic.Int64
		each  = make([][]time.Duration, callers)
		once  sync.Once
		first error
	)
	timer := time.AfterFunc(d, func() { stop.Store(true) })
	defer timer.Stop()
	start, before := time.Now(), CPU()
	for i := range callers {
		wg.Go(func() {
			n := int64(0)
			defer func() { calls.Add(n) }()
			for n == 0 || !stop.Load() { // one at least, however slow
				at := time.Now()
				if err := f(i); err != nil {
					once.Do(func() { first = err })
					stop.Store(true)
					return
				}
				n++
				each[i] = append(each[i], time.Since(at))
			}
		})
	}
	wg.Wait()
	s := Sample{Calls: calls.Load(), Took: time.Since(start), CPU: CPU() - before, Each: slices.Concat(each...)}
	return s, first
}

// Ask is Calls with a connection for each caller.
func Ask(ctx context.Context, addr string, callers int, d time.Duration, f func(caller int, c *Conn) error) (Sample, error) {
	conns := make([]*Conn, callers)
	defer func() {
		for _, c := range conns {
			if c != nil {
				c.Close()
			}
		}
	}()
	for i := range conns {
		c, err := Dial(ctx, addr)
		if err != nil {
			return Sample{}, err
		}
		conns[i] = c
	}
	return Calls(callers, d, func(i int) error { return f(i, conns[i]) })
}

// CPU is the processor time that this process has used.
func CPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
