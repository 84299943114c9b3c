package script

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Batch is what a child is asked: one script, and the people to run it for.
type Batch struct {
	Tenant   string   `json:"-"`      // whose time it is
	Bulk     bool     `json:"-"`      // work that leaves half of that time for other work
	Model    Model    `json:"model"`  // what the script is for
	Script   string   `json:"script"` // the body of a function
	People   []Person `json:"people"`
	Roles    []Role   `json:"roles"`
	Reserved []string `json:"reserved,omitempty"` // claims or attributes that a script cannot set
	Now      int64    `json:"now"`                // what the script takes for the time; ms since 1970 UTC
	Trace    bool     `json:"trace"`              // whether what the script says with trace() is wanted
	Names    []string `json:"names,omitempty"`    // of Functions: those that the script has to declare
	Call     string   `json:"call,omitempty"`     // of Functions: the one of them to call for each person, with their arguments; empty: none
	Each     int64    `json:"each"`               // ms that the script may take for one person; set by Pool.Run
}

// Model is what a script is for: what it sees, and how it says what it decides.
type Model string

// The models.
const (
	Member Model = ""       // who is in a role: the script returns true or false
	Claims Model = "claims" // what tokens say: it calls setClaim, setClaimArray, setClaimObject
	Policy Model = "policy" // who may use an application, and how: it sets Locked, Reason, RequiredLevel of policy
	// Mapping is what is told of somebody to where they are provisioned: it calls set and remove.
	Mapping Model = "mapping"
	// Functions is what a script declares: of its functions one is called, and returns something that JSON has. Nobody is looked at but in its
	// arguments.
	Functions Model = "functions"
)

// Role is a role as scripts may ask for it.
type Role struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Dynamic bool   `json:"dynamic"` // asking for it is refused
}

// Person is somebody as scripts see them. A property is nil, a string, a number, a bool, or a Date.
type Person struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	Display    string         `json:"display"`
	Mail       string         `json:"mail"`
	Type       string         `json:"type"`   // CUS: of the built-in directory
	Source     string         `json:"source"` // id of the directory service
	Org        string         `json:"org"`
	Properties map[string]any `json:"properties"`
	Roles      []string       `json:"roles"` // ids
	// Objects are what scripts of all models but Member see besides, by the objects' names; LoginUser is the person as well.
	Objects map[string]map[string]any `json:"objects,omitempty"`
	// Arguments are those of the function that a script of Functions declares, as JSON.
	Arguments []json.RawMessage `json:"arguments,omitempty"`
}

// Date is a property that scripts see as a Date object.
type Date struct {
	Millis int64 `json:"date"` // since 1970 UTC
}

// Verdict is what a script said about one person.
type Verdict struct {
	Member *bool    `json:"member"` // what it returned; nil for nothing, null, or an error
	Error  string   `json:"error"`  // why it failed; empty when it did not
	Trace  []string `json:"trace"`
	Read   []string `json:"read"` // what it read, sorted; see the Read constants
	// Claims are those that a script of Claims set, as JSON.
	Claims map[string]json.RawMessage `json:"claims,omitempty"`
	// Mapped are the values that a script of Mapping set, as JSON by their paths; null: nothing is to be there.
	Mapped map[string]json.RawMessage `json:"mapped,omitempty"`
	// Ruling is what a script of Policy decided; nil of others, and when it failed.
	Ruling *Ruling `json:"ruling,omitempty"`
	// Result is what the function of a script of Functions returned, as JSON.
	Result json.RawMessage `json:"result,omitempty"`
}

// Ruling is what a script of Policy decided.
type Ruling struct {
	Locked bool   `json:"locked"`
	Reason string `json:"reason"` // for the person; may be empty
	Level  int    `json:"level"`  // 1: a sign-in is enough, 2: strong authentication; 0: it says nothing of it
}

// What a script may have read, besides names of properties.
const (
	ReadRoles = "(roles)" // which roles the person is in
	ReadClock = "(clock)" // the time, or a random number
	ReadAll   = "*"       // everything, or more than is kept apart
)

// answer is what a child says to a batch.
type answer struct {
	Syntax   string    `json:"syntax"` // why the script does not compile
	Verdicts []Verdict `json:"verdicts"`
	CPU      int64     `json:"cpu"` // ms that the child has used in its life
}

// maxFrame is the most that one message may have, in bytes.
const maxFrame = 8 << 20

var errFrame = errors.New("script: a message is too large")

// write sends a message: its length in four bytes, big-endian, and its JSON.
func write(w io.Writer, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if len(body) > maxFrame {
		return errFrame
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...))
	return err
}

// read gets a message. io.EOF says that there is none any more.
func read(r io.Reader, v any) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxFrame {
		return errFrame
	}
	body, err := io.ReadAll(io.LimitReader(r, int64(n)))
	if err != nil {
		return err
	}
	if len(body) < int(n) {
		return io.ErrUnexpectedEOF
	}
	return json.Unmarshal(body, v)
}

// fit says what is wrong with an answer to a batch of n people: a child whose engine was subverted may say anything.
func (a *answer) fit(n int) error {
	if a.Syntax != "" {
		a.Syntax = clip(a.Syntax, maxError)
		return nil
	}
	if len(a.Verdicts) != n {
		return fmt.Errorf("script: %d verdicts about %d people", len(a.Verdicts), n)
	}
	for i := range a.Verdicts {
		v := &a.Verdicts[i]
		v.Error = clip(v.Error, maxError)
		if v.Error != "" {
			v.Member, v.Claims, v.Mapped, v.Ruling, v.Result = nil, nil, nil, nil, nil
		}
		if !bounded(v.Claims) || !mappable(v.Mapped) || len(v.Result) > 6*maxResult || v.Ruling != nil && (v.Ruling.Level < 0 || v.Ruling.Level > 2) {
			return fmt.Errorf("script: a verdict is not what scripts can decide")
		}
		if v.Ruling != nil {
			v.Ruling.Reason = clip(v.Ruling.Reason, maxTrace)
		}
		if len(v.Trace) > maxTraces || len(v.Read) > maxRead+1 {
			return fmt.Errorf("script: a verdict is too large")
		}
		for k := range v.Trace {
			v.Trace[k] = clip(v.Trace[k], maxTrace)
		}
		for k := range v.Read {
			v.Read[k] = clip(v.Read[k], maxName)
		}
	}
	return nil
}
