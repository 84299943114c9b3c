package crypt

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	imported "github.com/go-crypt/crypt"
	"github.com/go-crypt/crypt/algorithm"
	argon2x "github.com/go-crypt/crypt/algorithm/argon2"
	"github.com/go-crypt/crypt/algorithm/bcrypt"
	"github.com/go-crypt/crypt/algorithm/pbkdf2"
	"github.com/go-crypt/crypt/algorithm/scrypt"
	"github.com/go-crypt/crypt/algorithm/shacrypt"
)

// phc is a password hash taken apart. Only argon2id, our own form, is taken apart whole; for imported ones digest does
// the work.
type phc struct {
	algorithm      string
	memory, passes uint32 // memory in KiB
	lanes          uint8
	salt, key      []byte
	digest         algorithm.Digest
}

// Limits on the work that a stored hash may ask for. They leave room for what careful systems use, and keep one
// imported row from holding a core for long or from taking the machine's memory.
const (
	maxHashText     = 512
	maxHashMemory   = 256 << 10 // KiB
	maxHashPasses   = 1 << 20   // KiB times passes
	maxHashLanes    = 16
	maxBcryptCost   = 15
	maxPBKDF2Rounds = 5_000_000
	maxSHACrypt     = 5_000_000
	maxScryptCost   = 20 // log2 N
)

// CheckHash says whether a hash from another system can be verified here: argon2 (id, i, d), bcrypt ($2a$ $2b$ $2x$
// $2y$, $bcrypt-sha256$), PBKDF2 ($pbkdf2-sha1$ to -sha512$, {PBKDF2-SHA256}), scrypt ($scrypt$) and SHA-crypt ($5$,
// $6$), also behind LDAP's {CRYPT} and {ARGON2}. It fails with ErrHash or ErrHashCost. Unsalted, plain and MD5 forms
// are refused.
func CheckHash(hash string) error {
	_, err := parseHash(hash)
	return err
}

func parseHash(text string) (phc, error) {
	if len(text) > maxHashText {
		return phc{}, ErrHash.Because(errors.New("it is too long"))
	}
	text = imported.Normalize(text)
	parts := strings.Split(text, "$")
	if len(parts) < 4 || parts[0] != "" {
		return phc{}, ErrHash.Because(errors.New("it is not of the form $algorithm$..."))
	}
	p := phc{algorithm: parts[1]}
	decode, err := p.bounds(parts[2:])
	if err != nil || decode == nil {
		return p, err
	}
	if p.digest, err = decode(text); err != nil {
		return phc{}, ErrHash.Because(err)
	}
	return p, nil
}

type decoder func(string) (algorithm.Digest, error)

// bounds checks the cost before anything runs, and says who decodes the rest; nil when it is done.
func (p *phc) bounds(rest []string) (decoder, error) {
	switch p.algorithm {
	case "argon2id", "argon2i", "argon2d":
		return p.argon2(rest)
	case "2", "2a", "2b", "2x", "2y":
		return bcrypt.Decode, within(rest[0], 4, maxBcryptCost)
	case "bcrypt-sha256":
		costs, err := options(rest[0], "v", "t", "r")
		if err != nil {
			return nil, err
		}
		return bcrypt.Decode, within(costs["r"], 4, maxBcryptCost)
	case "pbkdf2", "pbkdf2-sha1", "pbkdf2-sha224", "pbkdf2-sha256", "pbkdf2-sha384", "pbkdf2-sha512":
		if len(rest) != 3 || len(rest[2]) < 22 || len(rest[2]) > 128 {
			return nil, ErrHash.Because(errors.New("its digest has an odd length"))
		}
		return pbkdf2.Decode, within(rest[0], 1, maxPBKDF2Rounds)
	case "scrypt":
		return p.scrypt(rest)
	case "5", "6":
		return p.shacrypt(rest)
	}
	return nil, ErrHash.Because(errors.New("its algorithm is not supported"))
}

