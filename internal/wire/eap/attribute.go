package eap

import "encoding/binary"

// Attributes of EAP-TTLS, which are those of RADIUS (RFC 5281 section 10).
const (
	AttributeName     = 1
	AttributePassword = 2
)

const (
	flagVendor    = 0x80
	flagMandatory = 0x40
	maxAttributes = 64
)

// Attribute is one that came through a tunnel of EAP-TTLS.
type Attribute struct {
	Vendor    uint32 // 0: none's
	Code      uint32
	Mandatory bool // whoever does not understand it must refuse
	Value     []byte
}

// ParseAttributes reads what came through a tunnel of EAP-TTLS. Each attribute but the last is padded to four bytes.
func ParseAttributes(b []byte) (out []Attribute, err error) {
	for len(b) > 0 {
		if len(b) < 8 || len(out) == maxAttributes {
			return nil, ErrMalformed
		}
		a := Attribute{Code: binary.BigEndian.Uint32(b), Mandatory: b[4]&flagMandatory != 0}
		n, from := int(binary.BigEndian.Uint32(b[4:8])&0xffffff), 8
		if b[4]&flagVendor != 0 {
			from = 12
		}
		if n < from || n > len(b) {
			return nil, ErrMalformed
		}
		if from == 12 {
			a.Vendor = binary.BigEndian.Uint32(b[8:12])
		}
		a.Value = b[from:n]
		out = append(out, a)
		b = b[min(len(b), (n+3)&^3):]
	}
	return out, nil
}

// AppendAttribute writes an attribute, padded.
func AppendAttribute(b []byte, a Attribute) []byte {
	n, flags := 8+len(a.Value), uint32(0)
	if a.Vendor != 0 {
		n, flags = n+4, flags|flagVendor
	}
	if a.Mandatory {
		flags |= flagMandatory
	}
	b = binary.BigEndian.AppendUint32(b, a.Code)
	b = binary.BigEndian.AppendUint32(b, flags<<24|uint32(n))
	if a.Vendor != 0 {
		b = binary.BigEndian.AppendUint32(b, a.Vendor)
	}
	b = append(b, a.Value...)
	return append(b, make([]byte, -n&3)...)
}
