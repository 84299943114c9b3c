package safe

import (
	"strings"

	"limen/internal/fault"
)

// Rights are rights in a safe.
type Rights uint64

// The rights. Those without a comment are kept for systems that ask for them: nothing here does.
const (
	UseAccounts             Rights = 1 << iota
	RetrieveAccounts               // read secrets
	ListAccounts                   // see which accounts there are
	AddAccounts                    // add accounts
	UpdateAccountContent           // set secrets
	UpdateAccountProperties        // change what is said of accounts
	InitiateCPMAccountManagementOperations
	SpecifyNextAccountContent
	RenameAccounts // change the names of accounts
	DeleteAccounts // delete accounts
	UnlockAccounts
	ManageSafe        // change the safe, delete it
	ManageSafeMembers // change who the members are
	BackupSafe
	ViewAuditLog
	ViewSafeMembers // see who the members are
	AccessWithoutConfirmation
	CreateFolders
	DeleteFolders
	MoveAccountsAndFolders // change the folders of accounts
	RequestsAuthorizationLevel1
	RequestsAuthorizationLevel2
	endOfRights
)

// Full is all rights.
const Full = endOfRights - 1

// administering is what administrators have without an entry: all but what brings secrets to light.
const administering = Full &^ (UseAccounts | RetrieveAccounts)

// Names are the names of all rights, in the order of their bits.
var Names = []string{
	"UseAccounts", "RetrieveAccounts", "ListAccounts", "AddAccounts", "UpdateAccountContent", "UpdateAccountProperties",
	"InitiateCPMAccountManagementOperations", "SpecifyNextAccountContent", "RenameAccounts", "DeleteAccounts", "UnlockAccounts", "ManageSafe",
	"ManageSafeMembers", "BackupSafe", "ViewAuditLog", "ViewSafeMembers", "AccessWithoutConfirmation", "CreateFolders", "DeleteFolders",
	"MoveAccountsAndFolders", "RequestsAuthorizationLevel1", "RequestsAuthorizationLevel2",
}

// ErrRight is for names that are no right's.
var ErrRight = fault.New(fault.Invalid, "safe.right", "There is no such right in safes.")

// Has says whether all of the rights are in r.
func (r Rights) Has(all Rights) bool { return r&all == all }

// List are the names of the rights in r.
func (r Rights) List() []string {
	out := []string{}
	for i, name := range Names {
		if r.Has(1 << i) {
			out = append(out, name)
		}
	}
	return out
}

// String is the names, parted by spaces.
func (r Rights) String() string { return strings.Join(r.List(), " ") }

// Parse reads names, whatever their case; ErrRight.
func Parse(names ...string) (out Rights, err error) {
next:
	for _, name := range names {
		for i, known := range Names {
			if strings.EqualFold(known, name) {
				out |= 1 << i
				continue next
			}
		}
		return 0, ErrRight.Say("%.60q is no right in safes.", name)
	}
	return out, nil
}
