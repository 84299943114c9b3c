package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"time"

	"limen/test/rig"
)

// world is a Limen with people who may use applications.
type world struct {
	server  *rig.Server
	admin   *rig.Client
	certURL string // where it asks clients for certificates
}

// password is everybody's.
const password = "Walk-the-long-way-7"

func newWorld(ctx context.Context, dir, binary string, trusted tls.Certificate) (*world, error) {
	if binary == "" {
		var err error
		if binary, err = rig.Build(ctx, dir); err != nil {
			return nil, err
		}
	}
	// It tells clients of sign-outs and of decisions, and trusts nobody but the suite's front then.
	roots := dir + "/front.pem"
	if err := os.WriteFile(roots, []byte(certPEM(trusted)), 0o600); err != nil {
		return nil, err
	}
	certs, err := rig.FreePort()
	if err != nil {
		return nil, err
	}
	cert, key, err := files(dir, "localhost")
	if err != nil {
		return nil, err
	}
	s, err := rig.New(rig.Options{
		Binary: binary, Data: dir + "/data", Env: []string{"SSL_CERT_FILE=" + roots},
		Args: []string{"--dev", "--tls", cert + "," + key, "--mtls-listen", "127.0.0.1:" + strconv.Itoa(certs)},
	})
	if err != nil {
		return nil, err
	}
	s.CA = cert
	if err := s.Start(ctx); err != nil {
		s.Close()
		return nil, err
	}
	w := &world{server: s, certURL: "https://localhost:" + strconv.Itoa(certs)}
	c, err := s.Client()
	if err != nil {
		return w, err
	}
	if w.admin, err = c.SignIn(ctx, s.Admin, s.Password); err != nil {
		return w, err
	}
	w.admin.Patient = true
	return w, nil
}

// account is somebody who may use applications.
type account struct{ name, mail string }

// account makes somebody. A service user signs in by the password alone, and can be asked for a mailed code beside it.
func (w *world) account(ctx context.Context, name, display string, service bool) (account, error) {
	a := account{name: name + "@limen", mail: name + "@example.com"}
	return a, w.admin.Call(ctx, "/CDirectoryService/CreateUser", map[string]any{
		"Name": a.name, "DisplayName": display, "Password": password, "ServiceUser": service, "Mail": a.mail, "MobileNumber": "+15550100123",
	}, nil)
}

var digits = regexp.MustCompile(`\b\d{6,10}\b`)

// code is what was mailed to an address since a time, once it is there: the program shows what it would send to who started it.
func (w *world) code(ctx context.Context, mail string, since time.Time) (string, error) {
	for ctx.Err() == nil && time.Since(since) < 10*time.Second {
		a, err := w.admin.As("").Do(ctx, http.MethodGet, "/dev/outbox.json?to="+url.QueryEscape(mail), nil, nil)
		if err != nil {
			return "", err
		}
		var sent []struct {
			At   time.Time `json:"at"`
			Text string    `json:"text"`
		}
		if err := json.Unmarshal(a.Body, &sent); err != nil {
			return "", err
		}
		for _, m := range sent {
			if code := digits.FindString(m.Text); m.At.After(since) && code != "" {
				return code, nil
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	return "", errors.Join(ctx.Err(), fmt.Errorf("no code was mailed to %s", mail))
}

// app makes an application for a plan, which the accounts may use, and gives its client's id.
func (w *world) app(ctx context.Context, name string, profile map[string]any, users ...account) (clientID string, err error) {
	var made []struct {
		Key string `json:"_RowKey"`
	}
	if err := w.admin.Call(ctx, "/SaasManage/ImportAppFromTemplate", map[string]any{"ID": []string{"Generic OpenID Connect"}}, &made); err != nil {
		return "", err
	}
	key := made[0].Key
	if err := w.admin.Call(ctx, "/SaasManage/UpdateApplicationDE", map[string]any{"_RowKey": key, "Name": "Suite " + name, "ServiceName": name, "OAuthProfile": profile}, nil); err != nil {
		return "", err
	}
	var grants []map[string]any
	for _, u := range users {
		grants = append(grants, map[string]any{"PType": "User", "Principal": u.name, "Rights": "View,Execute"})
	}
	if err := w.admin.Call(ctx, "/SaasManage/SetApplicationPermissions", map[string]any{"ID": key, "Grants": grants}, nil); err != nil {
		return "", err
	}
	var got struct{ OAuthProfile struct{ ClientID string } }
	err = w.admin.Call(ctx, "/SaasManage/GetApplication", map[string]any{"_RowKey": key}, &got)
	return got.OAuthProfile.ClientID, err
}
