package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
	"time"
)

// Sizes of an import: some have passwords, so that there are batches of both sizes, some a role, and some exist already.
const (
	imported = 2500
	secrets  = 10 // of them have a password
	known    = 7  // of them exist before
	withRole = 3  // every third has a role
)

// killImports kills the program during imports: in the end everybody of each file is there once, wholly, and the report is right.
func killImports(ctx context.Context, p place, rounds int) (cut int, err error) {
	st, done, err := p.set(ctx)
	if err != nil {
		return 0, err
	}
	defer done()
	if err := st.ask(ctx, "/Roles/StoreRole", map[string]any{"Name": "Imported"}, nil); err != nil {
		return 0, err
	}
	for round := 1; round <= rounds; round++ {
		n, err := st.importRound(ctx, round)
		if err != nil {
			return cut, fmt.Errorf("import %d: %w\nserver's log:\n%s", round, err, st.server.Log(20))
		}
		cut += n
	}
	return cut, st.server.Stop()
}

func (st *stage) importRound(ctx context.Context, round int) (cut int, err error) {
	for i := range known {
		name := fmt.Sprintf("i%d-%d@%s", round, i*imported/known, st.suffix)
		if err := st.ask(ctx, "/CDirectoryService/CreateUser", map[string]any{"Name": name, "Mail": "old@example.com", "Description": "before"}, nil); err != nil {
			return 0, err
		}
	}
	if err := st.submit(ctx, round); err != nil {
		return 0, err
	}
	for blow := range 1 + round%2 {
		if err := st.strike(ctx, 700*time.Millisecond, round%10 == 0); err != nil {
			return cut, err
		}
		state := ""
		if err := st.db.QueryRowContext(ctx, st.job("state")).Scan(&state); err != nil {
			return cut, err
		}
		if state == "waiting" || state == "running" {
			cut++
		}
		fmt.Fprintf(st.out, "import %d, blow %d: the job is %s\n", round, blow+1, state)
	}
	if err := st.await(ctx, "the job", st.job("state"), "done"); err != nil {
		return cut, err
	}
	return cut, errors.Join(st.everybodyOnce(ctx, round), st.reported(ctx), verified(ctx, st.server))
}

// job asks for a column of the newest import.
func (st *stage) job(column string) string {
	return `SELECT ` + column + ` FROM job WHERE kind = 'users.import' ORDER BY created DESC, id DESC LIMIT 1`
}

// submit uploads a file and has it imported.
func (st *stage) submit(ctx context.Context, round int) error {
	var table strings.Builder
	table.WriteString("Login Name,Email Address,Password,Roles,Description\n")
	for i := range imported {
		password, role := "", ""
		if hasSecret(i) {
			password = "Correct-Horse-7-Battery"
		}
		if i%withRole == 0 {
			role = "Imported"
		}
		fmt.Fprintf(&table, "i%d-%d@%s,i@example.com,%s,%s,from the file\n", round, i, st.suffix, password, role)
	}
	return st.upload(ctx, table.String())
}

// upload has a table of people imported.
func (st *stage) upload(ctx context.Context, table string) error {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range map[string]string{"importType": "ImportBulkUser", "AdminEmail": "boss@example.com", "FileName": "people.csv"} {
		if err := form.WriteField(name, value); err != nil {
			return err
		}
	}
	file, err := form.CreateFormFile("Icon", "people.csv")
	if err == nil {
		_, err = file.Write([]byte(table))
	}
	if err = errors.Join(err, form.Close()); err != nil {
		return err
	}
	a, err := st.admin.Do(ctx, http.MethodPost, "/CDirectoryService/BulkImportUsers", http.Header{"Content-Type": {form.FormDataContentType()}}, body.Bytes())
	if err == nil && !a.Success {
		err = fmt.Errorf("the file was refused: %s", a.Body)
	}
	return err
}

func hasSecret(i int) bool { return i%(imported/secrets) == 1 }

// everybodyOnce wants everybody of a file to be there once, and nobody half.
func (st *stage) everybodyOnce(ctx context.Context, round int) error {
	type person struct {
		text               string
		made, secret, role int
	}
	there := map[string]person{}
	err := st.each(ctx, fmt.Sprintf(`SELECT u.name, u.description,
		(SELECT count(*) FROM event e WHERE e.tenant = u.tenant AND e.target = u.id AND e.type = 'Cloud.Core.UserCreate' AND e.outcome = 'success'),
		(SELECT count(*) FROM user_password p WHERE p.tenant = u.tenant AND p.user_id = u.id),
		(SELECT count(*) FROM role_member m JOIN role r ON r.tenant = m.tenant AND r.id = m.role AND r.name = 'Imported' WHERE m.tenant = u.tenant AND m.member = u.id)
		FROM users u WHERE u.name LIKE 'i%d-%%'`, round), func(scan func(...any) error) error {
		var name string
		var p person
		err := scan(&name, &p.text, &p.made, &p.secret, &p.role)
		if _, twice := there[name]; twice {
			err = fmt.Errorf("%s is there twice", name)
		}
		there[name] = p
		return err
	})
	if err != nil {
		return err
	}
	old := map[int]bool{}
	for i := range known {
		old[i*imported/known] = true
	}
	for i := range imported {
		want := person{text: "from the file", made: 1}
		if hasSecret(i) {
			want.secret = 1
		}
		if i%withRole == 0 {
			want.role = 1
		}
		if old[i] {
			want = person{text: "before", made: 1}
		}
		name := fmt.Sprintf("i%d-%d@%s", round, i, st.suffix)
		if got, ok := there[name]; !ok || got != want {
			err = errors.Join(err, fmt.Errorf("%s (there: %v) is %+v, want %+v", name, ok, got, want))
		}
	}
	if len(there) != imported {
		err = errors.Join(err, fmt.Errorf("%d people are there, and the file has %d", len(there), imported))
	}
	return err
}

// reported wants the job's result to say what happened, and one event and one mail of its end.
func (st *stage) reported(ctx context.Context) error {
	var result, id string
	if err := st.db.QueryRowContext(ctx, st.job("result")).Scan(&result); err != nil {
		return err
	}
	if err := st.db.QueryRowContext(ctx, st.job("id")).Scan(&id); err != nil {
		return err
	}
	want := fmt.Sprintf("%d of %d users created, %d existed already, 0 could not be created.", imported-known, imported, known)
	if first, _, _ := strings.Cut(result, "\n"); first != want {
		return fmt.Errorf("the report says %q, want %q", first, want)
	}
	if n := strings.Count(result, "exists already"); n != known {
		return fmt.Errorf("the report names %d who existed:\n%s", n, result)
	}
	var ends int
	err := st.db.QueryRowContext(ctx, `SELECT count(*) FROM event WHERE type = 'Cloud.Core.UserImport' AND target = '`+id+`'`).Scan(&ends)
	if err == nil && ends != 1 {
		err = fmt.Errorf("%d events tell of the import's end", ends)
	}
	return err
}
