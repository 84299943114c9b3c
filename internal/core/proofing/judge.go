package proofing

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"limen/internal/call"
	"limen/internal/core/attribute"
	"limen/internal/core/audit"
	"limen/internal/core/inquiry"
	"limen/internal/fault"
)

// Names are the functions of the script: what to send, and what the answer means.
var Names = []string{"request", "verdict"}

// DefaultScript is the script where the tenant has none of its own.
const DefaultScript = `// What to send to the service. user.fields are the attributes as AttributeMapping names them.
function request(user) {
    return {json: user.fields};
}

// What the answer means: whether to approve, to send for review, or to deny.
function verdict(answer, user) {
    if (answer.status !== 200 || answer.json === null) {
        return {decision: "review", riskLevel: "Unknown"};
    }
    return {decision: answer.json.decision, riskScore: answer.json.riskScore, riskLevel: answer.json.riskLevel};
}
`

// wrapped is called in the place of verdict: it is behind the tenant's script, so that lines keep their numbers, and hands over what the script wants in
// the answer to the caller as well.
const wrapped = "__limen_verdict"

const behind = `
var __limen_response = {};
function addAttributeInResponse(name, value) { __limen_response[String(name)] = value; }
function ` + wrapped + `(answer, user) { var said = verdict(answer, user); return {said: said, response: __limen_response}; }
`

// Bounds of what a script says.
const (
	patience   = 8 * time.Second // for the script and the service together
	maxMessage = 300             // bytes
	maxDetails = 30
	maxName    = 100 // bytes of a detail's name
	maxValue   = 500 // bytes
	maxLink    = 1000
	maxAdded   = 20
)

// Decision is what is to become of somebody.
type Decision string

// The decisions.
const (
	Approve Decision = "approve"
	Review  Decision = "review" // somebody approves
	Deny    Decision = "deny"
)

// Verdict is what proofing has said of somebody.
type Verdict struct {
	Decision Decision
	Message  string // to whoever is refused; empty: ErrDenied's
	Provider string
	Score    string
	Level    Level
	Details  []Detail
	Link     string
	Checked  int64          // ms since 1970; 0: nobody was asked
	Added    map[string]any // to the answer, by the names of additional attributes

	version int64 // of the setup
}

// Denied is the fault for somebody who is refused, else nil.
func (v Verdict) Denied() error {
	switch {
	case v.Decision != Deny:
		return nil
	case v.Message != "":
		return ErrDenied.Say("%s", v.Message)
	}
	return ErrDenied
}

// Applicant is somebody who registers, as they were entered.
type Applicant struct {
	Name, Mail, Mobile, Display, Description, Office, Home string
	Attributes                                             map[string]any // additional ones
}

// values are the attributes by the names that AttributeMapping has for them.
func (a Applicant) values() map[string]any {
	return map[string]any{
		"Name": a.Name, "Mail": a.Mail, "MobileNumber": a.Mobile, "DisplayName": a.Display, "Description": a.Description, "OfficeNumber": a.Office, "HomeNumber": a.Home,
	}
}

// subject is somebody as the script sees them. What was entered is data below names of the program's own: none of it is taken for anything else.
type subject struct {
	Name       string         `json:"name"`
	Mail       string         `json:"mail"`
	Mobile     string         `json:"mobile"`
	Display    string         `json:"displayName"`
	Attributes map[string]any `json:"attributes"`
	Fields     map[string]any `json:"fields"`
	IP         string         `json:"ip"`
	Key        string         `json:"key"` // what stands for the service's key
}

// Judge says what is to become of somebody who registers. It must be called outside of transactions; Stands says later whether it still holds.
func (p *Proofings) Judge(ctx context.Context, c *call.Call, a Applicant) (Verdict, error) {
	var s Setup
	var columns []attribute.Column
	if err := c.Snapshot(ctx, func() (err error) {
		if s, err = p.Get(ctx, c); err == nil && s.Enabled {
			columns, err = p.Attributes.Schema(ctx, c)
		}
		return err
	}); err != nil {
		return Verdict{}, err
	}
	if !s.Enabled {
		return Verdict{Decision: s.unasked(), Level: Unknown, version: s.Version}, nil
	}
	v, err := p.ask(ctx, c, s, a, columns)
	if err != nil {
		if ctx.Err() != nil {
			return Verdict{}, context.Cause(ctx)
		}
		v = Verdict{Decision: Deny, Level: Unknown}
		if s.Failure == FailReview {
			v.Decision = Review
		}
		if err := p.tell(ctx, c, a, err); err != nil {
			return Verdict{}, err
		}
	}
	if v.Decision == Review && !s.Approval {
		v.Decision = Deny
	}
	v.Provider, v.Checked, v.version = s.Provider, c.Now.UnixMilli(), s.Version
	return v, nil
}

