package app_test

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"limen/internal/core/oauth"

	"pgregory.net/rapid"
)

// often are moves that one try says little of, with how many there are.
var often = map[string]int{
	"hands over": 6, "decides what somebody is asked": 3, "makes a provisioning token": 4, "renews a provisioning token": 8, "ends a provisioning token": 4,
	"registers a client": 3, "changes a client by its token": 3, "changes a user by SCIM": 3, "changes a group by SCIM": 2,
}

// moves are what anybody may try at a fair, by name. Those of a part are played together, and not with others, which would soon take
// their rights from who plays.
var moves = map[string]map[string]func(x *turn){"what people keep": keeping, "provisioning": provisioning, "clients": ofClients}

var keeping = map[string]func(x *turn){
	"hands over": func(x *turn) {
		x.me("/SaasManage/TransferOwnership", members{"Users": []string{x.pick("from", x.keepers())}, "TargetUser": x.pick("to", x.people[:11])})
	},
	"reads an item": func(x *turn) {
		x.me("/UPRest/GetCredsForSecuredItem", members{"sItemkey": x.item()})
	},
	"changes an item": func(x *turn) {
		x.me("/UPRest/UpdateCredsForSecuredItem", members{"sItemkey": x.item(), "Username": x.fresh("u")})
	},
	"deletes an item": func(x *turn) {
		if x.seldom() {
			x.me("/UPRest/DeleteSecuredItem", members{"sItemkey": x.item()})
		}
	},
	"asks for a token of somebody": func(x *turn) {
		whose := x.pick("whose", x.people[:13])
		a := x.me("/UserMgmt/GetTokenForUser", members{"username": x.logins[whose]})
		if a.member("Token") != "" && whose != x.power.who && !x.power.is.held[0].Covers(x.before[whose].held[0]) {
			x.rt.Errorf("%s gets a token of %s", x.names[x.power.who], x.names[whose])
		}
	},
}

var provisioning = map[string]func(x *turn){
	"makes a provisioning token": func(x *turn) {
		whose := x.pick("whose", x.robots())
		x.provisioned(x.me("/UserMgmt/CreateProvisioningToken", members{"ID": whose, "Name": x.game.fresh("p")}), whose)
	},
	"renews a provisioning token": func(x *turn) {
		id := x.pick("token", slices.Sorted(maps.Keys(x.books.tokens)))
		x.provisioned(x.me("/UserMgmt/RotateProvisioningToken", members{"TokenID": id, "OverlapDays": 1}), x.books.tokens[id].User)
	},
	"ends a provisioning token": func(x *turn) {
		x.me("/UserMgmt/RevokeProvisioningToken", members{"TokenID": x.pick("token", slices.Sorted(maps.Keys(x.books.tokens)))})
	},

	"makes a user by SCIM": func(x *turn) {
		x.scim(http.MethodPost, "Users", members{"userName": login(x.game, ""), "emails": []any{members{"value": "new@example.com", "primary": true}}, "password": "Purple-Staple-7-Wagon"})
	},
	"changes a user by SCIM": func(x *turn) {
		change := rapid.SampledFrom([]members{
			{"op": "replace", "path": "active", "value": false}, {"op": "replace", "path": "active", "value": true},
			{"op": "replace", "path": "password", "value": "Purple-Staple-8-Wagon"}, {"op": "replace", "path": `emails[primary eq true].value`, "value": "mine@example.com"},
			{"op": "replace", "value": members{"userName": login(x.game, "")}},
		}).Draw(x.rt, "change")
		x.scim(http.MethodPatch, "Users/"+x.pick("whom", x.people), members{"Operations": []any{change}})
	},
	"replaces a user by SCIM": func(x *turn) {
		x.scim(http.MethodPut, "Users/"+x.pick("whom", x.people), members{"userName": login(x.game, ""), "emails": []any{members{"value": "mine@example.com", "primary": true}}})
	},
	"deletes a user by SCIM": func(x *turn) {
		if x.seldom() {
			x.scim(http.MethodDelete, "Users/"+x.pick("whom", x.people[7:]), nil)
		}
	},
	"makes a group by SCIM": func(x *turn) {
		x.scim(http.MethodPost, "Groups", members{"displayName": x.game.fresh("group"), "members": x.some()})
	},
	"changes a group by SCIM": func(x *turn) {
		do := x.pick("op", []string{"add", "add", "replace", "remove"})
		change := members{"op": do, "path": "members", "value": x.some()}
		if do == "remove" {
			change = members{"op": do, "path": `members[value eq "` + x.pick("whom", x.people) + `"]`}
		}
		x.scim(http.MethodPatch, "Groups/"+x.pick("role", x.roles), members{"Operations": []any{change}})
	},
	"replaces a group by SCIM": func(x *turn) {
		role := x.pick("role", x.roles)
		x.scim(http.MethodPut, "Groups/"+role, members{"displayName": cmp.Or(strings.TrimPrefix(x.names[role], "new "), "x"), "members": x.some()})
	},
	"deletes a group by SCIM": func(x *turn) {
		if x.seldom() {
			x.scim(http.MethodDelete, "Groups/"+x.pick("role", x.roles), nil)
		}
	},
	"changes several by SCIM": func(x *turn) {
		x.scim(http.MethodPost, "Bulk", members{"Operations": []any{
			members{"method": "PATCH", "path": "/Groups/" + x.pick("role", x.roles), "data": members{"Operations": []any{members{"op": "add", "path": "members", "value": x.some()}}}},
			members{"method": "PATCH", "path": "/Users/" + x.pick("whom", x.people), "data": members{"Operations": []any{members{"op": "replace", "path": "password", "value": "Purple-Staple-9-Wagon"}}}},
		}})
	},
}

