package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cyberark/idsec-sdk-golang/pkg/auth"
	"github.com/cyberark/idsec-sdk-golang/pkg/services/identity/authprofiles"
	profiles "github.com/cyberark/idsec-sdk-golang/pkg/services/identity/authprofiles/models"
)

// profile makes, reads, changes and deletes an authentication profile.
func profile(isp auth.IdsecAuth) {
	service, err := authprofiles.NewIdsecIdentityAuthProfilesService(isp)
	if err != nil {
		try("the authentication profiles service", func() (string, error) { return "", err })
		return
	}
	var made *profiles.IdsecIdentityAuthProfile
	try("authentication profiles: Create", func() (_ string, err error) {
		made, err = service.Create(&profiles.IdsecIdentityCreateAuthProfile{
			AuthProfileName: "Idsec", FirstChallenges: []string{"UP"}, SecondChallenges: []string{"SMS", "SQ"}, DurationInMinutes: 45,
			AdditionalData: map[string]any{"NumberOfQuestions": 2},
		})
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%+v", *made), nil
	})
	if made == nil {
		return
	}
	try("authentication profiles: Get by name, List, ListBy, Stats", func() (string, error) {
		got, err := service.Get(&profiles.IdsecIdentityGetAuthProfile{AuthProfileName: "Idsec"})
		if err != nil || got.AuthProfileID != made.AuthProfileID || !slices.Equal(got.SecondChallenges, []string{"SMS", "SQ"}) || got.DurationInMinutes != 45 {
			return "", errors.Join(err, fmt.Errorf("%+v", got))
		}
		all, err := service.List()
		if err != nil || len(all) != 4 {
			return "", errors.Join(err, fmt.Errorf("%d profiles, want the three of every tenant and this one", len(all)))
		}
		some, err := service.ListBy(&profiles.IdsecIdentityAuthProfilesFilters{AuthProfileName: "Default Other Login Profile"})
		if err != nil || len(some) != 1 {
			return "", errors.Join(err, fmt.Errorf("%d profiles, want 1", len(some)))
		}
		stats, err := service.Stats()
		if err != nil || stats.AuthProfilesCount != 4 {
			return "", errors.Join(err, fmt.Errorf("%+v", stats))
		}
		return "", nil
	})
	try("authentication profiles: Update", func() (string, error) {
		got, err := service.Update(&profiles.IdsecIdentityUpdateAuthProfile{
			AuthProfileID: made.AuthProfileID, AuthProfileName: "Idsec again", FirstChallenges: []string{"UP"}, SecondChallenges: []string{"OATH"},
		})
		if err != nil {
			return "", err
		}
		if got.AuthProfileName != "Idsec again" || !slices.Equal(got.SecondChallenges, []string{"OATH"}) {
			return "", fmt.Errorf("%+v", got)
		}
		return fmt.Sprintf("%+v", *got), nil
	})
	try("authentication profiles: Delete", func() (string, error) {
		return "", service.Delete(&profiles.IdsecIdentityDeleteAuthProfile{AuthProfileID: made.AuthProfileID})
	})
}
