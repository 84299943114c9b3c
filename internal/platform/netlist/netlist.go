// Package netlist reads lists of networks that somebody else keeps: one address or network a line, whatever stands behind it.
package netlist

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	"limen/internal/platform/watched"
)

// maxSize bounds what is read into memory: lists of whole countries' networks have some megabytes.
const maxSize = 64 << 20

// ErrUnread says that a list has not been read, although there should be one.
var ErrUnread = errors.New("a list of networks has not been read")

// Lists are files, read anew as they change.
type Lists struct{ files []*watched.File[list] }

// New names the files; now is time.Now when nil.
func New(paths []string, log *slog.Logger, now func() time.Time) *Lists {
	out := &Lists{}
	for _, path := range paths {
		out.files = append(out.files, &watched.File[list]{Path: path, What: "the list of networks", Most: maxSize, Log: log, Now: now, Read: parse})
	}
	return out
}

// Find gives the name of the first list that has an address, without the directory; empty: none has. ErrUnread where none of those that were read has it
// and others were not.
func (l *Lists) Find(ip netip.Addr) (string, error) {
	var err error
	for _, f := range l.files {
		switch of := f.Get(); {
		case of == nil:
			err = ErrUnread
		case of.has(ip):
			return filepath.Base(f.Path), nil
		}
	}
	return "", err
}

// list is the networks by their size.
type list struct {
	four, six [129]map[netip.Addr]struct{}
	sizes     [2][]int // in which there are any: of IPv4, of IPv6
}

func (l *list) has(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	of, sizes := &l.four, l.sizes[0]
	if ip.Is6() {
		of, sizes = &l.six, l.sizes[1]
	}
	for _, bits := range sizes {
		if p, err := ip.Prefix(bits); err == nil {
			if _, in := of[bits][p.Addr()]; in {
				return true
			}
		}
	}
	return false
}

func (l *list) add(p netip.Prefix) {
	p = p.Masked()
	of, at := &l.four, 0
	if p.Addr().Is6() {
		of, at = &l.six, 1
	}
	if of[p.Bits()] == nil {
		of[p.Bits()] = map[netip.Addr]struct{}{}
		l.sizes[at] = append(l.sizes[at], p.Bits())
	}
	of[p.Bits()][p.Addr()] = struct{}{}
}

// parse reads lines that begin with an address or a network; from a # or ; on they are remarks. A file with a line that is neither is read no further:
// half a list would pass for a whole one.
func parse(text []byte) (*list, error) {
	out, n := &list{}, 0
	for line := range bytes.Lines(text) {
		n++
		if at := bytes.IndexAny(line, "#;"); at >= 0 {
			line = line[:at]
		}
		words := strings.Fields(string(line))
		if len(words) == 0 {
			continue
		}
		p, err := network(words[0])
		if err != nil {
			return nil, fmt.Errorf("line %d is neither an address nor a network: %.60q", n, words[0])
		}
		out.add(p)
	}
	return out, nil
}

// network refuses networks of everybody: nobody means them.
func network(word string) (netip.Prefix, error) {
	if ip, err := netip.ParseAddr(word); err == nil {
		ip = ip.Unmap().WithZone("")
		return netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	p, err := netip.ParsePrefix(word)
	switch {
	case err != nil:
		return p, err
	case p.Addr().Is4In6() && p.Bits() > 96:
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96), nil
	case p.Bits() == 0 || p.Addr().Is4In6():
		return p, errors.New("it is every network")
	}
	return p, nil
}
