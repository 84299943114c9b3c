package mfa_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor/oath"
	"limen/internal/core/grant"
	"limen/internal/core/right"
	"limen/internal/core/session"
)

const (
	tokenHeader = "User Principal Name,Token Identifier,Secret Key (HEX),Account Name,Issuer,Algorithm,Digits,Type,Period,Counter\n"
	hexKey      = "3132333435363738393031323334353637383930"
	hexSeed     = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" // the same in base32
)

type preview struct {
	ReturnID *string
	Count    int
	Rows     []struct{ UserPrincipalName, TokenIdentifier, Type string }
	Errors   []struct {
		Line            int
		Column, Message string
	}
	ErrorCount int
}

// upload sends a file of tokens.
func (c client) upload(content string) (e envelope, p preview) {
	c.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("file", "tokens.csv")
	if err != nil {
		c.t.Fatal(err)
	}
	_, _ = part.Write([]byte(content))
	_ = w.Close()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.site.URL+"/Oath/GetDataFromCsvFile", &b)
	if err != nil {
		c.t.Fatal(err)
	}
	r.Host = c.site.Host
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Authorization", "Bearer "+c.token)
	res, err := c.site.HTTP.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&e); err != nil {
		c.t.Fatal(err)
	}
	if e.Success {
		if err := json.Unmarshal(e.Result, &p); err != nil {
			c.t.Fatal(err)
		}
	}
	return e, p
}

// imported has a file imported, and waits for the job's end.
func (c client) imported(content string) (report string) {
	c.t.Helper()
	_, p := c.upload(content)
	if p.ReturnID == nil {
		c.t.Fatal(p)
	}
	var said string
	c.must("/Oath/SubmitUploadedFile", object{"FileName": *p.ReturnID}, &said)
	id := strings.TrimSuffix(said[strings.LastIndexByte(said, ' ')+1:], ".")
	for range 200 {
		var state, result string
		c.site.Do(c.t, audit.Shell, func(ctx context.Context, k *call.Call) error {
			info, err := c.site.App.Jobs.Get(ctx, k, grant.All(), id)
			state, result = info.State, info.Result
			return err
		})
		if state == "done" || state == "failed" {
			return state + ": " + result
		}
		time.Sleep(50 * time.Millisecond)
	}
	c.t.Fatal("the job does not end")
	return ""
}

func profilesOf(t *testing.T, s *apptest.Site, userID string) (list []oath.Profile) {
	t.Helper()
	s.Do(t, audit.Shell, func(ctx context.Context, c *call.Call) (err error) {
		list, err = s.App.OATH.List(ctx, c, userID)
		return err
	})
	return list
}

// Tokens of a file are their people's, in place of what these had, and sign in.
func TestTokenImport(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		vars := codeApps(t, site)
		other := site.Person(t, "other")
		admin := client{t, site, site.TokenOf(t, "admin")}
		file := tokenHeader + site.Plain.Name + ",GT-1," + hexKey + ",Token,Acme,SHA512,7,TOTP,60,\n" +
			other.Name + ",GT-2," + hexKey + ",,,SHA1,8,HOTP,,5\n"
		if got := admin.imported(file); got != "done: 2 of 2 tokens imported." {
			t.Fatal(got)
		}
		list := profilesOf(t, site, site.Plain.ID)
		if len(list) != 1 || list[0].ID == vars["profile"] || list[0].Serial != "GT-1" || !list[0].Confirmed || strings.Contains(list[0].Secret, hexSeed) {
			t.Fatalf("%+v", list)
		}
		for _, x := range []struct {
			userID, algorithm string
			digits            int
			step              int64
		}{{site.Plain.ID, "SHA512", 7, time.Now().Unix() / 60}, {other.ID, "SHA1", 8, 5}} {
			code, err := oath.Code(hexSeed, x.algorithm, x.digits, x.step)
			if err != nil {
				t.Fatal(err)
			}
			admin.must("/Security/SubmitOathOtpCode", object{"otpCode": code, "userUuid": x.userID}, nil)
		}
		var rows struct{ FullCount int }
		admin.must("/Oath/GetImportProfileList", object{}, &rows)
		if rows.FullCount != 2 {
			t.Error(rows)
		}
		if _, p := admin.upload(tokenHeader + other.Name + ",gt-1," + hexKey + "\n"); p.ReturnID != nil || p.ErrorCount != 1 || p.Errors[0].Column != "Token Identifier" {
			t.Errorf("the token of somebody else: %+v", p)
		}
		again := tokenHeader + site.Plain.Name + ",GT-3," + hexKey + "\n" + site.Plain.Name + ",GT-1," + hexKey + "\n"
		if got := admin.imported(again); got != "done: 2 of 2 tokens imported." {
			t.Fatal(got)
		}
		if list := profilesOf(t, site, site.Plain.ID); len(list) != 1 || list[0].Serial != "GT-1" {
			t.Errorf("the last row does not win: %+v", list)
		}
	})
}

