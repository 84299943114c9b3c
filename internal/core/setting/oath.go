package setting

import "slices"

// OathProfile is how the product's own OATH profiles are made (core/factor/oath, Profiles.Own).
type OathProfile struct {
	Issuer        string // empty: the organization
	Algorithm     string
	Digits        int
	Type          string // TOTP or HOTP
	Period        int    // seconds
	Counter       int    // of the first code of HOTP
	SeedBySession bool   // a session of the owner's is told the secret, without a signature of their authenticator
}

// Names of the settings.
const (
	OathIssuer    = "OathProfile.Issuer"
	OathAlgorithm = "OathProfile.Algorithm"
	OathDigits    = "OathProfile.Digits"
	OathType      = "OathProfile.Type"
	OathPeriod    = "OathProfile.Period"
	OathCounter   = "OathProfile.Counter"
)

var oathKeys = []Key{
	text(OathIssuer, "", 200, "Issuer that the product's own OATH profiles name; empty: the organization.", func(v *Values) *string { return &v.Oath.Issuer }, oneLine),
	text(OathAlgorithm, "SHA1", 6, "Hash of their codes: SHA1, SHA256 or SHA512.", func(v *Values) *string { return &v.Oath.Algorithm },
		isForm(among("SHA1", "SHA256", "SHA512"), "SHA1, SHA256 or SHA512")),
	integer(OathDigits, 6, 6, 8, "Digits of their codes.", func(v *Values) *int { return &v.Oath.Digits }),
	text(OathType, "TOTP", 4, "TOTP for codes by time, HOTP for codes by count.", func(v *Values) *string { return &v.Oath.Type },
		isForm(among("TOTP", "HOTP"), "TOTP or HOTP")),
	integer(OathPeriod, 30, 15, 300, "Seconds for which a code by time is shown.", func(v *Values) *int { return &v.Oath.Period }),
	integer(OathCounter, 0, 0, 1<<53, "Count of the first code by count.", func(v *Values) *int { return &v.Oath.Counter }),
	boolean("OathProfile.SeedBySession", false,
		"Tell the secret of somebody's own profile to a fresh session of theirs, without a signature of their authenticator, as apps of other makers ask for it.",
		func(v *Values) *bool { return &v.Oath.SeedBySession }),
}

func among(all ...string) func(string) bool {
	return func(s string) bool { return slices.Contains(all, s) }
}
