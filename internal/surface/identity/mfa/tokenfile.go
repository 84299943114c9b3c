package mfa

import (
	"context"
	"fmt"
	"strings"
	"time"

	"limen/internal/core/audit"
	"limen/internal/core/factor/oath"
	"limen/internal/core/login"
	"limen/internal/core/session"
	"limen/internal/core/tokenfile"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/identity/page"
	"limen/internal/wire/rpc"
)

func (m MFA) files() []op.Op {
	return []op.Op{
		op.Prepared(op.Spec{
			Path: "/Oath/GetDataFromCsvFile", Allow: manage, Effect: op.Write, Audit: audit.TokenFile, Rate: op.Costly,
			MaxBody: int64(tokenfile.Limits.Bytes + 1<<20),
			Faults:  []*fault.Error{tokenfile.ErrFile, tokenfile.ErrColumn, tokenfile.ErrEmpty, fault.ErrMissing, fault.ErrInvalid},
		}, m.checkTokens, m.GetDataFromCsvFile),
		op.New(op.Spec{
			Path: "/Oath/SubmitUploadedFile", Allow: manage, Effect: op.Write, Audit: audit.JobStart, Rate: op.Costly,
			Faults: []*fault.Error{tokenfile.ErrUnknown, session.ErrStale, login.ErrForbidden, fault.ErrMissing, fault.ErrInvalid},
		}, m.SubmitUploadedFile),
		op.New(op.Spec{Path: "/Oath/GetImportProfileList", Allow: manage, Effect: op.Read}, m.GetImportProfileList),
	}
}

// TokenFile is a file of hardware tokens to be imported.
type TokenFile struct {
	// FileName is the file's name; that of the part when absent.
	FileName string `json:"FileName"`
	// Files is the one file part of the multipart request, under any name: CSV of at most 10,000 tokens and 4 MB.
	Files []op.Upload `json:"-" form:"*"`
}

// Check wants one file.
func (f *TokenFile) Check() error {
	switch {
	case len(f.Files) == 0 || len(f.Files[0].Body) == 0:
		return fault.Missing("file")
	case len(f.Files) > 1:
		return fault.Bad("file", "must be one file")
	}
	return nil
}

// checkedTokens is a file that was looked at, and what is kept of it when nothing is wrong with it.
type checkedTokens struct {
	file tokenfile.Checked
	kept tokenfile.Sealed
}

// maxFileName bounds what is kept of a file's name, in characters.
const maxFileName = 100

func (m MFA) checkTokens(ctx context.Context, c *op.Call, in TokenFile) (out checkedTokens, err error) {
	name := in.FileName
	if name == "" {
		name = in.Files[0].Name
	}
	name = strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, name), "")
	if r := []rune(name); len(r) > maxFileName {
		name = string(r[:maxFileName])
	}
	if out.file, err = m.Tokens.Check(ctx, c, name, in.Files[0].Body); err != nil || len(out.file.Bad) > 0 {
		return out, err
	}
	out.kept, err = m.Tokens.Prepare(ctx, c, out.file)
	return out, err
}

// TokenRow is a row of a file, without its secret.
type TokenRow struct {
	// Line is the line of the file in which it begins, from 1.
	Line int `json:"Line"`
	// UserPrincipalName is the login name of who gets the token.
	UserPrincipalName string `json:"UserPrincipalName"`
	// TokenIdentifier is the serial number of the token.
	TokenIdentifier string `json:"TokenIdentifier"`
	// AccountName is the account; empty: the login name.
	AccountName string `json:"AccountName"`
	// Issuer is who issued it; empty: the organization.
	Issuer string `json:"Issuer"`
	// Algorithm is SHA1, SHA256 or SHA512.
	Algorithm string `json:"Algorithm"`
	// Digits is how long a code is: 6 to 8.
	Digits int `json:"Digits"`
	// Type is TOTP for codes by time, HOTP for codes by count.
	Type string `json:"Type"`
	// Period is for how many seconds a code of a TOTP token is shown; 0 for HOTP.
	Period int `json:"Period"`
	// Counter is the count of the next code of an HOTP token; 0 for TOTP.
	Counter int64 `json:"Counter"`
}