var ofClients = map[string]func(x *turn){
	"makes an initial token": func(x *turn) {
		a := x.me("/SaasManage/CreateInitialAccessToken", members{"ServiceName": x.service(), "Name": "x", "Uses": 2})
		if token := a.member("Token"); token != "" {
			x.initial[token] = a.member("ID")
		}
	},
	"ends an initial token": func(x *turn) {
		id := x.pick("token", slices.Sorted(maps.Keys(x.books.initials)))
		x.me("/SaasManage/DeleteInitialAccessToken", members{"ServiceName": x.names[x.books.initials[id].App], "ID": id})
	},
	"registers a client": func(x *turn) {
		service, in := x.service(), x.metadata("")
		token := x.one("initial token", x.initial)
		switch rapid.IntRange(0, 3).Draw(x.rt, "how") {
		case 0: // as it is meant to be
			service = cmp.Or(x.names[x.books.initials[x.initial[token]].App], service)
		case 1:
			token = ""
		case 2:
			token, service, in["grant_types"] = "", "ajar", []any{"authorization_code", "client_credentials"}
		}
		x.power.shown = x.initial[token]
		x.registered(x.ask(http.MethodPost, "/OAuth2/Register/"+service, token, in))
	},
	"changes a client by its token": func(x *turn) {
		token, id, service := x.managed()
		x.registered(x.ask(http.MethodPut, "/OAuth2/Register/"+service+"/"+id, token, x.metadata(id)))
	},
	"deletes a client by its token": func(x *turn) {
		if x.seldom() {
			token, id, service := x.managed()
			x.ask(http.MethodDelete, "/OAuth2/Register/"+service+"/"+id, token, nil)
		}
	},
	"makes a client": func(x *turn) {
		x.me("/SaasManage/CreateClient", members{"ServiceName": x.service(), "Metadata": x.metadata("")})
	},
	"changes a client": func(x *turn) {
		id := x.pick("client", slices.Sorted(maps.Keys(x.books.clients)))
		x.me("/SaasManage/UpdateClient", members{"ServiceName": x.names[x.books.clients[id].app], "ClientId": id, "Metadata": x.metadata("")})
	},
	"deletes a client": func(x *turn) {
		id := x.pick("client", slices.Sorted(maps.Keys(x.books.clients)))
		x.me("/SaasManage/DeleteClient", members{"ServiceName": x.names[x.books.clients[id].app], "ClientId": id})
	},
	"makes a token for a client": func(x *turn) {
		service := x.service()
		a := x.me("/OAuth2/CreateClientToken", members{"ServiceName": service, "ClientId": x.clientOf[service], "Scopes": "read"})
		if a.member("access_token") != "" && !x.power.edits(x.keys[service]) {
			x.rt.Errorf("%s makes a token for the client of %s", x.names[x.power.who], service)
		}
	},

	"has a device ask": func(x *turn) {
		service := x.service()
		a := x.ask(http.MethodPost, "/OAuth2/DeviceAuthorization/"+service, "", x.client(service, "scope", "openid read"))
		if code := a.member("user_code"); code != "" {
			x.codes = append(x.codes, code)
			x.waits = append(x.waits, x.client(service, "grant_type", oauth.DeviceGrant, "device_code", a.member("device_code")))
		}
	},
	"decides for a device": func(x *turn) {
		x.ask(http.MethodPost, oauth.DevicePath, x.bearer(x.power.who), url.Values{"user_code": {x.pick("code", x.codes)}, "do": {x.pick("do", []string{"agree", "agree", "refuse"})}})
	},
	"has somebody asked": func(x *turn) {
		service := x.service()
		a := x.ask(http.MethodPost, "/OAuth2/BackchannelAuthorize/"+service, "", x.client(service, "scope", "openid read", "login_hint", x.logins[x.pick("whom", x.people[:11])]))
		if id := a.member("auth_req_id"); id != "" {
			x.waits = append(x.waits, x.client(service, "grant_type", oauth.BackchannelGrant, "auth_req_id", id))
		}
	},
	"decides what somebody is asked": func(x *turn) {
		x.me("/OAuth2/DecideBackchannelRequest", members{"ID": x.pick("request", slices.Sorted(maps.Keys(x.books.asked))), "Approve": !x.seldom()})
	},
	"asks what was decided": func(x *turn) {
		if len(x.waits) > 0 {
			i := rapid.IntRange(0, len(x.waits)-1).Draw(x.rt, "which")
			x.ask(http.MethodPost, "/OAuth2/Token/"+x.waits[i].Get("service"), "", x.waits[i])
		}
	},
}

