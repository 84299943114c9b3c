package oath_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"limen/internal/core/factor/oath"
)

// Codes are those of oathtool, for every algorithm, length and period.
func TestAgainstOathtool(t *testing.T) {
	tool, err := exec.LookPath("oathtool")
	if err != nil {
		if os.Getenv("LIMEN_TEST_OATHTOOL") != "" {
			t.Fatal(err)
		}
		t.Skip("oathtool is not installed")
	}
	compare := func(got string, args ...string) {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), tool, append(args, "--base32", aliceKey)...).CombinedOutput()
		if err != nil {
			t.Fatal(args, err, string(out))
		}
		if want := strings.TrimSpace(string(out)); got != want {
			t.Errorf("%s: %s, want %s", strings.Join(args, " "), got, want)
		}
	}
	code := func(algorithm string, digits int, at int64) string {
		code, err := oath.Code(aliceKey, algorithm, digits, at)
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	for digits := 6; digits <= 8; digits++ {
		for _, algorithm := range []string{"SHA1", "SHA256", "SHA512"} {
			for _, period := range []int64{15, 30, 60, 300} {
				const now = 1_900_000_000
				compare(code(algorithm, digits, now/period), fmt.Sprint("--digits=", digits), "--totp="+algorithm,
					fmt.Sprintf("--time-step-size=%ds", period), fmt.Sprintf("--now=@%d", now))
			}
		}
		for _, count := range []int64{0, 1, 999_999} {
			compare(code("SHA1", digits, count), fmt.Sprint("--digits=", digits), fmt.Sprint("--counter=", count))
		}
	}
}