// unasked is what becomes of people where no script is asked.
func (s Setup) unasked() Decision {
	if s.Approval {
		return Review
	}
	return Approve
}

// Stands gives the setup by which a verdict was given. Fault: ErrChanged, where it is another one now.
func (p *Proofings) Stands(ctx context.Context, c *call.Call, v Verdict) (Setup, error) {
	s, err := p.Get(ctx, c)
	if err == nil && s.Version != v.version {
		err = ErrChanged
	}
	return s, err
}

func (p *Proofings) ask(ctx context.Context, c *call.Call, s Setup, a Applicant, columns []attribute.Column) (Verdict, error) {
	key, err := inquiry.Open(ctx, c, p.Ring, Purpose, s.Sealed)
	if err != nil {
		return Verdict{}, err
	}
	about := subject{
		Name: a.Name, Mail: a.Mail, Mobile: a.Mobile, Display: a.Display, Attributes: a.Attributes, Fields: map[string]any{}, IP: c.Client.IP.Unmap().String(), Key: rand.Text(),
	}
	own := a.values()
	for field, of := range s.Mapped() {
		v, has := own[of]
		if !has {
			v, has = a.Attributes[of]
		}
		if has {
			about.Fields[field] = v
		}
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	script, names := s.Text()+behind, []string{Names[0], wrapped}
	var said inquiry.Said
	if s.URL == "" {
		said, err = p.Asker.Call(limited, c, script, names, wrapped, nil, about)
	} else {
		said, err = p.Asker.Ask(limited, c, inquiry.Service{URL: s.URL, Header: s.Header, Key: key, Script: script, Names: names}, about, map[string]string{about.Key: key})
	}
	if err != nil {
		return Verdict{}, err
	}
	return read(said.Result, columns)
}

// word is what the function verdict returns.
type word struct {
	Decision Decision       `json:"decision"`
	Message  string         `json:"message"`
	Score    *float64       `json:"riskScore"`
	Level    string         `json:"riskLevel"`
	Details  map[string]any `json:"details"`
	Link     string         `json:"link"`
}

// read reads what a script said. What it should not have said makes it fail, which lets nobody in.
func read(raw json.RawMessage, columns []attribute.Column) (Verdict, error) {
	var in struct {
		Said     word           `json:"said"`
		Response map[string]any `json:"response"`
	}
	if json.Unmarshal(raw, &in) != nil || !slices.Contains([]Decision{Approve, Review, Deny}, in.Said.Decision) {
		return Verdict{}, inquiry.ErrScript.Say("The function verdict must return an object whose decision is approve, review or deny.")
	}
	w := in.Said
	out := Verdict{Decision: w.Decision, Message: line(w.Message, maxMessage), Level: Unknown, Added: in.Response}
	if w.Score != nil && !math.IsInf(*w.Score, 0) && !math.IsNaN(*w.Score) {
		out.Score = strconv.FormatFloat(*w.Score, 'g', -1, 64)
	}
	for _, l := range []Level{Low, Medium, High} {
		if strings.EqualFold(w.Level, string(l)) {
			out.Level = l
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.Details)) {
		if text, ok := plain(w.Details[name]); ok && len(out.Details) < maxDetails {
			out.Details = append(out.Details, Detail{line(name, maxName), line(text, maxValue)})
		}
	}
	if at, err := url.Parse(w.Link); err == nil && at.Scheme == "https" && at.Host != "" && at.User == nil && len(w.Link) <= maxLink {
		out.Link = w.Link
	}
	return out, added(in.Response, columns)
}

// added looks at what the script wants in the answer: values of additional attributes that the tenant has.
func added(all map[string]any, columns []attribute.Column) error {
	for name, v := range all {
		known := slices.ContainsFunc(columns, func(col attribute.Column) bool { return strings.EqualFold(col.Name, name) })
		text, ok := plain(v)
		if !known || !ok || len(text) > maxValue || len(all) > maxAdded {
			return inquiry.ErrScript.Say("addAttributeInResponse takes the names of additional attributes, %d of them at most, and texts, numbers and booleans.", maxAdded)
		}
	}
	return nil
}

// plain is a text, number or boolean as text.
func plain(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

// line is a text on one line, shortened.
func line(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}

// tell records that proofing failed: once a minute for each tenant, since strangers bring it about.
func (p *Proofings) tell(ctx context.Context, c *call.Call, a Applicant, err error) error {
	if f := fault.Of(err); f.Kind == fault.Internal && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if !p.reports.Due(c) {
		return nil
	}
	return p.Write(ctx, c.Tenant.ID, audit.ProofingFail, func(_ context.Context, w *call.Call) error {
		e := w.Event
		e.Outcome, e.Kind, e.Name, e.Login = "failed", "User", a.Name, a.Name
		e.Set("Exception", inquiry.Cause(err, nil))
		return nil
	})
}