func (x *turn) fresh(prefix string) string { return x.game.fresh(prefix) }

func (x *turn) seldom() bool { return rapid.IntRange(0, 3).Draw(x.rt, "really") == 0 }

func (x *turn) item() string { return x.pick("item", slices.Sorted(maps.Keys(x.books.kept))) }

// keepers are those who keep something.
func (x *turn) keepers() (out []string) {
	for _, s := range x.books.kept {
		out = append(out, s.owner)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// provisioned remembers a token that was told.
func (x *turn) provisioned(a answer, whose string) {
	if token := a.member("Token"); token != "" {
		x.provisioning[token] = whose
	}
}

// scim asks as who plays, or by a provisioning token, which acts as its service user.
func (x *turn) scim(method, path string, in any) {
	bearer := x.bearer(x.power.who)
	if len(x.provisioning) > 0 && rapid.IntRange(0, 1).Draw(x.rt, "by token") == 0 {
		bearer = x.one("provisioning token", x.provisioning)
		x.power.who = x.provisioning[bearer]
		x.power.is = x.before[x.power.who]
	}
	x.ask(method, "/scim/v2/"+path, bearer, in)
}

// some are members of a group.
func (x *turn) some() []any {
	return []any{members{"value": x.pick("member", append(slices.Clone(x.people), x.roles...))}}
}

// metadata is what a client says of itself.
func (x *turn) metadata(id string) members {
	out := members{"client_name": x.fresh("client"), "redirect_uris": []any{"https://client.test/back"}}
	if rapid.IntRange(0, 2).Draw(x.rt, "machine") == 0 {
		out["grant_types"] = []any{"authorization_code", "client_credentials"}
	}
	if id != "" {
		out["client_id"] = id
	}
	return out
}

// registered remembers the token by which a client manages itself.
func (x *turn) registered(a answer) {
	if token := a.member("registration_access_token"); token != "" {
		maps.DeleteFunc(x.managing, func(_, id string) bool { return id == a.member("client_id") })
		x.managing[token] = a.member("client_id")
	}
}

// managed draws a registration access token and a client to use it on, most often its own.
func (x *turn) managed() (token, id, service string) {
	token = x.one("registration token", x.managing)
	id = x.managing[token]
	x.power.manages = id
	if x.seldom() {
		id = x.pick("another client", slices.Sorted(maps.Keys(x.books.clients)))
	}
	return token, cmp.Or(id, "none"), cmp.Or(x.names[x.books.clients[id].app], "shut")
}

// client is a form of an application's own client, with its secret.
func (x *turn) client(service string, of ...string) url.Values {
	out := url.Values{"client_id": {x.clientOf[service]}, "client_secret": {tokensSecret}, "service": {service}}
	for i := 0; i < len(of); i += 2 {
		out.Set(of[i], of[i+1])
	}
	return out
}
