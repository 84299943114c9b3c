package portal

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// MaxRows is how many rows an import may have: it is one transaction.
const MaxRows = 700

// keptImports is how many of somebody's imports are remembered.
const keptImports = 20

// File is a file of credentials that a client has read.
type File struct {
	Name         string
	Provider     string
	Rows         []Row
	SkipExisting bool // rows whose page and user name are there already
	SkipShared   bool // rows in folders that LastPass shares
}

// Row is a row of a file.
type Row struct {
	Name, Username, Password, URL, Notes, TOTP, Folder string
	Invalid                                            bool // by the client's own check
	Encrypted                                          bool // for a key that is not here
	Duplicate                                          bool // by the client's own check
}

// Providers are those whose exports clients offer to read; they send rows of one form, so none of them is special here.
var Providers = []string{"1Password", "Bitwarden", "Chrome", "Dashlane", "Edge", "Firefox", "Keeper", "KeePass", "LastPass", "Safari", "Other"}

// Outcomes of a row.
const (
	imported = "Imported"
	skipped  = "Skipped"
	failed   = "Failed"
)

// Import makes applications of the caller's own of the rows of a file, in one transaction. A row that cannot be kept fails
// alone. What became of each row is kept as a log without secrets. Faults: ErrSelfService, ErrMany.
func (p *Portal) Import(ctx context.Context, c *call.Call, f File) (Import, error) {
	if err := p.selfService(ctx, c); err != nil {
		return Import{}, err
	}
	have, err := p.pages(ctx, c)
	if err != nil {
		return Import{}, err
	}
	out := Import{ID: c.NewID(), Name: f.Name, Provider: f.Provider, Created: c.Now.UnixMilli()}
	lines := [][]string{{"Row", "Name", "Outcome", "Reason"}}
	for n, row := range f.Rows {
		outcome, why, err := p.row(ctx, c, f, row, have)
		if err != nil {
			return Import{}, err
		}
		switch outcome {
		case imported:
			out.Done++
		case skipped:
			out.Skipped++
		default:
			out.Failed++
		}
		lines = append(lines, []string{strconv.Itoa(n + 1), cell(row.Name), outcome, why})
	}
	if err := p.room(ctx, c, c.User()); err != nil {
		return Import{}, err
	}
	if c.Event != nil {
		c.Event.Kind, c.Event.Target = "Import", out.ID
		c.Event.Set("Imported", out.Done)
		c.Event.Set("Skipped", out.Skipped)
		c.Event.Set("Failed", out.Failed)
	}
	return out, p.remember(ctx, c, out, lines)
}

// row makes an application of one row, or says why not. An error ends the import.
func (p *Portal) row(ctx context.Context, c *call.Call, f File, r Row, have map[string]bool) (outcome, why string, err error) {
	switch {
	case r.Encrypted:
		return failed, "The row is encrypted for a key that is not known here.", nil
	case r.Invalid:
		return failed, "The client found that the row is not valid.", nil
	case strings.TrimSpace(r.Name) == "":
		return failed, "There is no name.", nil
	case strings.TrimSpace(r.URL) == "":
		return failed, "There is no address.", nil
	case f.SkipShared && strings.HasPrefix(r.Folder, "Shared-"):
		return skipped, "The row is in a shared folder.", nil
	case f.SkipExisting && (r.Duplicate || have[page(r.URL, r.Username)]):
		return skipped, "There is an application for this page and user name.", nil
	}
	it, err := p.add(ctx, c, NewItem{
		Kind: App, Type: Imported, Name: r.Name, URL: r.URL, Secret: Secret{Username: r.Username, Password: r.Password, Notes: r.Notes, TOTP: r.TOTP},
	})
	if k := fault.Of(err); err != nil && k.Kind == fault.Invalid {
		return failed, k.Public, nil // nothing was written: add checks first
	}
	if err != nil {
		return failed, "", err
	}
	have[page(r.URL, r.Username)] = true
	return imported, "", p.folder(ctx, c, it, r.Folder)
}

// folder puts the name of a folder on an application as a tag, where it is one for a tag.
func (p *Portal) folder(ctx context.Context, c *call.Call, it Item, name string) error {
	if _, _, wrong := tagName("folder", name); wrong != nil {
		return nil //nolint:nilerr // the row is worth more than its folder
	}
	in := *c
	in.Event = nil // the import's is about the file
	return p.tag(ctx, &in, Target{ID: it.ID, Item: &it}, []string{name})
}

// pages are those for which the caller has an application, with the user names.
func (p *Portal) pages(ctx context.Context, c *call.Call) (map[string]bool, error) {
	all, err := items.All(ctx, c.Tx, c.Tenant.ID, c.User(), App)
	if err != nil {
		return nil, err
	}
	held, err := entriesOf(ctx, c, c.User())
	out := make(map[string]bool, len(all))
	for _, it := range all {
		s, err := p.open(ctx, c, c.User(), held[it.ID])
		if err != nil {
			return nil, err
		}
		out[page(it.URL, s.Username)] = true
	}
	return out, err
}

// page names the host of an address and the name that somebody has there.
func page(at, name string) string {
	if full, err := address(at); err == nil {
		if u, err := url.Parse(full); err == nil {
			at = strings.TrimPrefix(strings.ToLower(u.Host), "www.")
		}
	}
	return at + "\n" + fold.Key(name)
}

// cell is a text for a sheet of a spreadsheet, in which it is no formula.
func cell(s string) string {
	s = strings.ToValidUTF8(s, "")
	if len(s) > maxName {
		s = s[:maxName]
		for !utf8.ValidString(s) {
			s = s[:len(s)-1]
		}
	}
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		s = "'" + s
	}
	return s
}

func (p *Portal) remember(ctx context.Context, c *call.Call, im Import, lines [][]string) error {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.WriteAll(lines); err != nil {
		return err
	}
	log, err := p.Seal(ctx, c, b.Bytes(), bound(c.User(), im.ID))
	if err != nil {
		return err
	}
	_, err = putImport.Do(ctx, c.Tx, c.Tenant.ID, im.ID, c.User(), im.Name, im.Provider, im.Done, im.Skipped, im.Failed, log, im.Created)
	if err == nil {
		_, err = trimImports.Do(ctx, c.Tx, c.Tenant.ID, c.User(), c.Tenant.ID, c.User(), int64(keptImports))
	}
	return err
}

// Imports lists the caller's last imports, the newest first.
func (p *Portal) Imports(ctx context.Context, c *call.Call, n int) ([]Import, error) {
	return imports.All(ctx, c.Tx, c.Tenant.ID, c.User(), int64(min(max(n, 0), keptImports)))
}

// ImportLog gives the log of an import of the caller's, as CSV, and the name of the file. ErrNotFound.
func (p *Portal) ImportLog(ctx context.Context, c *call.Call, id string) (name string, log []byte, err error) {
	id = strings.ToLower(strings.TrimSpace(id))
	r, err := importLog.One(ctx, c.Tx, c.Tenant.ID, id, c.User())
	if errors.Is(err, dbx.ErrNoRow) {
		err = ErrNotFound
	}
	if err != nil {
		return "", nil, err
	}
	log, err = p.Open(ctx, c, r.Log, bound(c.User(), id))
	return r.Name, log, err
}
