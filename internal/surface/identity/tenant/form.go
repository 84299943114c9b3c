package tenant

import (
	"errors"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/picture"
	"limen/internal/core/setting"
	"limen/internal/fault"
	"limen/internal/op"
)

// customers declares the operations on the tenant's settings record.
func (t Tenant) customers() []op.Op {
	faults := append([]*fault.Error{picture.ErrForm, picture.ErrLarge, fault.ErrNoArgs, fault.ErrInvalid}, settingFaults...)
	return []op.Op{
		op.New(op.Spec{Path: "/TenantConfig/GetCustomerConfig", Allow: administrator, Effect: op.Read}, t.GetCustomerConfig),
		op.Prepared(op.Spec{Path: "/TenantConfig/SetCustomerConfig", Allow: op.System, Effect: op.Write, Audit: audit.SettingChange, Faults: faults},
			t.sealCustomer, t.SetCustomerConfig),
		op.Prepared(op.Spec{Path: "/TenantConfig/ResetPortalConfig", Allow: op.System, Effect: op.Write, Audit: audit.SettingChange, Faults: settingFaults},
			t.preparePortal, t.ResetPortalConfig),
	}
}

// maxCustomerList bounds the lists of the record.
const maxCustomerList = 100

var hexColor = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`).MatchString

// checkForm checks a field of the record whose setting has no form of its own.
func checkForm(f reflect.StructField, v customerField) error {
	switch v := v.(type) {
	case op.Opt[string]:
		text := v.Or("")
		switch {
		case text == "" || !strings.HasPrefix(f.Tag.Get("setting"), "Customer."):
		case f.Tag.Get("form") == "color" && !hexColor(text):
			return fault.Bad(f.Name, "must be a color as #1d5aa6")
		case len(text) > 500:
			return fault.Bad(f.Name, "may have 500 bytes")
		}
	case op.Opt[int]:
		most, err := strconv.Atoi(f.Tag.Get("most"))
		if n, ok := v.Get(); err == nil && ok && (n < 0 || n > most) {
			return fault.Bad(f.Name, "must be a whole number from 0 to %d", most)
		}
	case op.Opt[[]string]:
		if len(v.Or(nil)) > maxCustomerList {
			return fault.Bad(f.Name, "may have 100 entries")
		}
		for _, one := range v.Or(nil) {
			if len(one) > 500 {
				return fault.Bad(f.Name, "may have entries of 500 bytes")
			}
		}
	}
	return nil
}

// named is a fault of a setting, under the name of the record's field.
func named(err error) error {
	f := fault.Of(err)
	if err == nil || !errors.Is(f, setting.ErrValue) || f.Field == "" {
		return err
	}
	t := reflect.TypeFor[CustomerConfig]()
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("json"); t.Field(i).Tag.Get("setting") == f.Field {
			return f.At(name).Say("%s", strings.ReplaceAll(f.Public, f.Field, name))
		}
	}
	return err
}
