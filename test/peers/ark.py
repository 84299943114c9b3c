"""ark-sdk-python: sign-in with a password, and with a password and a mailed link; users by its service."""

import json
import os
import sys
import time
import warnings

sys.path.insert(0, os.path.dirname(__file__))
from common import ADMIN, CA, PASSWORD, SECRET, URL, click, done, plain, trying  # noqa: E402
from common import admin as administrator  # noqa: E402

warnings.simplefilter("ignore")  # its models use an older form of pydantic's validators

from ark_sdk_python.auth import ArkISPAuth  # noqa: E402
from ark_sdk_python.auth.identity.ark_identity import ArkIdentity  # noqa: E402
from ark_sdk_python.models.auth import ArkAuthMethod, ArkAuthProfile, ArkSecret, IdentityArkAuthMethodSettings  # noqa: E402
from ark_sdk_python.models.services.identity import roles as role_models  # noqa: E402
from ark_sdk_python.models.services.identity import users as models  # noqa: E402
from ark_sdk_python.models.services.identity.roles.ark_identity_admin_right import ArkIdentityAdminRights as Right  # noqa: E402
from ark_sdk_python.models.services.identity import directories as directory_models  # noqa: E402
from ark_sdk_python.models.services.identity import policies as policy_models  # noqa: E402
from ark_sdk_python.services.identity.directories import ArkIdentityDirectoriesService  # noqa: E402
from ark_sdk_python.services.identity.policies import ArkIdentityPoliciesService  # noqa: E402
from ark_sdk_python.services.identity.roles import ArkIdentityRolesService  # noqa: E402
from ark_sdk_python.services.identity.users import ArkIdentityUsersService  # noqa: E402


def identity(user, password, mfa=None):
    return ArkIdentity(username=user, password=password, identity_url=URL, mfa_type=mfa, cache_authentication=False, verify=CA)


admin = identity(ADMIN, PASSWORD)


@trying("ArkIdentity.auth_identity with a password")
def _():
    admin.auth_identity()
    d = admin.session_details
    assert d.summary == "LoginSuccess" and d.auth and d.token and d.refresh_token and d.token_lifetime, d
    return f"token for {d.token_lifetime} s"


@trying("refresh_auth_identity: new tokens by cookie, and the old refresh token ends")
def _():
    before = admin.session_details.token, admin.session_details.refresh_token
    admin.refresh_auth_identity()
    after = admin.session_details.token, admin.session_details.refresh_token
    assert before[0] != after[0] and before[1] != after[1]
    assert '"User":"' + ADMIN in plain("/Security/WhoAmI", {}, token=after[0])


@trying("get_apps, which lists an application that one is given")
def _():
    token = admin.session_details.token
    made = json.loads(plain("/SaasManage/ImportAppFromTemplate", {"ID": ["Generic Bookmark"]}, token=token))["Result"][0]["_RowKey"]
    plain("/SaasManage/UpdateApplicationDE", {"_RowKey": made, "Url": "https://wiki.example.com"}, token=token)
    apps = admin.get_apps()
    assert [a["AppKey"] for a in apps["Result"]["Apps"]] == [made], apps


@trying("a wrong password is refused")
def _():
    try:
        identity(ADMIN, "not-" + PASSWORD).auth_identity()
    except Exception as e:
        return type(e).__name__
    raise AssertionError("it signed in")


@trying("is_password_required and is_idp_user before signing in")
def _():
    assert ArkIdentity.is_password_required(ADMIN, URL, None)
    assert not ArkIdentity.is_idp_user(ADMIN, URL, None)


auth = ArkISPAuth(cache_authentication=False)
users = None


@trying("ArkISPAuth.authenticate, and the users service with its token")
def _():
    global users
    auth.authenticate(
        None,
        ArkAuthProfile(username=ADMIN, auth_method=ArkAuthMethod.Identity,
                       auth_method_settings=IdentityArkAuthMethodSettings(identity_url=URL, identity_mfa_interactive=False)),
        ArkSecret(secret=PASSWORD),
    )
    users = ArkIdentityUsersService(auth)
    users._client._ArkClient__session.verify = CA if hasattr(users._client, "_ArkClient__session") else None
    return f"base {users._client.base_url}, prefix {users._url_prefix!r}"


made = None