// A file is its uploader's, and is imported once.
func TestTokenFileIsSubmittedOnce(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		admin := client{t, site, site.TokenOf(t, "admin")}
		holder := client{t, site, site.TokenOf(t, "holder User Management")}
		_, p := admin.upload(tokenHeader + site.Plain.Name + ",GT-1," + hexKey + "\n")
		in := object{"FileName": *p.ReturnID}
		if e := holder.post("/Oath/SubmitUploadedFile", in); e.MessageID != "tokens.unknown" {
			t.Fatal("somebody else's file", e)
		}
		admin.must("/Oath/SubmitUploadedFile", in, nil)
		if e := admin.post("/Oath/SubmitUploadedFile", in); e.MessageID != "tokens.unknown" {
			t.Fatal("twice", e)
		}
	})
}

// Who may not change somebody's factors changes them by no file either.
func TestTokenImportStaysWithinRights(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		vars := codeApps(t, site)
		holder := client{t, site, site.TokenOf(t, "holder User Management")}
		got := holder.imported(tokenHeader + site.Admin.Name + ",GT-1," + hexKey + "\n" + site.Plain.Name + ",GT-2," + hexKey + "\n")
		if !strings.HasPrefix(got, "done: 1 of 2 tokens imported.\nLine 2: Only system administrators") {
			t.Error(got)
		}
		if list := profilesOf(t, site, site.Admin.ID); len(list) != 1 || list[0].ID != vars["adminProfile"] {
			t.Errorf("the administrator's authenticator was replaced: %+v", list)
		}
		home := site.Org(t, "Home", "")
		deputy := site.Person(t, "deputy")
		site.Settle(t, deputy.ID, home, site.RoleIn(t, "Deputies", home, right.UserManagement))
		inside := site.Person(t, "inside")
		site.Settle(t, inside.ID, home, "")
		within := client{t, site, site.SignedIn(t, deputy.ID)}
		e, p := within.upload(tokenHeader + inside.Name + ",GT-3," + hexKey + "\n" + site.Plain.Name + ",GT-4," + hexKey + "\nnobody@" + site.Suffix + ",GT-5," + hexKey + "\n")
		if !e.Success || p.ReturnID != nil || p.ErrorCount != 2 || p.Errors[0].Line != 3 || p.Errors[1].Line != 4 ||
			strings.TrimPrefix(p.Errors[0].Message, "Line 3") != strings.TrimPrefix(p.Errors[1].Message, "Line 4") {
			t.Errorf("whom they do not administer, and nobody, do not look alike: %+v %+v", e, p)
		}
		if got := within.imported(tokenHeader + inside.Name + ",GT-3," + hexKey + "\n"); got != "done: 1 of 1 tokens imported." {
			t.Error(got)
		}
		var rows struct{ FullCount int }
		within.must("/Oath/GetImportProfileList", object{}, &rows)
		if rows.FullCount != 1 {
			t.Errorf("%d tokens, of which one is of the organization", rows.FullCount)
		}
	})
}

// A stolen session enrols nothing for its owner, by whatever way: a proof must have been shown a short time ago.
func TestStolenSessionEnrolsNothing(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		site.TokenOf(t, "admin")
		stolen := client{t: t, site: site}
		site.Do(t, audit.Login, func(ctx context.Context, c *call.Call) (err error) {
			then := *c
			then.Now = c.Now.Add(-16 * time.Minute)
			stolen.token, _, err = site.App.Sessions.Create(ctx, &then, session.New{User: site.Admin.ID, Idle: time.Hour})
			return err
		})
		_, p := stolen.upload(tokenHeader + site.Plain.Name + ",GT-1," + hexKey + "\n" + strings.ToUpper(site.Admin.Name) + ",GT-2," + hexKey + "\n")
		if p.ReturnID == nil {
			t.Fatal(p)
		}
		for path, in := range map[string]object{
			"/Oath/SubmitUploadedFile":     {"FileName": *p.ReturnID},
			"/Oath/AddOrUpdateProfile":     {"UserProfile": object{"UserPrincipalName": site.Admin.Name, "SecretKey": hexKey}},
			"/Mobile/GetUserThirdPartyOtp": {},
			"/UserMgmt/SetPhonePin":        {"phonepin": "739164"},
		} {
			if e := stolen.post(path, in); e.Success || e.MessageID != "auth.stale" {
				t.Errorf("%s: %+v", path, e)
			}
		}
		if list := profilesOf(t, site, site.Admin.ID); len(list) != 0 {
			t.Errorf("%+v", list)
		}
	})
}

// Large files take their time in a job, and every token of them arrives.
func TestLargeTokenFile(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		admin := client{t, site, site.TokenOf(t, "admin")}
		var b strings.Builder
		b.WriteString(tokenHeader)
		for i := range 130 {
			fmt.Fprintf(&b, "%s,GT-%d,%s\n", site.Person(t, fmt.Sprint("p", i)).Name, i, hexKey)
		}
		if got := admin.imported(b.String()); got != "done: 130 of 130 tokens imported." {
			t.Error(got)
		}
		var rows struct {
			FullCount int
			Results   []struct{ Row json.RawMessage }
		}
		admin.must("/Oath/GetImportProfileList", object{"Args": object{"PageSize": 50, "PageNumber": 3, "SortBy": "UserName"}}, &rows)
		if rows.FullCount != 130 || len(rows.Results) != 30 {
			t.Error(rows.FullCount, len(rows.Results))
		}
	})
}