// RowError is what is wrong with a cell of a file.
type RowError struct {
	// Line is the line of the file, from 1.
	Line int `json:"Line"`
	// Column is the name of the column.
	Column string `json:"Column"`
	// Message is the whole sentence, with both.
	Message string `json:"Message"`
}

// TokenPreview is what a file has in it.
type TokenPreview struct {
	// ReturnID is what SubmitUploadedFile takes as FileName, for an hour; null when there are errors, and then nothing is kept.
	ReturnID *string `json:"ReturnID"`
	// Count is how many tokens the file has.
	Count int `json:"Count"`
	// Rows are the first 15 of them.
	Rows []TokenRow `json:"Rows"`
	// Errors are the first 50 mistakes, by line.
	Errors []RowError `json:"Errors"`
	// ErrorCount is how many mistakes there are in all.
	ErrorCount int `json:"ErrorCount"`
}

// How much of a file an answer shows.
const (
	previewRows   = 15
	previewErrors = 50
)

// GetDataFromCsvFile checks a file of hardware tokens, keeps it sealed for an hour, and returns its first fifteen rows and the ReturnID
// by which SubmitUploadedFile imports it.
//
// The columns are User Principal Name and Secret Key (HEX), which are required, and Token Identifier, Account Name, Issuer, Algorithm
// (SHA1, SHA256, SHA512; absent: SHA1), Digits (6 to 8; absent: 6), Type (TOTP, HOTP; absent: TOTP), Period (15 to 300 seconds; absent:
// 30) and Counter. Their order and case do not matter. The file is CSV in UTF-8, UTF-16 or windows-1252, with commas, semicolons or tabs.
// A token identifier is one token's: a file in which it is twice, or is that of somebody else's token, has a mistake in it. So has one
// with users whom the caller does not administer.
//
// A file whose header is not right is refused. Mistakes in its rows are in Errors, by line and column; such a file is not kept.
// Secrets are never shown. mfa.yaml n 57.
func (m MFA) GetDataFromCsvFile(ctx context.Context, c *op.Call, _ TokenFile, f checkedTokens) (TokenPreview, error) {
	out := TokenPreview{Count: len(f.file.Tokens), ErrorCount: len(f.file.Bad), Rows: []TokenRow{}, Errors: []RowError{}}
	for _, t := range f.file.Tokens[:min(len(f.file.Tokens), previewRows)] {
		out.Rows = append(out.Rows, tokenRow(t))
	}
	for _, p := range f.file.Bad[:min(len(f.file.Bad), previewErrors)] {
		out.Errors = append(out.Errors, RowError{p.Line, p.Column, p.String()})
	}
	if len(f.file.Bad) > 0 {
		c.Event.Type = "" // nothing happened
		return out, nil
	}
	id := f.kept.Token()
	out.ReturnID = &id
	return out, m.Tokens.Keep(ctx, c, f.kept)
}

func tokenRow(t tokenfile.Token) TokenRow {
	s := t.Seed
	out := TokenRow{
		Line: t.Line, UserPrincipalName: t.User, TokenIdentifier: s.Serial, AccountName: s.Name, Issuer: s.Issuer, Algorithm: s.Algorithm,
		Digits: s.Digits, Type: timed, Period: s.Period,
	}
	if s.Counted {
		out.Type, out.Period, out.Counter = counted, 0, s.Counter
	}
	return out
}

// TokenSubmission has a file imported.
type TokenSubmission struct {
	// FileName is the ReturnID of GetDataFromCsvFile, required.
	FileName string `json:"FileName" also:"ReturnID"`
	// Email is the mail address that gets the report; absent: nobody.
	Email string `json:"Email" also:"AdminEmail"`
}

