package portal

import (
	"context"
	"slices"
	"strings"
	"time"

	core "limen/internal/core/portal"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// GetCredentialsProviderListForImport lists the browsers and password managers whose exports clients offer to read. All send
// rows of one form. apps.yaml n 204.
func (p Portal) GetCredentialsProviderListForImport(context.Context, *op.Call, op.None) ([]string, error) {
	return slices.Clone(core.Providers), nil
}

// Row is a row of a file of credentials, as a client has read it.
type Row struct {
	// Idx is the row's number, which the log does not follow: it counts from 1 in the order of the list.
	Idx int `json:"idx"`
	// Name is the application's name, required.
	Name string `json:"name"`
	// Username is the name in it.
	Username string `json:"username"`
	// Password is the password.
	Password string `json:"password"`
	// URL is the address of its page, required; without a scheme it means https.
	URL string `json:"url"`
	// Notes are notes.
	Notes string `json:"notes"`
	// IsValid is what the client's own check found; a row that is not valid fails.
	IsValid op.Opt[bool] `json:"isValid"`
	// SymmetricKey says that the row is encrypted; such a row fails.
	SymmetricKey string `json:"symmetricKey"`
	// IV says so, too.
	IV string `json:"iv"`
	// Duplicate is what the client's own check found; with skipIfAppExists such a row is skipped.
	Duplicate bool `json:"duplicate"`
	// TOTP is a seed of one-time codes: base32, or an otpauth address.
	TOTP string `json:"totp"`
	// Folder is the folder that the row was in; it becomes a tag.
	Folder string `json:"folder"`
}

// Credentials are a file to be imported.
type Credentials struct {
	// Provider is one of GetCredentialsProviderListForImport, or any other word; Other when absent.
	Provider string `json:"credentialProvider"`
	// FileName is the file's name of at most 200 bytes; required.
	FileName string `json:"credFileName"`
	// Rows are its rows, one to 700; required.
	Rows []Row `json:"credentialsData" rpc:"one"`
	// SkipIfAppExists skips rows for whose page and user name the caller has an application already, and those of the file that
	// come twice.
	SkipIfAppExists bool `json:"skipIfAppExists"`
	// SkipSharedFolders skips rows in folders whose name begins with Shared-, which is how LastPass calls those that it shares.
	SkipSharedFolders bool `json:"skipSharedFolders"`
}

const maxText = 200

// Check wants a name and rows.
func (f *Credentials) Check() error {
	if f.Provider = strings.TrimSpace(f.Provider); f.Provider == "" {
		f.Provider = "Other"
	}
	switch {
	case blank(f.FileName):
		return fault.Missing("credFileName")
	case len(f.FileName) > maxText || len(f.Provider) > maxText:
		return fault.Bad("credFileName", "may have %d bytes", maxText)
	case len(f.Rows) == 0:
		return fault.Missing("credentialsData")
	case len(f.Rows) > core.MaxRows:
		return fault.ErrTooLarge.At("credentialsData").Say("At most %d rows can be imported in one call.", core.MaxRows)
	}
	return nil
}

// ImportUserCredentials makes an application of the caller's own of each row, with its name and password sealed. It does so at
// once and in one transaction; a row that cannot be kept fails alone. GetRecentImportedAccountsFile tells how many were
// imported, skipped and failed, and DownloadImportAccountsLogFile which and why. A policy can forbid it
// (/Core/Security/CDS/Applications/AllowSelfService). Errors: portal.self_service, portal.too_many beyond 2,000 applications and
// secured items. apps.yaml n 208.
func (p Portal) ImportUserCredentials(ctx context.Context, c *op.Call, in Credentials) (op.None, error) {
	f := core.File{Name: in.FileName, Provider: in.Provider, SkipExisting: in.SkipIfAppExists, SkipShared: in.SkipSharedFolders}
	for _, r := range in.Rows {
		f.Rows = append(f.Rows, core.Row{
			Name: r.Name, Username: r.Username, Password: r.Password, URL: r.URL, Notes: r.Notes, TOTP: r.TOTP, Folder: r.Folder,
			Invalid: !r.IsValid.Or(true), Encrypted: r.SymmetricKey != "" || r.IV != "", Duplicate: r.Duplicate,
		})
	}
	_, err := p.Portal.Import(ctx, c, f)
	return op.None{}, err
}

// Recent says how many imports are wanted.
type Recent struct {
	// FileCount is how many at most, 1 to 20; required.
	FileCount op.Opt[int] `json:"fileCount"`
}

// Check wants it.
func (r *Recent) Check() error {
	n, ok := r.FileCount.Get()
	switch {
	case !ok:
		return fault.Missing("fileCount")
	case n < 1:
		return fault.Bad("fileCount", "must be 1 or more")
	}
	return nil
}

// ImportedFile is what became of an import.
type ImportedFile struct {
	FileKey            string   `json:"FileKey"`
	FileName           string   `json:"FileName"`
	CredentialProvider string   `json:"CredentialProvider"` // beyond the contract
	SuccessRecords     int64    `json:"SuccessRecords"`
	SkippedRecords     int64    `json:"SkippedRecords"`
	FailedRecords      int64    `json:"FailedRecords"`
	Status             string   `json:"Status"` // Completed
	Date               rpc.Time `json:"Date"`
}

// GetRecentImportedAccountsFile lists the caller's last imports, the newest first; 20 are remembered. apps.yaml n 205.
func (p Portal) GetRecentImportedAccountsFile(ctx context.Context, c *op.Call, in Recent) ([]ImportedFile, error) {
	all, err := p.Portal.Imports(ctx, c, in.FileCount.Or(0))
	out := make([]ImportedFile, 0, len(all))
	for _, i := range all {
		out = append(out, ImportedFile{i.ID, i.Name, i.Provider, i.Done, i.Skipped, i.Failed, "Completed", rpc.Time(time.UnixMilli(i.Created))})
	}
	return out, err
}

// FileRef names an import.
type FileRef struct {
	// FileKey is its key as GetRecentImportedAccountsFile gives it; required.
	FileKey string `json:"fileKey"`
}

// Check wants it.
func (f *FileRef) Check() error { return required("fileKey", f.FileKey) }

// DownloadImportAccountsLogFile gives the log of an import of the caller's: a line for each row with its number, name, outcome
// (Imported, Skipped, Failed) and reason, as CSV. It has no user names and no passwords. Errors: portal.not_found.
// apps.yaml n 202.
func (p Portal) DownloadImportAccountsLogFile(ctx context.Context, c *op.Call, in FileRef) (op.File, error) {
	name, log, err := p.Portal.ImportLog(ctx, c, in.FileKey)
	return op.File{Name: strings.TrimSuffix(name, ".csv") + "-log.csv", Type: "text/csv; charset=utf-8", Body: log, Download: true}, err
}
