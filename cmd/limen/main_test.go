package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"limen/internal/app"
	"limen/internal/config"
	"limen/internal/fault"
)

// all gives commands that print what they were called with.
func all(out *strings.Builder) *app.Commands {
	say := func(name string) func(context.Context, config.Settings) error {
		return func(_ context.Context, s config.Settings) error {
			fmt.Fprint(out, name, " ", s.Data)
			return nil
		}
	}
	return &app.Commands{
		Out: out, Serve: say("serve"), Migrate: say("migrate"), Check: say("check"),
		Backup: func(_ context.Context, s config.Settings, to string) error { return say("backup to "+to)(nil, s) },
		Restore: func(_ context.Context, s config.Settings, from string, force bool) error {
			return say(fmt.Sprint("restore ", from, force))(nil, s)
		},
		Reset: func(_ context.Context, s config.Settings, r app.PasswordReset) error {
			return say(fmt.Sprintf("%+v", r))(nil, s)
		},
		Tenant: func(_ context.Context, s config.Settings, n app.NewTenant) error {
			return say(fmt.Sprintf("%+v", n))(nil, s)
		},
		Import: func(_ context.Context, s config.Settings, in app.UserImport) error {
			return say(fmt.Sprintf("%+v", in))(nil, s)
		},
		Explain: func(_ context.Context, s config.Settings, q app.Inquiry) error {
			return say(fmt.Sprintf("%+v", q))(nil, s)
		},
		Simulate: func(_ context.Context, s config.Settings, r app.Rehearsal) error {
			return say(fmt.Sprint(r.File, r.Role, r.Days, r.Limit, r.Users, r.AddUsers, r.RemoveRights, r.Delete, r.JSON, r.Device))(nil, s)
		},
		Try: func(_ context.Context, s config.Settings, t app.ScriptTrial) error {
			return say(fmt.Sprintf("%+v", t))(nil, s)
		},
		Audit:   func(_ context.Context, s config.Settings, tenant string) error { return say("audit "+tenant)(nil, s) },
		Version: func(context.Context) error { fmt.Fprint(out, "version"); return nil },
	}
}

func TestCommands(t *testing.T) {
	for line, want := range map[string]string{
		"serve":                                "serve from-env",
		"serve --data d":                       "serve d",
		"migrate":                              "migrate from-env",
		"backup /b --data d":                   "backup to /b d",
		"restore --force /b":                   "restore /btrue from-env",
		"restore /b":                           "restore /bfalse from-env",
		"admin reset-password anna --stdin":    "{Tenant: User:anna Stdin:true} from-env",
		"admin reset-password --tenant T anna": "{Tenant:T User:anna Stdin:false} from-env",
		"admin add-tenant T --suffix a,b --tenant-host h":                         "{ID:T Suffixes:[a b] Hosts:[h]} from-env",
		"audit verify --tenant T":                                                 "audit T from-env",
		"import users f --dry-run --tenant T":                                     "{Tenant:T File:f DryRun:true Report: ByMail:false BySMS:false} from-env",
		"import users - --invite sms,mail --report a@b":                           "{Tenant: File:- DryRun:false Report:a@b ByMail:true BySMS:true} from-env",
		"explain right anna read --json --tenant T":                               "{Tenant:T JSON:true User:anna Right:read Setting: Operation: Object: Request: IP: Time: Agent: Risk: Device:} from-env",
		"explain sign-in anna --ip ::1 --time t --device known --risk High":       "{Tenant: JSON:false User:anna Right: Setting: Operation: Object: Request: IP:::1 Time:t Agent: Risk:High Device:known} from-env",
		"explain setting anna k":                                                  "{Tenant: JSON:false User:anna Right: Setting:k Operation: Object: Request: IP: Time: Agent: Risk: Device:} from-env",
		"explain operation anna /p --object bert":                                 "{Tenant: JSON:false User:anna Right: Setting: Operation:/p Object:bert Request: IP: Time: Agent: Risk: Device:} from-env",
		"explain request r":                                                       "{Tenant: JSON:false User: Right: Setting: Operation: Object: Request:r IP: Time: Agent: Risk: Device:} from-env",
		"simulate policy f --days 3 --user a,b --json":                            "f3 100 [a b] [] [] false true from-env",
		"simulate role r --add-user a --remove-right x --delete --device unknown": "r7 100 [] [a] [x] true falseunknown from-env",
		"try claims Wiki anna f --scopes openid --client c --json":                "{Tenant: JSON:true App:Wiki User:anna Kind:OpenIDConnectScript File:f Client:c Scopes:openid} from-env",
		"try policy Wiki anna --tenant T":                                         "{Tenant:T JSON:false App:Wiki User:anna Kind:PolicyScript File: Client: Scopes:} from-env",
		"check":                                                                   "check from-env",
		"version":                                                                 "version",
	} {
		var out, errs strings.Builder
		code := run(context.Background(), strings.Fields(line), []string{"LIMEN_DATA=from-env"}, all(&out), &errs)
		if code != 0 || out.String() != want || errs.Len() > 0 {
			t.Errorf("%s: %d %q %q", line, code, out.String(), errs.String())
		}
	}
}

func TestMistakes(t *testing.T) {
	for line, want := range map[string]string{
		"sreve":                     "unexpected argument sreve",
		"serve --lsiten :1":         `did you mean "--listen"`,
		"serve --listen x":          "flag --listen: listen is HOST:PORT",
		"backup":                    "expected \"<to>\"",
		"version --data x":          "unknown flag --data",
		"serve --config /no/such/f": "no such file",
	} {
		var out, errs strings.Builder
		if code := run(context.Background(), strings.Fields(line), nil, all(&out), &errs); code != 2 || !strings.Contains(errs.String(), want) || out.Len() > 0 {
			t.Errorf("%s: %d %q %q", line, code, out.String(), errs.String())
		}
	}
}

func TestFailure(t *testing.T) {
	var out, errs strings.Builder
	c := all(&out)
	c.Serve = func(context.Context, config.Settings) error {
		return fault.New(fault.Internal, "x.y", "It cannot start.").Because(errors.New("disk full"))
	}
	if code := run(context.Background(), []string{"serve"}, nil, c, &errs); code != 1 || errs.String() != "limen: It cannot start.\ndisk full\n" {
		t.Error(code, errs.String())
	}
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{nil, {"--help"}, {"serve", "--help"}, {"admin", "reset-password", "--help"}, {"import", "users", "--help"}, {"explain", "sign-in", "--help"}, {"simulate", "role", "--help"}, {"try", "claims", "--help"}} {
		var out, errs strings.Builder
		if code := run(context.Background(), args, nil, all(&out), &errs); code != 0 || !strings.Contains(out.String(), "limen ") || errs.Len() > 0 {
			t.Error(args, code, out.String(), errs.String())
		}
	}
}

func TestOnlyWhatExistsIsMounted(t *testing.T) {
	var out, errs strings.Builder
	c := all(&out)
	c.Backup = nil
	if code := run(context.Background(), []string{"backup", "/b"}, nil, c, &errs); code != 2 {
		t.Error(code)
	}
	run(context.Background(), nil, nil, c, &errs)
	if strings.Contains(out.String(), "backup  ") || !strings.Contains(out.String(), "serve ") {
		t.Error(out.String())
	}
}
