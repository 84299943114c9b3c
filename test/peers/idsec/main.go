// Command idsec signs in with idsec-sdk-golang and manages users with its service. It is a module of its own: see
// test/peers/run.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

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
	server, admin, password := os.Getenv("LIMEN_URL"), os.Getenv("LIMEN_ADMIN"), os.Getenv("LIMEN_PASSWORD")
	try("AuthIdentity with a password", func() (string, error) {
		ai, err := identity.NewIdsecIdentity(admin, password, server, "", "", common.GlobalLogger, false, false, nil)
		if err != nil {
			return "", err
		}
		if err := ai.AuthIdentity(nil, false, true); err != nil {
			return "", err
		}
		d := ai.SessionDetails()
		before := d.Token
		if err := ai.RefreshAuthIdentity(nil, false, true); err != nil {
			return "", fmt.Errorf("refresh: %w", err)
		}
		if ai.SessionDetails().Token == before {
			return "", errors.New("the refresh gave the same token")
		}
		return fmt.Sprintf("%s, token for %d s, refreshed", d.Summary, d.TokenLifetime), nil
	})
	try("a wrong password is refused", func() (string, error) {
		ai, err := identity.NewIdsecIdentity(admin, "not-"+password, server, "", "", common.GlobalLogger, false, false, nil)
		if err != nil {
			return "", err
		}
		if ai.AuthIdentity(nil, false, true) == nil {
			return "", errors.New("it signed in")
		}
		return "", nil
	})
	try("IsPasswordRequired", func() (string, error) {
		if !identity.IsPasswordRequired(admin, server, "") {
			return "", errors.New("it says no")
		}
		return "", nil
	})
	service := signIn(server, admin, password)
	if service != nil {
		manage(service)
	}
	if failed {
		os.Exit(1)
	}
}

func signIn(server, admin, password string) (service *users.IdsecIdentityUsersService) {
	try("IdsecISPAuth and the users service with its token", func() (string, error) {
		isp := auth.NewIdsecISPAuth(false)
		_, err := isp.Authenticate(nil, &authmodels.IdsecAuthProfile{
			Username: admin, AuthMethod: authmodels.Identity,
			AuthMethodSettings: &authmodels.IdentityIdsecAuthMethodSettings{IdentityURL: server},
		}, &authmodels.IdsecSecret{Secret: password}, true, false)
		if err != nil {
			return "", err
		}
		if service, err = users.NewIdsecIdentityUsersService(isp); err != nil {
			return "", err
		}
		profile(isp)
		policy(isp)
		lookUp(isp)
		manageRoles(isp, admin)
		return "base " + service.ISPClient().BaseURL, nil
	})
	return service
}

func manage(service *users.IdsecIdentityUsersService) {
	// It reads users back with the attributes of the extended schema.
	try("Create", func() (string, error) {
		u, err := service.Create(&models.IdsecIdentityCreateUser{Username: "idsec.user@limen", Email: "idsec@example.com", MobileNumber: "+14155550172", Password: secret})
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%s, %s, state %s, Everybody %v", u.UserID, u.DisplayName, u.State, *u.InEverybodyRole), nil
	})
	try("Create somebody without a forced change", func() (string, error) {
		no := false
		_, err := service.Create(&models.IdsecIdentityCreateUser{
			Username: "idsec.person@limen", Email: "idsec.person@example.com", MobileNumber: "+14155550173", Password: secret, ForcePasswordChangeNext: &no,
		})
		return "", err
	})
	try("List", func() (string, error) {
		n, _, err := count(service.List())
		if err == nil && n < 3 {
			err = fmt.Errorf("%d users", n)
		}
		return "", err
	})
	var id string
	try("ListBy a part of the name", func() (string, error) {
		n, first, err := count(service.ListBy(&models.IdsecIdentityUserFilters{Search: "idsec.u"}))
		if err != nil || n != 1 {
			return "", errors.Join(err, fmt.Errorf("%d users, want 1", n))
		}
		id = first.UserID
		return first.Username, nil
	})
	try("AuthIdentity with a second factor, polled until the link in the mail is followed", func() (string, error) {
		ai, err := identity.NewIdsecIdentity("idsec.person@limen", secret, os.Getenv("LIMEN_URL"), "", "email", common.GlobalLogger, false, false, nil)
		if err != nil {
			return "", err
		}
		followed := make(chan error, 1)
		go func() { followed <- follow("idsec.person@example.com") }()
		if err := errors.Join(ai.AuthIdentity(nil, false, true), <-followed); err != nil {
			return "", err
		}
		return ai.SessionDetails().Summary, nil
	})
	try("Get by a name in another case", func() (string, error) {
		u, err := service.Get(&models.IdsecIdentityGetUser{Username: "IDSEC.user@limen"})
		if err != nil {
			return "", err
		}
		return u.Username, nil
	})
	try("Update with a state", func() (string, error) {
		u, err := service.Update(&models.IdsecIdentityUpdateUser{UserID: id, DisplayName: "Changed", State: "Locked"})
		if err != nil {
			return "", err
		}
		return u.DisplayName + ", " + u.State, nil
	})
	attributes(service, id)
	try("ResetPassword", func() (string, error) {
		return "", service.ResetPassword(&models.IdsecIdentityResetUserPassword{Username: "idsec.user@limen", NewPassword: "Another-one-77-please"})
	})
	try("Delete", func() (string, error) {
		return "", service.Delete(&models.IdsecIdentityDeleteUser{UserID: id})
	})
}

