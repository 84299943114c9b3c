package op

import (
	"context"
	"io"
	"net/http"
	"time"

	"limen/internal/fault"
)

// Refusal is a failure that is an outcome: it commits what the operation wrote, such as a counter of wrong
// passwords, and the result goes to the client beside the fault.
type Refusal struct{ Fault *fault.Error }

// Refused ends an operation with a fault, keeping its writes and its result.
func Refused(f *fault.Error) error { return &Refusal{f} }

// Error is the fault's text.
func (r *Refusal) Error() string { return "refused: " + r.Fault.Error() }

// Unwrap gives the fault.
func (r *Refusal) Unwrap() error { return r.Fault }

// WithCookies is a result that sets cookies.
type WithCookies interface{ Cookies() []*http.Cookie }

// Finisher is a result with work left that needs no store, such as signing: it is done behind the transaction, so that nobody
// waits for it with the store's lock in hand. What Finish gives is answered.
type Finisher interface {
	Finish(ctx context.Context, c *Call) (any, error)
}

// WithStatus is a result with an HTTP status of its own; for codecs that have statuses.
type WithStatus interface{ Status() int }

// Raw is a result that is written as it is, past the codec's envelope.
type Raw interface {
	Write(w http.ResponseWriter, r *http.Request)
}

// File is a download.
type File struct {
	Name     string // offered to the person when Download is set
	Type     string // media type
	Body     []byte
	Download bool
	Modified time.Time
	MaxAge   int // seconds a browser may keep it privately; 0: not at all
}

// Redirect sends the browser on.
type Redirect struct {
	URL    string
	Code   int // 302 when 0
	Cookie []*http.Cookie
}

// Page is a rendered HTML page.
type Page struct {
	HTML   []byte
	Code   int // 200 when 0
	CSP    string
	Cookie []*http.Cookie
}

// Stream is a result that is produced while it is sent.
type Stream struct {
	Type string
	Name string
	Copy func(io.Writer) error
}

// JSON is a result written as JSON without the dialect's envelope.
type JSON struct {
	Code   int // 200 when 0
	Body   any
	Cookie []*http.Cookie
	MaxAge int // seconds anyone may keep it; 0: not at all
}

// Upload is a file part of a multipart request, held in memory within the operation's MaxBody.
type Upload struct {
	Name string // file name as the client gave it, base name only
	Type string // media type as the client gave it; never trusted
	Body []byte
}
