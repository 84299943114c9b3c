package app

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/grant"
	"limen/internal/core/job"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// jobExport is the job that writes the members of a role to a file.
const jobExport = "role.export"

// roleExport is what that job is told.
type roleExport struct {
	Role   string `json:"role"`   // id
	Active bool   `json:"active"` // only people who can sign in
}

const (
	exportPage = 1000 // members read in one snapshot
	active     = "Active"
	everyone   = "All"
	plainCSV   = "CsvAsAttachmentFile"
)

// mayExport says whether somebody may read all members of all roles.
func mayExport(c *call.Caller) bool {
	return c != nil && (c.Held.Everywhere(right.RoleManagement) || c.Held.Everywhere(right.ReadRoles))
}

// orderExport lets those have it who manage or read the roles of the whole tenant. Arguments, as the contract names them: RoleName
// (or Role), id or name; MemberSet, All or Active; Format, CsvAsAttachmentFile.
func (a *App) orderExport(ctx context.Context, c *call.Call, args job.Args) (out job.Job, err error) {
	if !mayExport(c.Caller) {
		return out, job.ErrDenied
	}
	if err := args.Known("RoleName", "Role", "MemberSet", "Format"); err != nil {
		return out, err
	}
	name, err := args.Text("Role")
	if name == "" && err == nil {
		name, err = args.Need("RoleName")
	}
	if err != nil {
		return out, err
	}
	set, err := args.Choice("MemberSet", everyone, active)
	if err != nil {
		return out, err
	}
	if _, err := args.Choice("Format", plainCSV); err != nil {
		return out, err
	}
	r, err := a.Roles.Get(ctx, c, name)
	if err != nil {
		return out, err
	}
	if r.Kind == role.Open {
		return out, fault.Bad("RoleName", "must not be %s: everybody is listed by the operations on users", r.Name)
	}
	return job.Job{Unique: r.ID + "/" + c.User(), Payload: roleExport{r.ID, set == active}, Target: r.Name}, nil
}

// exportMembers is that job. Its report is CSV of the direct members of the role, by kind and id.
func (a *App) exportMembers(ctx context.Context, r *job.Run) error {
	var what roleExport
	if err := r.Payload(&what); err != nil {
		return err
	}
	var file bytes.Buffer
	w := csv.NewWriter(&file)
	_ = w.Write([]string{"Type", "Name", "Display Name", "Email Address", "State", "Member Until", "ID"}) // a Buffer takes all
	name, total := "", int64(0)
	for p := (roster{more: true}); p.more; {
		var err error
		if p, err = a.roster(ctx, r, what, p.last); err != nil {
			return err
		}
		_ = w.WriteAll(p.lines)
		if name, total = p.name, total+int64(len(p.lines)); file.Len() > job.MaxReport {
			return job.ErrReport
		}
		r.Progress(total, 0, fmt.Sprintf("%d members written", total))
	}
	if err := r.Report(ctx, "members-of-"+fileName(name)+".csv", file.Bytes()); err != nil {
		return err
	}
	r.Result(fmt.Sprintf("%d members of %s written.", total, name))
	return r.Do(ctx, "written", func(_ context.Context, c *call.Call) error {
		if r.Cursor() == "" {
			e := c.Record(audit.UserExport)
			e.Target, e.Kind, e.Name = what.Role, "Role", name
			e.Set("Members", total)
		}
		return nil
	})
}

// roster is a page of the members of a role.
type roster struct {
	name  string // of the role
	lines [][]string
	last  role.After
	more  bool
}

// roster reads the members behind one, as somebody who may still read them.
func (a *App) roster(ctx context.Context, r *job.Run, what roleExport, after role.After) (out roster, err error) {
	err = a.DB.Read(ctx, func(tx *dbx.Tx) error {
		c := a.Shell(r.Tenant)
		c.Tx = tx
		by, err := a.jobCaller(ctx, tx, r.Tenant, r.User)
		if err != nil {
			return err
		}
		if r.User != "" && !mayExport(by) {
			return job.ErrDenied
		}
		is, err := a.Roles.Get(ctx, c, what.Role)
		if err != nil {
			return err
		}
		members, err := a.Roles.Members(ctx, c, grant.All(), what.Role, after, exportPage)
		out = roster{name: is.Name, more: len(members) == exportPage}
		for i := 0; err == nil && i < len(members); i++ {
			var line []string
			line, err = a.memberLine(ctx, c, members[i], what.Active)
			out.last = role.After{Kind: members[i].Kind, ID: members[i].ID}
			if line != nil {
				out.lines = append(out.lines, line)
			}
		}
		return err
	})
	return out, err
}

// memberLine is a member as a row of the file; nil for a person who cannot sign in, when only those who can are asked for.
func (a *App) memberLine(ctx context.Context, c *call.Call, m role.MemberRow, only bool) ([]string, error) {
	display, mail, state, until := "", "", "", ""
	if m.Kind == role.User {
		u, err := a.People.ByID(ctx, c, m.ID)
		if errors.Is(err, user.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if display, mail, state = u.Display, u.Mail, u.State().String(); only && state != "None" {
			return nil, nil
		}
	}
	if m.Until != 0 {
		until = time.UnixMilli(m.Until).UTC().Format(time.RFC3339)
	}
	line := []string{m.Kind, m.Name, display, mail, state, until, m.ID}
	for i := range line {
		line[i] = inert(line[i])
	}
	return line, nil
}

// inert keeps a spreadsheet from taking text for a formula.
func inert(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// fileName makes of a name what every system takes for one of a file.
func fileName(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || strings.ContainsRune(`<>:"/\|?*'`, r) {
			return '_'
		}
		return r
	}, s)
}