@trying("create_user")
def _():
    global made
    made = users.create_user(models.ArkIdentityCreateUser(
        username="ark.user", display_name="Ark User", email="ark@example.com", mobile_number="+14155550170", suffix="limen", password=SECRET, roles=[]))
    return made.user_id


@trying("create_user with the tenant's default suffix")
def _():
    u = users.create_user(models.ArkIdentityCreateUser(
        username="ark.second", display_name="Second", email="ark2@example.com", mobile_number="+14155550171", password=SECRET, roles=[]))
    return u.username


@trying("user_by_name")
def _():
    u = users.user_by_name(models.ArkIdentityUserByName(username="ark.user@limen"))
    assert (u.user_id, u.display_name, u.email, u.mobile_number) == (made.user_id, "Ark User", "ark@example.com", "+14155550170"), u


@trying("user_id_by_name, user_by_id")
def _():
    assert users.user_id_by_name(models.ArkIdentityUserIdByName(username="ark.user@limen")) == made.user_id
    assert users.user_by_id(models.ArkIdentityUserById(user_id=made.user_id)).username == "ark.user@limen"


@trying("update_user")
def _():
    users.update_user(models.ArkIdentityUpdateUser(username="ark.user@limen", display_name="Changed"))
    assert users.user_by_name(models.ArkIdentityUserByName(username="ark.user@limen")).display_name == "Changed"


@trying("sign-in with a password and the link in a mail, which it polls for")
def _():
    waiting = click("ark@example.com")
    person = identity("ark.user@limen", SECRET, "email")
    person.auth_identity()
    waiting.join(5)
    d = person.session_details
    assert d.summary == "LoginSuccess", d
    assert '"User":"ark.user@limen"' in plain("/Security/WhoAmI", {}, token=d.token), "the platform token is not taken"


@trying("last_login of who has signed in")
def _():
    for _ in range(100):  # it is written some seconds later
        at = users.user_by_name(models.ArkIdentityUserByName(username="ark.user@limen")).last_login
        if at is not None:
            return at
        time.sleep(0.1)
    raise AssertionError("unknown")


roles = None
role = None


@trying("create_role with a right, and add_admin_rights_to_role by id")
def _():
    global roles, role
    roles = ArkIdentityRolesService(auth)
    role = roles.create_role(role_models.ArkIdentityCreateRole(role_name="Ark role", description="Of a client", admin_rights=[Right.ReportManagement]))
    roles.add_admin_rights_to_role(role_models.ArkIdentityAddAdminRightsToRole(role_id=role.role_id, admin_rights=[Right.UserManagement]))
    return role.role_id


@trying("list_role_members by id, of whom it did not add")
def _():
    plain("/SaasManage/AddUsersAndGroupsToRole", {"Name": role.role_id, "Users": ["ark.user@limen"]}, token=administrator())
    (m,) = roles.list_role_members(role_models.ArkIdentityListRoleMembers(role_id=role.role_id))
    assert m.member_id == made.user_id and m.member_name == "ark.user@limen", m
    return m.member_type


@trying("role_id_by_name, add_user_to_role, add_role_to_role, list_role_members, remove_user_from_role, remove_role_from_role, all by name")
def _():
    assert roles.role_id_by_name(role_models.ArkIdentityRoleIdByName(role_name="ARK role")) == role.role_id
    inner = roles.create_role(role_models.ArkIdentityCreateRole(role_name="Ark inner"))
    roles.remove_user_from_role(role_models.ArkIdentityRemoveUserFromRole(username="ark.user@limen", role_name="Ark role"))
    roles.add_user_to_role(role_models.ArkIdentityAddUserToRole(username="ark.user@limen", role_name="Ark role"))
    roles.add_role_to_role(role_models.ArkIdentityAddRoleToRole(role_name_to_add="Ark inner", role_name="Ark role"))
    members = roles.list_role_members(role_models.ArkIdentityListRoleMembers(role_name="Ark role"))
    assert sorted(m.member_id for m in members) == sorted([made.user_id, inner.role_id]), members
    roles.remove_user_from_role(role_models.ArkIdentityRemoveUserFromRole(username="ark.user@limen", role_name="Ark role"))
    roles.remove_role_from_role(role_models.ArkIdentityRemoveRoleFromRole(role_name_to_remove="Ark inner", role_name="Ark role"))
    roles.delete_role(role_models.ArkIdentityDeleteRole(role_name="Ark inner"))


