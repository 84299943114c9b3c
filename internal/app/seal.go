package app

import (
	"context"
	"fmt"
	"strings"
)

// piece is how much of a file is sealed at a time; the ring takes 1 MiB.
const piece = 1 << 20

// sealFile protects what may be longer than the ring takes, in pieces that can neither be left out nor put in another order.
func (a *App) sealFile(ctx context.Context, tenant string, plain []byte, aad string) (string, error) {
	if len(plain) <= piece {
		return a.Ring.Seal(ctx, tenant, purposeJob, plain, aad)
	}
	n := (len(plain) + piece - 1) / piece
	out := make([]string, n)
	for i := range out {
		var err error
		if out[i], err = a.Ring.Seal(ctx, tenant, purposeJob, plain[i*piece:min((i+1)*piece, len(plain))], pieceOf(aad, i, n)); err != nil {
			return "", err
		}
	}
	return strings.Join(out, "\n"), nil
}

// openFile gives back what sealFile was given.
func (a *App) openFile(ctx context.Context, tenant, sealed, aad string) ([]byte, error) {
	pieces := strings.Split(sealed, "\n")
	if len(pieces) == 1 {
		return a.Ring.Open(ctx, tenant, purposeJob, sealed, aad)
	}
	var out []byte
	for i, p := range pieces {
		plain, err := a.Ring.Open(ctx, tenant, purposeJob, p, pieceOf(aad, i, len(pieces)))
		if err != nil {
			return nil, err
		}
		out = append(out, plain...)
	}
	return out, nil
}

func pieceOf(aad string, i, n int) string { return fmt.Sprintf("%s/%d/%d", aad, i, n) }
