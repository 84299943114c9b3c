package login

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"limen/internal/core/audit"
	"limen/internal/core/captcha"
	"limen/internal/core/consent"
	"limen/internal/core/domain"
	"limen/internal/core/factor"
	"limen/internal/core/password"
	"limen/internal/core/proofing"
	"limen/internal/core/remind"
	"limen/internal/core/setting"
	"limen/internal/core/signup"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/web/login"
)

// SignUp are the pages on which strangers register, and on which people have their user name sent.
type SignUp struct {
	Signups   *signup.Signups
	Consents  *consent.Consents
	Reminders *remind.Reminders
	Settings  *setting.Store
}

// Paths of these pages.
const (
	signUpPath  = "/signup"
	confirmPath = "/signup/confirm"
	namesPath   = "/username"
)

// ErrMail is for those who enter what is no mail address.
var ErrMail = fault.New(fault.Invalid, "login.mail", "Enter your mail address.")

// ErrPerson is for those whose name is none.
var ErrPerson = fault.New(fault.Invalid, "login.person", "Your name cannot be taken as it is. Shorten it, and use letters.")

// Ops declares them.
func (s SignUp) Ops() []op.Op {
	page := func(path string, faults ...*fault.Error) op.Spec {
		return op.Spec{Method: http.MethodGet, Path: path, Allow: op.Anonymous, Effect: op.Read, Rate: op.Guess, Faults: faults}
	}
	form := func(path, event string, faults ...*fault.Error) op.Spec {
		return op.Spec{Path: path, Allow: op.Anonymous, Effect: op.Write, Audit: event, Rate: op.Guess, MaxBody: maxForm, Faults: append(faults, ErrElsewhere)}
	}
	return []op.Op{
		op.New(page(signUpPath, signup.ErrOff), s.AskSignUp),
		op.Prepared(form(signUpPath, audit.UserRegister, signup.ErrOff, signup.ErrWait, signup.ErrCaptcha, captcha.ErrWrong, captcha.ErrService, domain.ErrTaken, ErrMail,
			password.ErrPolicy, password.ErrWeak, password.ErrCommon, ErrPerson), s.choose, s.StartSignUp),
		op.New(page(confirmPath, signup.ErrOff), s.AskSignUpCode),
		op.Prepared(form(confirmPath, audit.UserCreate, signup.ErrCode, signup.ErrWait, signup.ErrFull, domain.ErrTaken, proofing.ErrDenied, proofing.ErrChanged,
			consent.ErrRequired), s.foresee, s.FinishSignUp),
		op.New(page(namesPath, remind.ErrOff), s.AskNames),
		op.New(form(namesPath, audit.NameAsked, remind.ErrOff, remind.ErrWait, ErrMail), s.SendNames),
	}
}

// AskSignUp shows the form on which strangers register, where the setting Signup.Allowed lets them. Where Signup.RequireCaptcha is set the browser does
// the work of a CAPTCHA while it is filled in; where the tenant uses a service for CAPTCHAs the form is closed, since it shows none of those.
func (s SignUp) AskSignUp(ctx context.Context, c *op.Call, _ op.None) (login.SignUp, error) {
	return s.form(ctx, c, login.SignUp{Step: "ask"})
}

func (s SignUp) form(ctx context.Context, c *op.Call, view login.SignUp) (login.SignUp, error) {
	answers, err := s.Signups.Allowed(ctx, c)
	if err != nil {
		return view, err
	}
	v, err := s.Settings.Get(ctx, c)
	if err != nil {
		return view, err
	}
	if answers && v.Captcha.Service != "" {
		return view, signup.ErrOff
	}
	p, err := s.Signups.Policy(ctx, c, cmp.Or(view.Mail, "x@x"))
	view.Work, view.Rules = answers, rules(p)
	return view, err
}

// SignUpForm is who registers.
type SignUpForm struct {
	// Mail is the mail address, required.
	Mail string `json:"mail"`
	// Given is the given name.
	Given string `json:"given"`
	// Family is the family name.
	Family string `json:"family"`
	// Password is the password that they choose, required.
	Password string `json:"password"`
	// Captcha is the answer to a CAPTCHA, where there must be one.
	Captcha string `json:"captcha"`
}

