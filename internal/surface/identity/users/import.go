package users

import (
	"context"
	"fmt"
	"strings"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/intake"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// Import is the operations on files of users.
type Import struct {
	Imports *intake.Imports
}

// maxUpload is the size of a request with a file in it, whose own size core/intake bounds.
var maxUpload = int64(intake.Limits.Bytes + 1<<20)

// Ops declares them.
func (i Import) Ops() []op.Op {
	checks := []*fault.Error{intake.ErrFile, intake.ErrMany, intake.ErrColumn, intake.ErrRows, intake.ErrEmpty, fault.ErrMissing, fault.ErrInvalid}
	starts := []*fault.Error{intake.ErrUnknown, fault.ErrMissing, fault.ErrInvalid}
	both := append(append([]*fault.Error(nil), checks...), intake.ErrUnknown)
	return []op.Op{
		op.Prepared(op.Spec{Path: "/CDirectoryService/GetUsersFromCsvFile", Allow: manage, Effect: op.Write, Audit: audit.UserImportFile,
			Rate: op.Costly, MaxBody: maxUpload, Faults: checks}, i.check, i.GetUsersFromCsvFile),
		op.New(op.Spec{Path: "/CDirectoryService/SubmitUploadedFile", Allow: manage, Effect: op.Write, Audit: audit.JobStart, Rate: op.Costly,
			Faults: starts}, i.SubmitUploadedFile),
		op.Prepared(op.Spec{Path: "/CDirectoryService/BulkImportUsers", Allow: manage, Effect: op.Write, Audit: audit.JobStart, Rate: op.Costly,
			MaxBody: maxUpload, Faults: both}, i.checkImport, i.BulkImportUsers),
		op.Prepared(op.Spec{Path: "/CDirectoryService/CreateUserBulk", Allow: manage, Effect: op.Write, Audit: audit.JobStart, Rate: op.Costly,
			MaxBody: maxUpload, Faults: both}, i.checkBulk, i.CreateUserBulk),
	}
}

// importUsers is the kind of import that there is.
const importUsers = "ImportBulkUser"

func checkType(s string) error {
	if s != "" && !strings.EqualFold(s, importUsers) {
		return fault.Bad("importType", "must be %s", importUsers)
	}
	return nil
}

func checkFile(field string, f op.Upload) error {
	if len(f.Body) == 0 {
		return fault.Missing(field)
	}
	return nil
}

func checkReceiver(field, mail string) error {
	if err := required(field, mail); err != nil {
		return err
	}
	return user.CheckMail(field, mail)
}

// UserFile is a file of users to be imported.
type UserFile struct {
	// ImportType is ImportBulkUser, also when absent.
	ImportType string `json:"importType"`
	// FileName is the file's name; that of the part when absent.
	FileName string `json:"FileName"`
	// Icon is the file part of the multipart request: CSV or an XLSX workbook, of at most 10,000 users and 10 MB.
	Icon op.Upload `json:"-" form:"Icon"`
}

// Check wants a file.
func (f *UserFile) Check() error {
	if err := checkType(f.ImportType); err != nil {
		return err
	}
	return checkFile("Icon", f.Icon)
}

// checked is a file that was accepted.
type checked struct {
	file intake.File
	kept intake.Sealed
}

func (i Import) check(ctx context.Context, c *op.Call, in UserFile) (checked, error) {
	name := in.FileName
	if name == "" {
		name = in.Icon.Name
	}
	return i.accept(ctx, c, intake.Source{Name: name, Content: in.Icon.Body})
}

func (i Import) accept(ctx context.Context, c *op.Call, from ...intake.Source) (out checked, err error) {
	if out.file, err = i.Imports.Check(ctx, c, from...); err != nil {
		return out, err
	}
	out.kept, err = i.Imports.Prepare(ctx, c, out.file)
	return out, err
}

// preview is how many rows an answer shows.
const preview = 100

// GetUsersFromCsvFile checks a file of users, keeps it for an hour, and returns its first hundred rows and the ReturnID by which
// SubmitUploadedFile imports it.
//
// The columns are those of the product's template: Login Name and Email Address are required, Display Name, Office Number, Home
// Number, Mobile Number, Description, Roles, Password, Require Password Change, Expiration Date and Password Never Expires are
// not, nor are Organization, Preferred Culture, Service User, In Everybody Role and System Administrator. Their order and case do
// not matter. The file is CSV in UTF-8, UTF-16 or windows-1252, with commas, semicolons or tabs, or an XLSX workbook, of which the first
// sheet that is not hidden counts; formulas are not evaluated, the values saved with them count. Workbooks of the old binary form
// (XLS) are refused with advice.
//
// A file with anything wrong in it is refused as a whole; the message names line, column and reason of the first fifty problems. Users
// who exist already are none: the column Remark says so, and they are left as they are. Passwords are not shown. users.yaml n 86.
func (i Import) GetUsersFromCsvFile(ctx context.Context, c *op.Call, _ UserFile, f checked) (rpc.Query, error) {
	if err := i.Imports.Keep(ctx, c, f.kept); err != nil {
		return rpc.Query{}, err
	}
	out := rpc.Query{FullCount: len(f.file.People), ReturnID: f.kept.Token(), Results: []rpc.Row{}}
	for _, name := range f.file.Columns() {
		out.Columns = append(out.Columns, rpc.Column{Name: name})
	}
	out.Columns = append(out.Columns, rpc.Column{Name: "Remark"})
	remarks := map[int]string{}
	for _, p := range f.file.Remarks {
		remarks[p.Line] = p.Why
	}
	for _, row := range f.file.Table.Rows[:min(len(f.file.Table.Rows), preview)] {
		values := make([]any, 0, len(row.Cells)+1)
		for n, cell := range row.Cells {
			if f.file.Secret(n) && cell != "" {
				cell = "********"
			}
			values = append(values, cell)
		}
		out.Results = append(out.Results, rpc.Row{Row: append(values, remarks[row.Line])})
	}
	return out, nil
}

// Submission has a file imported.
type Submission struct {
	// ImportType is ImportBulkUser, required.
	ImportType string `json:"importType"`
	// ReturnID is what GetUsersFromCsvFile returned, required.
	ReturnID string `json:"ReturnID"`
	// AdminEmail is the mail address that gets the report, required.
	AdminEmail string `json:"AdminEmail"`
	// SendEmailInvite sends the new users an invitation by mail.
	SendEmailInvite bool `json:"SendEmailInvite"`
	// SendSmsInvite sends those with a mobile number an invitation by text message.
	SendSmsInvite bool `json:"SendSmsInvite"`
}

// Check wants all but the invitations.
func (s *Submission) Check() error {
	return first(required("importType", s.ImportType), checkType(s.ImportType), required("ReturnID", s.ReturnID), checkReceiver("AdminEmail", s.AdminEmail))
}

// SubmitUploadedFile starts the job that creates the users of a file, and returns a sentence with the job's id.
//
// Only the uploader can submit a file, once, within an hour. The users are created as by CreateUser, with the rights that the uploader
// has by then; those who exist are left as they are. Whoever cannot be created is in the report that AdminEmail gets. Cancelling the
// job leaves what was created. users.yaml n 87.
func (i Import) SubmitUploadedFile(ctx context.Context, c *op.Call, in Submission) (string, error) {
	return i.submit(ctx, c, in.ReturnID, intake.Wish{Mail: in.AdminEmail, ByMail: in.SendEmailInvite, BySMS: in.SendSmsInvite})
}

func (i Import) submit(ctx context.Context, c *op.Call, token string, w intake.Wish) (string, error) {
	s, err := i.Imports.Submit(ctx, c, token, w)
	if err != nil {
		return "", err
	}
	people := "1 user"
	if s.People != 1 {
		people = fmt.Sprint(s.People, " users")
	}
	return fmt.Sprintf("The import of %s from %s was scheduled as job %s. Its report goes to %s.", people, s.File, s.Job, w.Mail), nil
}

// FileImport is a file of users with all that its import needs.
type FileImport struct {
	// ImportType is ImportBulkUser, also when absent.
	ImportType string `json:"importType"`
	// FileName is the file's name; that of the part when absent.
	FileName string `json:"FileName"`
	// Icon is the file part of the multipart request, as in GetUsersFromCsvFile.
	Icon op.Upload `json:"-" form:"Icon"`
	// AdminEmail is the mail address that gets the report, required.
	AdminEmail string `json:"AdminEmail"`
	// SendEmailInvite sends the new users an invitation by mail.
	SendEmailInvite bool `json:"SendEmailInvite"`
	// SendSmsInvite sends those with a mobile number an invitation by text message.
	SendSmsInvite bool `json:"SendSmsInvite"`
}

// Check wants a file and who gets the report.
func (f *FileImport) Check() error {
	return first(checkType(f.ImportType), checkFile("Icon", f.Icon), checkReceiver("AdminEmail", f.AdminEmail))
}

func (i Import) checkImport(ctx context.Context, c *op.Call, in FileImport) (checked, error) {
	return i.check(ctx, c, UserFile{FileName: in.FileName, Icon: in.Icon})
}

// BulkImportUsers checks a file of users and starts the job that creates them: GetUsersFromCsvFile and SubmitUploadedFile in one.
// users.yaml n 85.
func (i Import) BulkImportUsers(ctx context.Context, c *op.Call, in FileImport, f checked) (string, error) {
	return i.both(ctx, c, f, intake.Wish{Mail: in.AdminEmail, ByMail: in.SendEmailInvite, BySMS: in.SendSmsInvite})
}

func (i Import) both(ctx context.Context, c *op.Call, f checked, w intake.Wish) (string, error) {
	if err := i.Imports.Keep(ctx, c, f.kept); err != nil {
		return "", err
	}
	return i.submit(ctx, c, f.kept.Token(), w)
}

// UserBulk is one or more files of users with all that their import needs.
type UserBulk struct {
	// Files are the file parts of the multipart request, under any names, each as in GetUsersFromCsvFile; up to 20, which together have
	// at most 10,000 users and 10 MB.
	Files []op.Upload `json:"-" form:"*"`
	// Email is the mail address that gets the report, required.
	Email string `json:"email" also:"AdminEmail"`
	// SendEmailInvite sends the new users an invitation by mail.
	SendEmailInvite bool `json:"SendEmailInvite"`
	// SendSmsInvite sends those with a mobile number an invitation by text message.
	SendSmsInvite bool `json:"SendSmsInvite"`
}

// Check wants a file and who gets the report.
func (b *UserBulk) Check() error {
	if len(b.Files) == 0 {
		return fault.Missing("files")
	}
	for _, f := range b.Files {
		if err := checkFile("files", f); err != nil {
			return err
		}
	}
	return checkReceiver("email", b.Email)
}

func (i Import) checkBulk(ctx context.Context, c *op.Call, in UserBulk) (checked, error) {
	from := make([]intake.Source, len(in.Files))
	for n, f := range in.Files {
		from[n] = intake.Source{Name: f.Name, Content: f.Body}
	}
	return i.accept(ctx, c, from...)
}

// CreateUserBulk checks files of users, as GetUsersFromCsvFile does, and starts one job that creates the users of all. A mistake in one
// file refuses all of them; each problem names its file when there are several. users.yaml n 80.
func (i Import) CreateUserBulk(ctx context.Context, c *op.Call, in UserBulk, f checked) (string, error) {
	return i.both(ctx, c, f, intake.Wish{Mail: in.Email, ByMail: in.SendEmailInvite, BySMS: in.SendSmsInvite})
}

// first is the first error that is one.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Invite sends somebody the invitations that are asked for, for work that takes longer than a request.
func (u Users) Invite(ctx context.Context, c *call.Call, p user.User, mail, sms bool) error {
	return u.invite(ctx, c, p, mail, sms)
}
