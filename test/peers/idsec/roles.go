package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cyberark/idsec-sdk-golang/pkg/auth"
	"github.com/cyberark/idsec-sdk-golang/pkg/services/identity/directories"
	places "github.com/cyberark/idsec-sdk-golang/pkg/services/identity/directories/models"
	"github.com/cyberark/idsec-sdk-golang/pkg/services/identity/roles"
	models "github.com/cyberark/idsec-sdk-golang/pkg/services/identity/roles/models"
)

// lookUp finds directory services, and people, groups and roles in them.
func lookUp(isp auth.IdsecAuth) {
	service, err := directories.NewIdsecIdentityDirectoriesService(isp)
	if err != nil {
		try("the directories service", func() (string, error) { return "", err })
		return
	}
	try("directories: List, TenantDefaultSuffix", func() (string, error) {
		all, err := service.List(&places.IdsecIdentityListDirectories{})
		if err != nil || len(all) != 2 {
			return "", errors.Join(err, fmt.Errorf("%d directories, want 2", len(all)))
		}
		return service.TenantDefaultSuffix()
	})
	try("directories: ListEntities by a part of a name", func() (string, error) {
		pages, err := service.ListEntities(&places.IdsecIdentityListDirectoriesEntities{Search: "ADMIN"})
		if err != nil {
			return "", err
		}
		kinds := map[string]int{}
		for page := range pages {
			for _, e := range page.Items {
				kinds[(*e).GetEntityType()]++
			}
		}
		if kinds[places.EntityTypeUser] == 0 || kinds[places.EntityTypeRole] == 0 {
			return "", fmt.Errorf("%v", kinds)
		}
		return fmt.Sprint(kinds), nil
	})
}