func (in SignUpForm) wish() signup.Wish {
	return signup.Wish{Mail: strings.TrimSpace(in.Mail), Plain: in.Password, Given: strings.TrimSpace(in.Given), Family: strings.TrimSpace(in.Family), Captcha: in.Captcha}
}

// chosenOne is a choice, or what is wrong with what was entered.
type chosenOne struct {
	choice signup.Choice
	wrong  *fault.Error
}

// correctable says whether a person can put a fault right on the form.
func correctable(f *fault.Error) bool {
	return f.Kind == fault.Invalid || slices.ContainsFunc([]*fault.Error{signup.ErrCaptcha, captcha.ErrWrong, consent.ErrRequired, signup.ErrCode}, func(one *fault.Error) bool {
		return errors.Is(f, one)
	})
}

func (s SignUp) choose(ctx context.Context, c *op.Call, in SignUpForm) (out chosenOne, err error) {
	if !isMail(in.wish().Mail) {
		return chosenOne{wrong: ErrMail}, nil
	}
	out.choice, err = s.Signups.Prepare(ctx, c, in.wish())
	f := fault.Of(err)
	switch {
	case errors.Is(err, fault.ErrInvalid): // the address is none of it
		return chosenOne{wrong: ErrPerson}, nil
	case f != nil && correctable(f):
		return chosenOne{wrong: f}, nil
	}
	return out, err
}

// StartSignUp mails the code that confirms the address, and asks for it. The page is the same whether the address has an account or not; there is none until
// the code is entered.
func (s SignUp) StartSignUp(ctx context.Context, c *op.Call, in SignUpForm, ch chosenOne) (any, error) {
	if ch.wrong != nil {
		c.Event.Type = "" // nothing happened
		view, err := s.form(ctx, c, login.SignUp{Step: "ask", Mail: clipped(in.Mail), Given: clipped(in.Given), Family: clipped(in.Family)})
		if err != nil {
			return nil, err
		}
		view.Code, view.Reason, view.Field = ch.wrong.Code, ch.wrong.Public, fieldOf(ch.wrong)
		return shown{view: view}, op.Refused(ch.wrong)
	}
	browser, err := s.Signups.Register(ctx, c, ch.choice)
	if err != nil {
		return nil, err
	}
	return op.Redirect{URL: confirmPath, Code: http.StatusSeeOther, Cookie: []*http.Cookie{signup.Cookie(browser, c.Client.Secure)}}, nil
}

// isMail says whether a text is a mail address.
func isMail(s string) bool { return s != "" && user.CheckMail("mail", s) == nil }

// clipped is a text that is shown again.
func clipped(s string) string {
	if len(s) > maxName {
		return ""
	}
	return s
}

// fieldOf is the field of the form that a fault is about.
func fieldOf(f *fault.Error) string {
	switch {
	case errors.Is(f, ErrMail):
		return "mail"
	case errors.Is(f, password.ErrPolicy), errors.Is(f, password.ErrWeak), errors.Is(f, password.ErrCommon):
		return "password"
	}
	return ""
}

// CodeVisit opens the page that asks for the code.
type CodeVisit struct{ wants string }

// See reads which languages the browser wants.
func (v *CodeVisit) See(r *http.Request) { v.wants = wanted(r) }

// wanted is the language that a browser wants most; empty: it does not say.
func wanted(r *http.Request) string {
	tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil || len(tags) == 0 {
		return ""
	}
	return tags[0].String()
}

// AskSignUpCode asks for the code of the mail, and to agree to the tenant's terms where there are some.
func (s SignUp) AskSignUpCode(ctx context.Context, c *op.Call, in CodeVisit) (login.SignUp, error) {
	if _, err := s.Signups.Allowed(ctx, c); err != nil {
		return login.SignUp{}, err
	}
	return s.entry(ctx, c, in.wants, nil)
}

