package user

import "limen/internal/dbx"

const columns = `id, name, name_key, suffix_key, display, display_key, mail, mail_key, mobile, home, office, description, culture, reports_to, org,
	locked, disabled, expired, cloud_locked, suspended, invited, active, service, oauth_client, everybody, force_change, never_expires, expires,
	mfa_user, password_changed, picture, created, changed, version, mail_unproved, signup`

// values are the values of columns, in their order.
func (u *User) values() []any {
	return []any{
		u.ID, u.Name, u.NameKey, u.SuffixKey, u.Display, u.DisplayKey, u.Mail, u.MailKey, u.Mobile, u.Home, u.Office, u.Description, u.Culture,
		u.ReportsTo, u.Org, u.Locked, u.Disabled, u.Expired, u.CloudLocked, u.Suspended, u.Invited, u.Active, u.Service, u.OAuthClient,
		u.Everybody, u.ForceChange, u.NeverExpires, u.Expires, u.MfaUser, u.PasswordChanged, u.Picture, u.Created, u.Changed, u.Version,
		u.MailUnproved, u.Signup,
	}
}

var (
	byID   = dbx.Q[User]("user.byID", `SELECT `+columns+` FROM users WHERE tenant = ? AND id = ?`)
	byName = dbx.Q[User]("user.byName", `SELECT `+columns+` FROM users WHERE tenant = ? AND name_key = ?`)
	byMail = dbx.Q[User]("user.byMail", `SELECT `+columns+` FROM users WHERE tenant = ? AND mail_key = ? ORDER BY name_key LIMIT ?`)
	behind = dbx.Q[User]("user.behind", `SELECT `+columns+` FROM users WHERE tenant = ? AND name_key > ? ORDER BY name_key LIMIT 1`)
	lockID = dbx.Q[User]("user.lock", `SELECT `+columns+` FROM users WHERE tenant = ? AND id = ? FOR UPDATE`)

	insert = dbx.E("user.insert", `INSERT INTO users (`+columns+`, tenant) VALUES
		(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, name_key) DO NOTHING`)
	update = dbx.E("user.update", `UPDATE users SET name = ?, name_key = ?, suffix_key = ?, display = ?, display_key = ?, mail = ?, mail_key = ?, mobile = ?,
		home = ?, office = ?, description = ?, culture = ?, reports_to = ?, org = ?, locked = ?, disabled = ?, expired = ?, cloud_locked = ?, suspended = ?,
		invited = ?, active = ?, service = ?, oauth_client = ?, everybody = ?, force_change = ?, never_expires = ?, expires = ?, mfa_user = ?,
		password_changed = ?, picture = ?, created = ?, changed = ?, version = ?, mail_unproved = ?, signup = ?
		WHERE tenant = ? AND id = ? AND version = ?`)
	taken = dbx.Q[string]("user.taken", `SELECT id FROM users WHERE tenant = ? AND name_key = ?`)
	above = dbx.Q[string]("user.manager", `SELECT reports_to FROM users WHERE tenant = ? AND id = ?`)

	remove      = dbx.E("user.delete", `DELETE FROM users WHERE tenant = ? AND id = ?`)
	dropReports = dbx.E("user.dropReports", `UPDATE users SET reports_to = '', version = version + 1 WHERE tenant = ? AND reports_to = ? AND reports_to <> ''`)
	dropMfa     = dbx.E("user.dropMfaUser", `UPDATE users SET mfa_user = '', version = version + 1 WHERE tenant = ? AND mfa_user = ? AND mfa_user <> ''`)
	dropSeen    = dbx.E("user.dropSeen", `DELETE FROM user_seen WHERE tenant = ? AND user_id = ?`)
	dropPicture = dbx.E("user.dropPicture", `DELETE FROM user_picture WHERE tenant = ? AND user_id = ?`)

	ofSuffix = dbx.Q[User]("user.ofSuffix", `SELECT `+columns+` FROM users WHERE tenant = ? AND suffix_key = ? ORDER BY name_key LIMIT ?`)
	rename   = dbx.E("user.rename", `UPDATE users SET name = ?, name_key = ?, suffix_key = ?, changed = ?, version = version + 1 WHERE tenant = ? AND id = ?`)

	setPassword = dbx.E("user.passwordSet", `UPDATE users SET password_changed = ?, force_change = ?, version = version + 1 WHERE tenant = ? AND id = ?`)
	setActive   = dbx.E("user.activate", `UPDATE users SET active = ?, version = version + 1 WHERE tenant = ? AND id = ? AND active = 0`)
	setInvited  = dbx.E("user.invite", `UPDATE users SET invited = ?, version = version + 1 WHERE tenant = ? AND id = ?`)

	setPicture  = dbx.E("user.setPicture", `UPDATE users SET picture = ?, changed = ?, version = version + 1 WHERE tenant = ? AND id = ?`)
	keepPicture = dbx.E("user.keepPicture", `INSERT INTO user_picture (tenant, user_id, type, body, changed) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (tenant, user_id) DO UPDATE SET type = excluded.type, body = excluded.body, changed = excluded.changed`)
	findPicture = dbx.Q[Picture]("user.picture", `SELECT type, body, changed FROM user_picture WHERE tenant = ? AND user_id = ?`)

	saw = dbx.E("user.saw", `INSERT INTO user_seen (tenant, user_id, last_login) VALUES (?, ?, ?)
		ON CONFLICT (tenant, user_id) DO UPDATE SET last_login = excluded.last_login WHERE user_seen.last_login < excluded.last_login`)
	lastSeen = dbx.Q[int64]("user.lastSeen", `SELECT last_login FROM user_seen WHERE tenant = ? AND user_id = ?`)
)
