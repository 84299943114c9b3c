package safe

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/number"
	"limen/internal/dbx"
	"limen/internal/fold"
)

// AddAccount puts an account into a safe, with a secret or without. It takes AddAccounts. Faults: ErrNotFound, ErrDenied, ErrAccountTwin, ErrCrowded,
// and those of Details.
func (s *Safes) AddAccount(ctx context.Context, c *call.Call, safeName string, d Details, secret *Secret) (Account, error) {
	if err := d.check(); err != nil {
		return Account{}, err
	}
	v, err := s.need(ctx, c, safeName, AddAccounts)
	if err != nil {
		return Account{}, err
	}
	n, err := holds.One(ctx, c.Tx, c.Tenant.ID, v.ID)
	if err == nil && n >= maxAccounts {
		err = ErrCrowded
	}
	if err != nil {
		return Account{}, err
	}
	ref, err := next(ctx, c, v.Safe)
	if err != nil {
		return Account{}, err
	}
	if secret == nil {
		secret = &Secret{Account: c.NewID()}
	}
	now := c.Now.UnixMilli()
	done, err := keep.Do(ctx, c.Tx, c.Tenant.ID, secret.Account, ref, v.ID, d.Name, fold.Key(d.Name), d.Description, d.Type, d.Folder, d.Written, d.Machines, d.Restricted,
		secret.sealed, now, now)
	if err == nil && done == 0 {
		err = ErrAccountTwin.At("name")
	}
	if err != nil {
		return Account{}, err
	}
	return s.altered(ctx, c, Account{}, secret.Account, secret.sealed != "")
}

// next gives the name of the next account in a safe, and counts the account.
func next(ctx context.Context, c *call.Call, of Safe) (string, error) {
	if err := number.Give(ctx, c, number.Safe, of.ID); err != nil {
		return "", err
	}
	if err := bump(ctx, c, of.ID, 1, 0); err != nil {
		return "", err
	}
	n, err := counted.One(ctx, c.Tx, c.Tenant.ID, of.ID)
	if err != nil {
		return "", err
	}
	in, err := number.Of(ctx, c, number.Safe, of.ID)
	return strconv.FormatInt(in, 10) + "_" + strconv.FormatInt(n, 10), err
}

// bump counts a change of what is in a safe.
func bump(ctx context.Context, c *call.Call, id string, added, retained int64) error {
	_, err := touch.Do(ctx, c.Tx, added, retained, retained, c.Now.UnixMilli(), c.Tenant.ID, id)
	return err
}

// altered reads an account again and keeps in the event what changed; of a secret only that it did.
func (s *Safes) altered(ctx context.Context, c *call.Call, was Account, id string, secret bool) (Account, error) {
	rows, err := accounts.Rows(ctx, c.Tx, dbx.Eq("id", id), nil, 1, c.Tenant.ID)
	if err != nil || len(rows) == 0 {
		return Account{}, errors.Join(err, ErrNoAccount)
	}
	is := rows[0]
	if e := c.Event; e != nil {
		saidOf(c, is)
		call.Changed(e, "Name", was.Name, is.Name)
		call.Changed(e, "Description", was.Description, is.Description)
		call.Changed(e, "Type", was.Type, is.Type)
		call.Changed(e, "Folder", was.Folder, is.Folder)
		call.Changed(e, "Properties", said(was.Details), said(is.Details))
		call.Changed(e, "RemoteMachines", was.Machines, is.Machines)
		call.Changed(e, "RestrictedToRemoteMachines", was.Restricted, is.Restricted)
		if secret {
			e.Set("Content", "set")
		}
	}
	return is, nil
}

// said are the properties in an event.
func said(d Details) string {
	var out []string
	for _, p := range d.Properties() {
		out = append(out, p.Key+"="+p.Value)
	}
	return strings.Join(out, ", ")
}

// held is Account of one that is to be changed, with what the caller may do with it. Nobody changes it meanwhile. fresh refuses another version
// than the one wanted.
func (s *Safes) held(ctx context.Context, c *call.Call, ref string, fresh func(Account) error) (Account, View, error) {
	a, err := s.Account(ctx, c, ref)
	if err != nil {
		return a, View{}, err
	}
	v, err := s.need(ctx, c, a.SafeName, ListAccounts)
	if err == nil {
		a, err = s.Account(ctx, c, ref) // what it is now
	}
	if errors.Is(err, ErrNotFound) {
		err = ErrNoAccount
	}
	if err != nil {
		return a, v, err
	}
	saidOf(c, a)
	return a, v, fresh(a)
}

// ChangeAccount makes of an account what edit makes of what is said of it, and gives it another secret where there is one. What changes takes
// its right: RenameAccounts, MoveAccountsAndFolders of the folder, UpdateAccountContent of the secret, else UpdateAccountProperties. Faults:
// ErrNoAccount, ErrDenied, ErrAccountTwin, those of Details and of edit.
func (s *Safes) ChangeAccount(ctx context.Context, c *call.Call, ref string, fresh func(Account) error, secret *Secret, edit func(Account) (Details, error)) (Account, error) {
	a, v, err := s.held(ctx, c, ref, fresh)
	if err != nil {
		return Account{}, err
	}
	d, err := edit(a)
	if err == nil {
		err = d.check()
	}
	if err != nil {
		return Account{}, err
	}
	if !v.Rights.Has(takes(a.Details, d, secret)) {
		return Account{}, ErrDenied
	}
	_, err = alter.Do(ctx, c.Tx, d.Name, fold.Key(d.Name), d.Description, d.Type, d.Folder, d.Written, d.Machines, d.Restricted, c.Now.UnixMilli(), c.Tenant.ID, a.ID)
	if errors.Is(err, dbx.ErrExists) {
		err = ErrAccountTwin.At("name")
	}
	if err == nil && secret != nil {
		if secret.Account != a.ID {
			return Account{}, ErrNoAccount
		}
		_, err = reseal.Do(ctx, c.Tx, secret.sealed, c.Tenant.ID, a.ID)
	}
	if err == nil && d.Name != a.Name {
		err = bump(ctx, c, a.Safe, 0, 0)
	}
	if err != nil {
		return Account{}, err
	}
	return s.altered(ctx, c, a, a.ID, secret != nil)
}

// takes are the rights that a change of an account takes.
func takes(was, is Details, secret *Secret) (out Rights) {
	if was.Name != is.Name {
		out |= RenameAccounts
	}
	if was.Folder != is.Folder {
		out |= MoveAccountsAndFolders
	}
	if secret != nil {
		out |= UpdateAccountContent
	}
	was.Name, was.Folder = is.Name, is.Folder
	if was != is {
		out |= UpdateAccountProperties
	}
	return out
}

// DeleteAccount removes an account with its secret, for good; the safe then stays for as long as it retains. It takes DeleteAccounts. Faults:
// ErrNoAccount, ErrDenied.
func (s *Safes) DeleteAccount(ctx context.Context, c *call.Call, ref string, fresh func(Account) error) error {
	a, v, err := s.held(ctx, c, ref, fresh)
	if err == nil && !v.Rights.Has(DeleteAccounts) {
		err = ErrDenied
	}
	if err != nil {
		return err
	}
	if e := c.Event; e != nil {
		call.Changed(e, "Name", a.Name, "")
	}
	if _, err := drop.Do(ctx, c.Tx, c.Tenant.ID, a.ID); err != nil {
		return err
	}
	retained := int64(0)
	if v.Retention > 0 {
		retained = c.Now.Add(time.Duration(v.Retention) * 24 * time.Hour).UnixMilli()
	}
	return bump(ctx, c, a.Safe, 0, retained)
}