// Check wants a file.
func (s *TokenSubmission) Check() error {
	if err := required("FileName", s.FileName); err != nil {
		return err
	}
	if s.Email == "" {
		return nil
	}
	return user.CheckMail("Email", s.Email)
}

// SubmitUploadedFile starts the job that gives the tokens of a file to their people, and returns a sentence with the job's id.
//
// Only the uploader can submit a file, once, within an hour. Each token counts at once, in place of any authenticator that its owner
// had; of several rows for one person the last wins. The rights are those that the uploader has by then, as with AddOrUpdateProfile:
// rows that they do not cover are in the report. A file with a token for the uploader needs a recent proof of who they are.
// mfa.yaml n 65.
func (m MFA) SubmitUploadedFile(ctx context.Context, c *op.Call, in TokenSubmission) (string, error) {
	s, err := m.Tokens.Submit(ctx, c, strings.TrimSpace(in.FileName), in.Email)
	if err == nil && s.Own {
		err = m.own(ctx, c, c.User(), login.OwnOATH)
	}
	if err != nil {
		return "", err
	}
	tokens := "1 token"
	if s.Tokens != 1 {
		tokens = fmt.Sprint(s.Tokens, " tokens")
	}
	out := fmt.Sprintf("The import of %s from %s was scheduled as job %s.", tokens, s.File, s.Job)
	if in.Email != "" {
		out += fmt.Sprintf(" Its report goes to %s.", in.Email)
	}
	return out, nil
}

// ImportedPage asks for a page of imported tokens.
type ImportedPage struct {
	// Args is the page: PageNumber, PageSize (at most 1,000) and SortBy UserName or TokenIdentifier; otherwise they come in the order of
	// their import.
	Args page.Args `json:"Args"`
}

var importedColumns = []rpc.Column{
	{Name: "Uuid"}, {Name: "UserName"}, {Name: "UserUuid"}, {Name: "TokenIdentifier"}, {Name: "AccountName"}, {Name: "Issuer"}, {Name: "Type"},
	{Name: "Digits"}, {Name: "Algorithm"}, {Name: "Period"}, {Name: "Counter"}, {Name: "Imported"},
}

// GetImportProfileList lists the tokens that came from files and that people still have, of all whom the caller may administer.
// Secrets are never shown.
//
// Columns: Uuid (of the profile), UserName, UserUuid, TokenIdentifier, AccountName, Issuer, Type (TOTP, HOTP), Digits, Algorithm, Period
// (seconds; 0 for HOTP), Counter (of the next code; 0 for TOTP), Imported. mfa.yaml n 58.
func (m MFA) GetImportProfileList(ctx context.Context, c *op.Call, in ImportedPage) (rpc.Query, error) {
	p := oath.Page{Desc: in.Args.Desc(), Number: in.Args.Number(), Size: in.Args.Rows(oath.MaxPage)}
	switch strings.ToLower(strings.TrimSpace(in.Args.SortBy)) {
	case "username":
		p.Sort = oath.ByLogin
	case "tokenidentifier":
		p.Sort = oath.BySerial
	}
	rows, total, err := m.Profiles.Imported(ctx, c, c.Grant, p)
	out := rpc.Query{Columns: importedColumns, FullCount: int(total), Results: make([]rpc.Row, len(rows))}
	for i, r := range rows {
		s := shown(oath.Profile{Digits: r.Digits, Period: r.Period, LastStep: r.LastStep, Algorithm: r.Algorithm})
		out.Results[i] = rpc.Row{Row: []any{
			r.ID, r.Login, r.User, r.Serial, r.Name, r.Issuer, s.OathType, s.Digits, s.HmacAlgorithm, s.Period, s.Counter, time.UnixMilli(r.Imported),
		}}
	}
	return out, err
}
