package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cyberark/idsec-sdk-golang/pkg/auth"
	"github.com/cyberark/idsec-sdk-golang/pkg/services/identity/policies"
	sets "github.com/cyberark/idsec-sdk-golang/pkg/services/identity/policies/models"
)

// policy makes, reads, orders, changes and deletes policy sets.
func policy(isp auth.IdsecAuth) {
	service, err := policies.NewIdsecIdentityPoliciesService(isp)
	if err != nil {
		try("the policies service", func() (string, error) { return "", err })
		return
	}
	const life = "/Core/Authentication/CookieSessionLifespanHours"
	try("policies: Create", func() (string, error) {
		got, err := service.Create(&sets.IdsecIdentityCreatePolicy{
			PolicyName: "Idsec", Description: "By idsec", AuthProfileName: "Default Other Login Profile", Settings: map[string]any{life: "8"},
		})
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%+v", *got), nil
	})
	try("policies: Create inactive, after another", func() (string, error) {
		_, err := service.Create(&sets.IdsecIdentityCreatePolicy{
			PolicyName: "Idsec two", AuthProfileName: "Default Other Login Profile", PolicyStatus: sets.PolicyStatusInactive, AfterPolicy: "Default Policy",
		})
		return "", err
	})
	try("policies: SetOrder, GetOrder, List, Stats", func() (string, error) {
		want := []string{"Default Policy", "Idsec two", "Idsec"}
		_, err := service.SetOrder(&sets.IdsecIdentitySetPoliciesOrder{PoliciesOrder: want})
		if err != nil {
			return "", err
		}
		got, err := service.GetOrder(&sets.IdsecIdentityGetPoliciesOrder{})
		if err != nil || !slices.Equal(got.PoliciesOrder, want) {
			return "", errors.Join(err, fmt.Errorf("%+v", got))
		}
		all, err := service.List()
		if err != nil || len(all) != 3 {
			return "", errors.Join(err, fmt.Errorf("%d policies, want 3", len(all)))
		}
		_, err = service.Stats()
		return "", err
	})
	try("policies: Update", func() (string, error) {
		got, err := service.Update(&sets.IdsecIdentityUpdatePolicy{PolicyName: "Idsec", Description: "Again", Settings: map[string]any{life: 4}})
		if err != nil || got.Description != "Again" || fmt.Sprint(got.Settings[life]) != "4" || got.PolicyStatus != sets.PolicyStatusActive {
			return "", errors.Join(err, fmt.Errorf("%+v", got))
		}
		return "", nil
	})
	try("policies: Delete", func() (string, error) {
		for _, name := range []string{"Idsec", "Idsec two"} {
			if err := service.Delete(&sets.IdsecIdentityDeletePolicy{PolicyName: name}); err != nil {
				return "", err
			}
		}
		all, err := service.List()
		if err != nil || len(all) != 1 {
			return "", errors.Join(err, fmt.Errorf("%d policies, want 1", len(all)))
		}
		return "", nil
	})
}
