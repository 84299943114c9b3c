package dbx

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"
)

// bindable turns an argument into what the SQLite drivers take: nil, int64, float64, string or []byte.
func bindable(v any) (any, error) {
	switch v := v.(type) {
	case nil, int64, float64, string, []byte:
		return v, nil
	case bool:
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	case []string: // of "= ANY(?)"
		b, err := json.Marshal(v)
		return string(b), err
	case int:
		return int64(v), nil
	}
	c, err := driver.DefaultParameterConverter.ConvertValue(v)
	if err != nil {
		return nil, err
	}
	switch c := c.(type) {
	case time.Time:
		return nil, fmt.Errorf("times are int64 milliseconds")
	case bool:
		return bindable(c)
	}
	return c, nil
}

// cell reads one value of a SQLite row.
type cell interface {
	kind(i int) cellKind
	int(i int) int64
	float(i int) float64
	text(i int) string
	blob(i int) []byte // a copy
}

type cellKind uint8

const (
	isNull cellKind = iota
	isInt
	isFloat
	isText
	isBlob
)

// load stores column i in dst, which is a pointer.
func load(c cell, i int, dst any) error {
	kind := c.kind(i)
	switch d := dst.(type) {
	case *string:
		if kind == isText {
			*d = c.text(i)
			return nil
		}
	case *int64:
		if kind == isInt {
			*d = c.int(i)
			return nil
		}
	case *bool:
		if kind == isInt {
			return loadBool(d, c.int(i))
		}
	case *[]byte:
		switch kind {
		case isNull:
			*d = nil
			return nil
		case isBlob:
			*d = c.blob(i)
			return nil
		case isText:
			*d = []byte(c.text(i))
			return nil
		}
	case sql.Scanner:
		return d.Scan(loadAny(c, i, kind))
	case *any:
		*d = loadAny(c, i, kind)
		return nil
	}
	return loadSlow(c, i, kind, reflect.ValueOf(dst).Elem())
}

func loadBool(d *bool, n int64) error {
	if n != 0 && n != 1 {
		return fmt.Errorf("%d is not a boolean", n)
	}
	*d = n == 1
	return nil
}

func loadAny(c cell, i int, kind cellKind) any {
	switch kind {
	case isInt:
		return c.int(i)
	case isFloat:
		return c.float(i)
	case isText:
		return c.text(i)
	case isBlob:
		return c.blob(i)
	}
	return nil
}

// loadSlow handles pointers, named types, smaller integers and the conversions that lose nothing.
func loadSlow(c cell, i int, kind cellKind, v reflect.Value) error {
	if v.Kind() == reflect.Pointer {
		if kind == isNull {
			v.SetZero()
			return nil
		}
		p := reflect.New(v.Type().Elem())
		if err := load(c, i, p.Interface()); err != nil {
			return err
		}
		v.Set(p)
		return nil
	}
	if kind == isNull {
		return fmt.Errorf("column %d: NULL into %s", i+1, v.Type())
	}
	switch v.Kind() {
	case reflect.String:
		switch kind {
		case isText:
			v.SetString(c.text(i))
			return nil
		case isInt:
			v.SetString(strconv.FormatInt(c.int(i), 10))
			return nil
		}
	case reflect.Bool:
		if kind == isInt {
			var b bool
			err := loadBool(&b, c.int(i))
			v.SetBool(b)
			return err
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, ok := c.int(i), kind == isInt
		if kind == isFloat {
			f := c.float(i)
			n, ok = int64(f), f == math.Trunc(f) && math.Abs(f) < 1<<53
		}
		if ok && !v.OverflowInt(n) {
			v.SetInt(n)
			return nil
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if n := c.int(i); kind == isInt && n >= 0 && !v.OverflowUint(uint64(n)) {
			v.SetUint(uint64(n))
			return nil
		}
	case reflect.Float64, reflect.Float32:
		switch kind {
		case isFloat:
			v.SetFloat(c.float(i))
			return nil
		case isInt:
			v.SetFloat(float64(c.int(i)))
			return nil
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 && (kind == isBlob || kind == isText) {
			v.SetBytes(c.blob(i))
			return nil
		}
	}
	return fmt.Errorf("column %d: a %s does not fit %s", i+1, kind, v.Type())
}

func (k cellKind) String() string {
	return [...]string{"NULL", "integer", "float", "text", "blob"}[k]
}