// manageRoles makes, reads, changes and deletes roles, and their members and rights.
func manageRoles(isp auth.IdsecAuth, person string) {
	service, err := roles.NewIdsecIdentityRolesService(isp)
	if err != nil {
		try("the roles service", func() (string, error) { return "", err })
		return
	}
	const user, report = "/lib/rights/dsman.json", "/lib/rights/reportman.json"
	var made *models.IdsecIdentityRole
	try("roles: Create with a right, and again, which finds it", func() (_ string, err error) {
		if made, err = service.Create(&models.IdsecIdentityCreateRole{RoleName: "Idsec role", Description: "By idsec", AdminRights: []string{report}}); err != nil {
			return "", err
		}
		again, err := service.Create(&models.IdsecIdentityCreateRole{RoleName: "IDSEC role"})
		if err != nil || again.RoleID != made.RoleID {
			return "", errors.Join(err, fmt.Errorf("%+v", again))
		}
		return made.RoleID, nil
	})
	if made == nil {
		return
	}
	try("roles: Get by name and by id", func() (string, error) {
		for _, ref := range []models.IdsecIdentityGetRole{{RoleName: "Idsec role"}, {RoleID: made.RoleID}} {
			got, err := service.Get(&ref)
			if err != nil || got.RoleID != made.RoleID || got.Description != "By idsec" || got.RoleType != "PrincipalList" || !slices.Equal(got.AdminRights, []string{report}) {
				return "", errors.Join(err, fmt.Errorf("%+v", got))
			}
		}
		return "", nil
	})
	try("roles: AddAdminRights by name, GetAdminRights, RemoveAdminRights", func() (string, error) {
		if _, err := service.AddAdminRights(&models.IdsecIdentityAddAdminRightsToRole{RoleName: "Idsec role", AdminRights: []string{user}}); err != nil {
			return "", err
		}
		got, err := service.GetAdminRights(&models.IdsecIdentityGetRoleAdminRights{RoleName: "Idsec role"})
		if err != nil || len(got.AdminRights) != 2 {
			return "", errors.Join(err, fmt.Errorf("%+v", got))
		}
		return "", service.RemoveAdminRights(&models.IdsecIdentityRemoveAdminRightsToRole{RoleID: made.RoleID, AdminRights: []string{user}})
	})
	try("roles: AddMember of a user and of a role, GetMember, ListMembersBy, MemberStats, RemoveMember", func() (string, error) {
		inner, err := service.Create(&models.IdsecIdentityCreateRole{RoleName: "Idsec inner"})
		if err != nil {
			return "", err
		}
		if _, err := service.AddMember(&models.IdsecIdentityAddMemberToRole{RoleID: made.RoleID, MemberName: person, MemberType: places.EntityTypeUser}); err != nil {
			return "", err
		}
		if _, err := service.AddMember(&models.IdsecIdentityAddMemberToRole{RoleID: made.RoleID, MemberName: "Idsec inner", MemberType: places.EntityTypeRole}); err != nil {
			return "", err
		}
		some, err := service.ListMembersBy(&models.IdsecIdentityRoleMembersFilter{RoleName: "Idsec role", MemberTypes: []string{places.EntityTypeUser}})
		if err != nil || len(some) != 1 || some[0].MemberName != person {
			return "", errors.Join(err, fmt.Errorf("%+v", some))
		}
		stats, err := service.MemberStats(&models.IdsecIdentityGetRoleMembersStats{RoleID: made.RoleID})
		if err != nil || stats.MembersCount != 2 {
			return "", errors.Join(err, fmt.Errorf("%+v", stats))
		}
		if err := service.RemoveMember(&models.IdsecIdentityRemoveMemberFromRole{RoleID: made.RoleID, MemberName: person, MemberType: places.EntityTypeUser}); err != nil {
			return "", err
		}
		return fmt.Sprint(stats.MembersCountByType), service.Delete(&models.IdsecIdentityDeleteRole{RoleID: inner.RoleID})
	})
	try("roles: List, ListBy a right, Stats", func() (string, error) {
		n := func(pages <-chan *roles.IdsecIdentityRolesPage, err error) (n int) {
			for page := range pages {
				n += len(page.Items)
			}
			return n
		}
		all, some := n(service.List()), n(service.ListBy(&models.IdsecIdentityRolesFilter{AdminRights: []string{report}}))
		stats, err := service.Stats()
		if err != nil || all < 3 || some < 1 || some >= all || stats.RolesCount != all {
			return "", errors.Join(err, fmt.Errorf("%d roles, %d with the right, %+v", all, some, stats))
		}
		return "", nil
	})
	try("roles: Create of a dynamic role with its script", func() (string, error) {
		dynamic, err := service.Create(&models.IdsecIdentityCreateRole{RoleName: "Idsec dynamic", RoleType: "Script", DynamicRoleScript: "return false;"})
		if err != nil {
			return "", err
		}
		got, err := service.Get(&models.IdsecIdentityGetRole{RoleID: dynamic.RoleID})
		if err != nil || got.RoleType != "Script" {
			return "", errors.Join(err, fmt.Errorf("%+v", got))
		}
		return "", service.Delete(&models.IdsecIdentityDeleteRole{RoleName: "Idsec dynamic"})
	})
	try("roles: Update, Delete by name", func() (string, error) {
		got, err := service.Update(&models.IdsecIdentityUpdateRole{RoleID: made.RoleID, RoleName: "Idsec role two", Description: "Again", AdminRights: []string{report}})
		if err != nil || got.RoleName != "Idsec role two" || got.Description != "Again" {
			return "", errors.Join(err, fmt.Errorf("%+v", got))
		}
		return "", service.Delete(&models.IdsecIdentityDeleteRole{RoleName: "Idsec role two"})
	})
	// What it keeps of its own at roles is a dialect that is not served; it reads roles without.
	if _, err := service.AttributesSchema(); err != nil {
		fmt.Println("  known   roles: AttributesSchema: /RoleAttributes/GetAttributes is not served")
	}
}
