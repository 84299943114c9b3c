package mfa

import (
	"testing"

	"limen/internal/wire/qrcode"
)

// The picture is drawn in the transaction of its enrolment; it must not hold other writers up.
func BenchmarkPicture(b *testing.B) {
	uri := "otpauth://totp/Acme%20Corporation:somebody%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Acme%20Corporation&algorithm=SHA1&digits=6&period=30"
	for b.Loop() {
		image, err := qrcode.PNG(uri)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(image)))
	}
}