// attributes defines attributes, gives a person values, and takes both away.
func attributes(service *users.IdsecIdentityUsersService, id string) {
	try("UpsertAttributesSchema, and AttributesSchema", func() (string, error) {
		got, err := service.UpsertAttributesSchema(&models.IdsecIdentityUpsertUserAttributesSchema{Columns: []models.IdsecIdentityUserAttributesSchemaColumn{
			{Name: "Staff_Number", Type: "Int", Title: "Number", Description: "Number on the badge"}, {Name: "Staff_Room", Type: "Text", UserEditable: true},
		}})
		if err != nil || len(got.Columns) != 2 {
			return "", errors.Join(err, fmt.Errorf("%+v, want two columns", got))
		}
		return "", nil
	})
	try("UpsertAttributes, GetAttributes, and Get with them", func() (string, error) {
		// All values are texts, whatever the column's type, and what is there is sent again with what is new.
		for _, room := range []string{"7a", "7b"} {
			values := map[string]string{"Staff_Room": room}
			if room == "7a" {
				values["Staff_Number"] = "4200000"
			}
			if _, err := service.UpsertAttributes(&models.IdsecIdentityUpsertUserAttributes{UserID: id, Attributes: values}); err != nil {
				return "", err
			}
		}
		got, err := service.GetAttributes(&models.IdsecIdentityGetUserAttributes{UserID: id})
		if err != nil {
			return "", err
		}
		if got.Attributes["Staff_Number"] != "4.2e+06" || got.Attributes["Staff_Room"] != "7b" {
			return "", fmt.Errorf("%v", got.Attributes)
		}
		u, err := service.Get(&models.IdsecIdentityGetUser{UserID: id})
		if err != nil || u.UserAttributes["Staff_Room"] != "7b" {
			return "", errors.Join(err, fmt.Errorf("%+v", u))
		}
		return fmt.Sprint(got.Attributes), nil
	})
	try("DeleteAttributes, and DeleteAttributesSchema", func() (string, error) {
		left, err := service.DeleteAttributes(&models.IdsecIdentityDeleteUserAttributes{UserID: id, AttributeNames: []string{"Staff_Number"}})
		if err != nil {
			return "", err
		}
		schema, err := service.DeleteAttributesSchema(&models.IdsecIdentityDeleteUserAttributesSchema{ColumnNames: []string{"Staff_Number"}})
		if err != nil || len(schema.Columns) != 1 {
			return "", errors.Join(err, fmt.Errorf("%+v, want one column", schema))
		}
		return fmt.Sprint(left.Attributes), nil
	})
}

// follow waits for the mail to an address on the page of --dev, and presses the button behind its link.
func follow(address string) error {
	base := os.Getenv("LIMEN_URL")
	for range 100 {
		time.Sleep(100 * time.Millisecond)
		r, err := http.Get(base + "/dev/outbox.json?to=" + url.QueryEscape(address))
		if err != nil {
			return err
		}
		var mails []struct {
			Text string `json:"text"`
		}
		err = json.NewDecoder(r.Body).Decode(&mails)
		r.Body.Close()
		if err != nil {
			return err
		}
		if len(mails) == 0 {
			continue
		}
		m := regexp.MustCompile(`/Security/AnswerOOBChallenge\?answer=(\S+)`).FindStringSubmatch(mails[0].Text)
		if m == nil {
			return errors.New("no link in the mail: " + mails[0].Text)
		}
		form := strings.NewReader("answer=" + m[1])
		req, err := http.NewRequest(http.MethodPost, base+"/Security/AnswerOOBChallenge", form)
		if err != nil {
			return err
		}
		req.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"}, "Accept": {"text/html"}}
		if r, err = http.DefaultClient.Do(req); err != nil {
			return err
		}
		return r.Body.Close()
	}
	return errors.New("no mail arrived")
}

// count reads all pages.
func count(pages <-chan *users.IdsecIdentityUsersPage, err error) (n int, first *models.IdsecIdentityUser, _ error) {
	if err != nil {
		return 0, nil, err
	}
	for page := range pages {
		for _, u := range page.Items {
			if first == nil {
				first = u
			}
			n++
		}
	}
	return n, first, nil
}
