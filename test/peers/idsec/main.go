// Command idsec signs in with idsec-sdk-golang and manages users with its service. It is a module of its own: see
// test/peers/run.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/cyberark/idsec-sdk-golang/pkg/auth"
	"github.com/cyberark/idsec-sdk-golang/pkg/auth/identity"
	"github.com/cyberark/idsec-sdk-golang/pkg/common"
	authmodels "github.com/cyberark/idsec-sdk-golang/pkg/models/auth"
	"github.com/cyberark/idsec-sdk-golang/pkg/services/identity/users"
	models "github.com/cyberark/idsec-sdk-golang/pkg/services/identity/users/models"
)

const secret = "Correct-Horse-7-Battery"

var failed bool

// try prints what came of one thing.
func try(what string, f func() (string, error)) {
	got, err := f()
	if err != nil {
		failed = true
		fmt.Printf("  FAILED  %s: %v\n", what, err)
		return
	}
	if got != "" {
		got = ": " + got
	}
	fmt.Printf("  ok      %s%s\n", what, got)
}

func main() {
	url, admin, password := os.Getenv("LIMEN_URL"), os.Getenv("LIMEN_ADMIN"), os.Getenv("LIMEN_PASSWORD")
	try("AuthIdentity with a password", func() (string, error) {
		ai, err := identity.NewIdsecIdentity(admin, password, url, "", "", common.GlobalLogger, false, false, nil)
		if err != nil {
			return "", err
		}
		if err := ai.AuthIdentity(nil, false, true); err != nil {
			return "", err
		}
		d := ai.SessionDetails()
		return fmt.Sprintf("%s, token for %d s", d.Summary, d.TokenLifetime), nil
	})
	try("a wrong password is refused", func() (string, error) {
		ai, err := identity.NewIdsecIdentity(admin, "not-"+password, url, "", "", common.GlobalLogger, false, false, nil)
		if err != nil {
			return "", err
		}
		if ai.AuthIdentity(nil, false, true) == nil {
			return "", errors.New("it signed in")
		}
		return "", nil
	})
	try("IsPasswordRequired", func() (string, error) {
		if !identity.IsPasswordRequired(admin, url, "") {
			return "", errors.New("it says no")
		}
		return "", nil
	})
	service := signIn(url, admin, password)
	if service != nil {
		manage(service)
	}
	if failed {
		os.Exit(1)
	}
}

func signIn(url, admin, password string) (service *users.IdsecIdentityUsersService) {
	try("IdsecISPAuth and the users service with its token", func() (string, error) {
		isp := auth.NewIdsecISPAuth(false)
		_, err := isp.Authenticate(nil, &authmodels.IdsecAuthProfile{
			Username: admin, AuthMethod: authmodels.Identity,
			AuthMethodSettings: &authmodels.IdentityIdsecAuthMethodSettings{IdentityURL: url},
		}, &authmodels.IdsecSecret{Secret: password}, true, false)
		if err != nil {
			return "", err
		}
		if service, err = users.NewIdsecIdentityUsersService(isp); err != nil {
			return "", err
		}
		return "base " + service.ISPClient().BaseURL, nil
	})
	return service
}

func manage(service *users.IdsecIdentityUsersService) {
	var id string
	try("Create", func() (string, error) {
		u, err := service.Create(&models.IdsecIdentityCreateUser{Username: "idsec.user@limen", Email: "idsec@example.com", MobileNumber: "+14155550172", Password: secret})
		if err != nil {
			return "", err
		}
		id = u.UserID
		return fmt.Sprintf("%s, %s, state %s, Everybody %v", u.UserID, u.DisplayName, u.State, *u.InEverybodyRole), nil
	})
	if id == "" { // it reads the user back with operations that may not be served; the user is there all the same
		id = "idsec.user@limen"
	}
	try("List", func() (string, error) {
		pages, err := service.List()
		if err != nil {
			return "", err
		}
		n := 0
		for page := range pages {
			n += len(page.Items)
		}
		if n != 2 {
			return "", fmt.Errorf("%d users, want 2", n)
		}
		return fmt.Sprint(n, " users"), nil
	})
	try("ListBy a part of the name", func() (string, error) {
		pages, err := service.ListBy(&models.IdsecIdentityUserFilters{Search: "idsec"})
		if err != nil {
			return "", err
		}
		n := 0
		for page := range pages {
			n += len(page.Items)
		}
		if n != 1 {
			return "", fmt.Errorf("%d users, want 1", n)
		}
		return "", nil
	})
	try("Get", func() (string, error) {
		u, err := service.Get(&models.IdsecIdentityGetUser{Username: "IDSEC.user@limen"})
		if err != nil {
			return "", err
		}
		return u.Username, nil
	})
	try("Update", func() (string, error) {
		u, err := service.Update(&models.IdsecIdentityUpdateUser{UserID: id, DisplayName: "Changed", State: "Locked"})
		if err != nil {
			return "", err
		}
		return u.DisplayName + ", " + u.State, nil
	})
	try("ResetPassword", func() (string, error) {
		return "", service.ResetPassword(&models.IdsecIdentityResetUserPassword{Username: "idsec.user@limen", NewPassword: "Another-one-77-please"})
	})
	try("Delete", func() (string, error) {
		return "", service.Delete(&models.IdsecIdentityDeleteUser{UserID: id})
	})
}
