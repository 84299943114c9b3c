package app

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"unicode/utf8"

	"limen/internal/config"
	"limen/internal/fault"
	"limen/internal/surface/identity/applications"
)

// ScriptTrial tries a script of an application from the command line.
type ScriptTrial struct {
	Tenant string
	JSON   bool // print the answer as a program reads it

	App, User      string
	Kind           string // OpenIDConnectScript or PolicyScript
	File           string // with the script, "-" for In; empty: that of the application's record
	Client, Scopes string // as applications.ScriptTrial has them
}

// Faults of trying a script.
var (
	ErrScriptFile = fault.New(fault.Invalid, "try.file", "The file with the script cannot be read, or is no text of at most 65,536 bytes.")
	ErrNoGood     = fault.New(fault.Invalid, "try.failed", "The script failed. Nobody would get a token by it, or in.")
)

// maxScriptFile is one byte beyond what a record takes, so that more is seen.
const maxScriptFile = 64<<10 + 1

func (t ScriptTrial) text(in io.Reader) (string, error) {
	if t.File == "" {
		return "", nil
	}
	if t.File != "-" {
		f, err := os.Open(t.File)
		if err != nil {
			return "", ErrScriptFile.Because(err)
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxScriptFile))
	if err != nil || len(b) == maxScriptFile || len(b) == 0 || !utf8.Valid(b) {
		return "", ErrScriptFile.Because(err)
	}
	return string(b), nil
}

// try is "limen try". It fails where the script does, for who has a pipeline see to that.
func (c *Commands) try(ctx context.Context, s config.Settings, t ScriptTrial) error {
	text, err := t.text(c.In)
	if err != nil {
		return err
	}
	a, err := quiet(ctx, s)
	if err != nil {
		return err
	}
	defer a.Close()
	a.Quick.Command = self
	defer a.Quick.Close()
	out, err := a.ask(ctx, t.Tenant, "/SaasManage/TestApplicationScript", &applications.ScriptTrial{
		RowKey: t.App, User: t.User, Kind: t.Kind, Script: text, ClientID: t.Client, Scopes: t.Scopes,
	})
	if err != nil {
		return err
	}
	tried := out.(applications.ScriptTried)
	if t.JSON {
		err = printJSON(c.Out, tried)
	} else {
		err = tellTried(c.Out, tried)
	}
	if err == nil && tried.Error != nil {
		err = ErrNoGood
	}
	return err
}

// tellTried prints what a script did: what it decided or set, what it said, and what it had read.
func tellTried(w io.Writer, t applications.ScriptTried) error {
	switch r := t.Ruling; {
	case t.Error != nil:
		fmt.Fprintln(w, "It failed:", *t.Error)
	case r != nil && r.Locked:
		fmt.Fprintln(w, "It lets nobody in:", cmp.Or(r.Reason, "without a reason"))
	case r != nil && r.RequiredLevel != 0:
		fmt.Fprintln(w, "It lets them in at level", r.RequiredLevel)
	case r != nil:
		fmt.Fprintln(w, "It lets them in, and leaves the level to the application's profile")
	case len(t.Claims) == 0:
		fmt.Fprintln(w, "It sets no claims")
	}
	for _, name := range slices.Sorted(maps.Keys(t.Claims)) {
		fmt.Fprintf(w, "  %s = %s\n", name, t.Claims[name])
	}
	for _, line := range t.Trace {
		fmt.Fprintf(w, "  trace: %s\n", line)
	}
	for _, name := range slices.Sorted(maps.Keys(t.Saw)) {
		v, err := json.Marshal(t.Saw[name])
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "  saw %s: %s\n", name, v)
	}
	return nil
}