// entry is the form for the code; wrong is what was wrong with the one before.
func (s SignUp) entry(ctx context.Context, c *op.Call, wants string, wrong *fault.Error) (login.SignUp, error) {
	out := login.SignUp{Step: "code"}
	setup, d, ok, err := s.Consents.Current(ctx, c, wants)
	if ok {
		out.Terms = &login.Text{Version: d.Version, Language: d.Language, Address: setup.URL, Paragraphs: paragraphs(d.Body)}
	}
	if wrong != nil {
		out.Code, out.Reason = wrong.Code, wrong.Public
	}
	return out, err
}

// SignUpCode is the code of the mail.
type SignUpCode struct {
	// Code is as the mail has it, required.
	Code string `json:"code"`
	// Version is that of the terms to which the person agrees.
	Version string `json:"version"`
	// Language is that in which they were shown.
	Language string `json:"language"`
	// Agree is yes where they do.
	Agree string `json:"agree"`

	wants   string
	browser func(secure bool) string
}

// See keeps by what the browser is known that registered.
func (f *SignUpCode) See(r *http.Request) {
	f.wants, f.browser = wanted(r), func(secure bool) string { return signup.Browser(r, secure) }
}

func (f SignUpCode) code() string { return strings.TrimSpace(f.Code) }

func (s SignUp) foresee(ctx context.Context, c *op.Call, in SignUpCode) (signup.Foreseen, error) {
	return s.Signups.Foresee(ctx, c, in.code(), in.browser(c.Client.Secure))
}

// FinishSignUp makes the account of who enters the code, which works once, and says whether they can sign in or somebody has to approve them first. In another
// browser than the one that registered nothing of what was entered counts, and a mail brings a link for choosing a password.
func (s SignUp) FinishSignUp(ctx context.Context, c *op.Call, in SignUpCode, f signup.Foreseen) (any, error) {
	terms, err := s.Consents.Get(ctx, c)
	if err != nil {
		return nil, err
	}
	if terms.Enabled && (in.Agree != "yes" || in.Version != terms.Version) {
		c.Event.Type = "" // nothing happened
		return s.again(ctx, c, in, consent.ErrRequired)
	}
	made, err := s.Signups.Confirm(ctx, c, in.code(), in.browser(c.Client.Secure), f)
	switch {
	case errors.Is(err, signup.ErrCode): // counted
		return s.again(ctx, c, in, fault.Of(err))
	case errors.Is(err, proofing.ErrDenied): // used up
		return nil, op.Refused(fault.Of(err))
	case err != nil:
		return nil, err
	}
	if terms.Enabled {
		if err := s.Consents.Give(ctx, c, made.Person, consent.SignUp, factor.Terms{Version: in.Version, Language: in.Language}); err != nil {
			return nil, err
		}
	}
	e, u := c.Event, made.Person
	e.Target, e.Kind, e.Name, e.User, e.Login = u.ID, "User", u.Name, u.ID, u.Name
	e.Set("Signup", true)
	view := login.SignUp{Step: "done", Account: u.Name, Chosen: made.Chosen}
	if made.Waits {
		view.Step = "waits"
	}
	return view, nil
}

// again shows the form for the code again.
func (s SignUp) again(ctx context.Context, c *op.Call, in SignUpCode, wrong *fault.Error) (any, error) {
	view, err := s.entry(ctx, c, in.wants, wrong)
	if err != nil {
		return nil, err
	}
	return shown{view: view}, op.Refused(wrong)
}

// AskNames asks for the mail address to which the user names go, where the setting ForgotUsername.Allowed lets it.
func (s SignUp) AskNames(ctx context.Context, c *op.Call, _ op.None) (login.Names, error) {
	return login.Names{}, s.Reminders.Allowed(ctx, c)
}

// NamesForm names the address.
type NamesForm struct {
	// Mail is the mail address, required.
	Mail string `json:"mail"`
}

// SendNames mails the user names that belong to an address to it. The page is the same whether there are any.
func (s SignUp) SendNames(ctx context.Context, c *op.Call, in NamesForm) (any, error) {
	mail := strings.TrimSpace(in.Mail)
	if !isMail(mail) {
		c.Event.Type = "" // nothing happened
		return shown{view: login.Names{Code: ErrMail.Code, Reason: ErrMail.Public}}, op.Refused(ErrMail)
	}
	_, err := s.Reminders.Send(ctx, c, mail)
	return login.Names{Told: true}, err
}