@trying("list_directories, list_directories_entities by a part of a name, tenant_default_suffix")
def _():
    directories = ArkIdentityDirectoriesService(auth)
    assert [d.directory.value for d in directories.list_directories(directory_models.ArkIdentityListDirectories())] == ["CDS", "FDS"]
    ask = directory_models.ArkIdentityListDirectoriesEntities(search="ARK")
    found = [e for page in directories.list_directories_entities(ask) for e in page.items]
    assert {e.id for e in found} >= {role.role_id}, found
    return directories.tenant_default_suffix()


policies = None


@trying("add_authentication_profile, list_authentication_profiles, authentication_profile by name")
def _():
    global policies
    policies = ArkIdentityPoliciesService(auth)
    policies.add_authentication_profile(policy_models.ArkIdentityAddAuthenticationProfile(
        auth_profile_name="Ark", first_challenges=["UP"], second_challenges=["OATH", "SMS"], duration_in_minutes=20))
    assert "Ark" in [p.name for p in policies.list_authentication_profiles()]
    got = policies.authentication_profile(policy_models.ArkIdentityGetAuthenticationProfile(auth_profile_name="Ark"))
    assert got.challenges == ["UP", "OATH,SMS"], got


@trying("add_policy for a role, policy, list_policies, disable_policy, enable_policy")
def _():
    policies.add_policy(policy_models.ArkIdentityAddPolicy(policy_name="Ark policy", role_names=["Ark role"], auth_profile_name="Default Other Login Profile"))
    got = policies.policy(policy_models.ArkIdentityGetPolicy(policy_name="Ark policy"))
    assert got.settings["AuthenticationEnabled"], got
    assert len(policies.list_policies()) == 2
    # It reads links without the roles that they name; those of the first policy set stay when it sends its link back.
    policies.add_policy(policy_models.ArkIdentityAddPolicy(policy_name="Ark other", role_names=["Ark role"], auth_profile_name="Default Other Login Profile"))
    policies.disable_policy(policy_models.ArkIdentityDisablePolicy(policy_name="/Policy/Ark other"))
    assert {p.policy_set: p.link_type for p in policies.list_policies()}["/Policy/Ark policy"] == "Role"
    policies.remove_policy(policy_models.ArkIdentityRemovePolicy(policy_name="Ark other"))
    policies.disable_policy(policy_models.ArkIdentityDisablePolicy(policy_name="/Policy/Ark policy"))
    # What it enables is for everybody: it says so.
    policies.enable_policy(policy_models.ArkIdentityEnablePolicy(policy_name="/Policy/Ark policy"))
    assert {p.policy_set: p.link_type for p in policies.list_policies()}["/Policy/Ark policy"] == "Global"


@trying("remove_policy, remove_authentication_profile")
def _():
    policies.remove_policy(policy_models.ArkIdentityRemovePolicy(policy_name="Ark policy"))
    policies.remove_authentication_profile(policy_models.ArkIdentityRemoveAuthenticationProfile(auth_profile_name="Ark"))
    assert len(policies.list_policies()) == 1


@trying("update_role and delete_role by id")
def _():
    roles.update_role(role_models.ArkIdentityUpdateRole(role_id=role.role_id, new_role_name="Ark role, renamed"))
    roles.delete_role(role_models.ArkIdentityDeleteRole(role_id=role.role_id))


@trying("reset_user_password")
def _():
    users.reset_user_password(models.ArkIdentityResetUserPassword(username="ark.user@limen", new_password="Another-one-77-please"))


@trying("delete_user by name")
def _():
    users.delete_user(models.ArkIdentityDeleteUser(username="ark.user@limen"))


# It puts its list into another list, which no server can take for ids.
@trying("delete_users by id", expect="Users[0] must be text")
def _():
    users.delete_users(models.ArkIdentityDeleteUsers(user_ids=[users.user_id_by_name(models.ArkIdentityUserIdByName(username="ark.second@limen"))]))


@trying("user_by_name of nobody is refused")
def _():
    try:
        users.user_by_name(models.ArkIdentityUserByName(username="nobody@limen"))
    except Exception as e:
        return type(e).__name__
    raise AssertionError("somebody was found")


done()
