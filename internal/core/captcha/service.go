package captcha

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"limen/internal/call"
	"limen/internal/core/setting"
)

// verdict is what a service says (developers.google.com/recaptcha/docs/verify, and those that follow it).
type verdict struct {
	Success bool     `json:"success"`
	Score   *float64 `json:"score"` // 0 to 1, of services that give one
}

// ask has the tenant's service check what it gave a browser. Faults: ErrWrong, ErrService.
func (k *Captchas) ask(ctx context.Context, c *call.Call, v *setting.Values, answer string) error {
	secret, err := k.Settings.Open(ctx, c.Tenant.ID, setting.CaptchaSecret, v.Captcha.Secret)
	if err != nil {
		return err
	}
	form := url.Values{"secret": {secret}, "response": {answer}, "remoteip": {c.Client.IP.Unmap().String()}}
	status, body, err := k.Post(ctx, v.Captcha.Service, form)
	if err != nil {
		return ErrService.Because(err)
	}
	var said verdict
	if status != http.StatusOK || json.Unmarshal(body, &said) != nil {
		return ErrService
	}
	if !said.Success || said.Score != nil && *said.Score*100 < float64(v.Captcha.Score) {
		return ErrWrong
	}
	return nil
}