func (p *phc) argon2(rest []string) (decoder, error) {
	if len(rest) != 4 || rest[0] != "v=19" {
		return nil, ErrHash.Because(errors.New("only version 19 of argon2 is supported"))
	}
	costs, err := options(rest[1], "m", "t", "p")
	if err != nil {
		return nil, err
	}
	m, errM := number(costs["m"], 8, maxHashMemory)
	t, errT := number(costs["t"], 1, maxHashPasses)
	l, errL := number(costs["p"], 1, maxHashLanes)
	if err = errors.Join(errM, errT, errL); err != nil {
		return nil, ErrHashCost.Because(err)
	}
	if m*t > maxHashPasses {
		return nil, ErrHashCost.Because(errors.New("memory times passes is too much"))
	}
	p.memory, p.passes, p.lanes = uint32(m), uint32(t), uint8(l)
	if p.salt, err = base64.RawStdEncoding.DecodeString(rest[2]); err == nil {
		p.key, err = base64.RawStdEncoding.DecodeString(rest[3])
	}
	if err != nil || len(p.salt) < 8 || len(p.key) < 16 || len(p.key) > 64 {
		return nil, ErrHash.Because(errors.New("its salt or digest is damaged"))
	}
	if p.algorithm == "argon2id" {
		return nil, nil
	}
	return argon2x.Decode, nil
}

func (p *phc) scrypt(rest []string) (decoder, error) {
	if len(rest) != 3 || len(rest[2]) < 22 || len(rest[2]) > 128 {
		return nil, ErrHash.Because(errors.New("its digest has an odd length"))
	}
	costs, err := options(rest[0], "ln", "r", "p")
	if err != nil {
		return nil, err
	}
	ln, errN := number(costs["ln"], 1, maxScryptCost)
	r, errR := number(costs["r"], 1, 64)
	l, errP := number(costs["p"], 1, maxHashLanes)
	if err = errors.Join(errN, errR, errP); err != nil {
		return nil, ErrHashCost.Because(err)
	}
	if memory := 128 * r << ln >> 10; memory > maxHashMemory || memory*l > maxHashPasses {
		return nil, ErrHashCost.Because(errors.New("memory times lanes is too much"))
	}
	return scrypt.Decode, nil
}

func (p *phc) shacrypt(rest []string) (decoder, error) {
	if len(rest) == 3 {
		costs, err := options(rest[0], "rounds")
		if err != nil {
			return nil, err
		}
		if err = within(costs["rounds"], 1000, maxSHACrypt); err != nil {
			return nil, err
		}
		rest = rest[1:]
	}
	want := map[string]int{"5": 43, "6": 86}[p.algorithm]
	if len(rest) != 2 || len(rest[0]) > 16 || len(rest[1]) != want {
		return nil, ErrHash.Because(errors.New("its salt or digest is damaged"))
	}
	return shacrypt.Decode, nil
}

// options reads "a=1,b=2": each name once and none beside the known ones, so that no other reader sees other values.
func options(text string, names ...string) (map[string]string, error) {
	out := make(map[string]string, len(names))
	for _, part := range strings.Split(text, ",") {
		name, value, _ := strings.Cut(part, "=")
		known := false
		for _, n := range names {
			known = known || n == name
		}
		if _, twice := out[name]; twice || !known {
			return nil, ErrHash.Because(errors.New("its parameters are unknown or given twice"))
		}
		out[name] = value
	}
	return out, nil
}

func within(text string, low, high uint64) error {
	if _, err := number(text, low, high); err != nil {
		return ErrHashCost.Because(err)
	}
	return nil
}

func number(text string, low, high uint64) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("a parameter is outside %d to %d", low, high)
	}
	return n, nil
}

// match does the work; the caller holds a slot.
func (p phc) match(password string) (bool, error) {
	if p.digest == nil {
		return Same(p.derive(password, uint32(len(p.key))), p.key), nil
	}
	if strings.HasPrefix(p.algorithm, "2") && len(password) > bcrypt.PasswordInputSizeMax {
		// The systems that made these hashes cut there.
		password = password[:bcrypt.PasswordInputSizeMax]
	}
	ok, err := p.digest.MatchAdvanced(password)
	if err != nil {
		return false, ErrHash.Because(err)
	}
	return ok, nil
}

// String is the PHC form of our own hashes.
func (p phc) String() string {
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", p.memory, p.passes, p.lanes, enc.EncodeToString(p.salt), enc.EncodeToString(p.key))
}
