package job

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/fault"
)

// Type is a sort of job. All types are declared in internal/app, in one place, before Run.
type Type struct {
	Kind string // as it is stored
	Name string // as people and the API see it; empty: Kind
	Run  Handler
	// Order makes a job of the arguments that an administrator gives, in c.Tx. It decides by itself whether the caller may start
	// it, and its Unique how many of them there may be at a time. nil: such jobs follow from something else only.
	Order func(ctx context.Context, c *call.Call, args Args) (Job, error)
}

// Asked is a job that somebody asks for by the name of its type.
type Asked struct {
	Type string    // name of the type, without regard to case
	Name string    // what people call it; empty: as its type
	Due  time.Time // not before; zero: at once
	Mail string    // address that gets its report, checked; empty: nobody
	Args Args
}

// ErrType says that there is no such type, or that jobs of it cannot be asked for.
var ErrType = fault.New(fault.Invalid, "job.type", "There is no such type of job, or it cannot be started by itself.")

const (
	maxName  = 200                  // bytes of what people call a job
	maxAhead = 366 * 24 * time.Hour // of its time
)

// Declare adds a type. A node runs the jobs of the types that it has.
func (j *Jobs) Declare(t Type) { j.types = append(j.types, t) }

// Handle declares a type by its kind alone.
func (j *Jobs) Handle(kind string, f Handler) { j.Declare(Type{Kind: kind, Run: f}) }

// typeOf gives a declared type, the zero Type for a kind that this version does not know.
func (j *Jobs) typeOf(kind string) Type {
	if i := slices.IndexFunc(j.types, func(t Type) bool { return t.Kind == kind }); i >= 0 {
		return j.types[i]
	}
	return Type{}
}

// TypeName is what people know a kind as.
func (j *Jobs) TypeName(kind string) string {
	if t := j.typeOf(kind); t.Name != "" {
		return t.Name
	}
	return kind
}

// named gives the declared type with a name.
func (j *Jobs) named(name string) (Type, bool) {
	i := slices.IndexFunc(j.types, func(t Type) bool { return strings.EqualFold(j.TypeName(t.Kind), name) })
	if i < 0 {
		return Type{}, false
	}
	return j.types[i], true
}

// Startable lists the names of the types that jobs can be asked for of, sorted.
func (j *Jobs) Startable() []string {
	var out []string
	for _, t := range j.types {
		if t.Order != nil {
			out = append(out, j.TypeName(t.Kind))
		}
	}
	slices.Sort(out)
	return out
}

// Order starts a job that somebody asks for, and gives its id. Faults: ErrType, ErrRunning, those of fields and of the type.
func (j *Jobs) Order(ctx context.Context, c *call.Call, a Asked) (string, error) {
	t, known := j.named(a.Type)
	if !known || t.Order == nil {
		return "", ErrType.At("Type").Say("There is no such type of job, or it cannot be started by itself. These can be: %s.", strings.Join(j.Startable(), ", "))
	}
	if err := a.check(c.Now); err != nil {
		return "", err
	}
	made, err := t.Order(ctx, c, a.Args)
	if err != nil {
		return "", err
	}
	made.Kind, made.Name, made.Due, made.Mail = t.Kind, a.Name, a.Due, a.Mail
	if made.Name == "" {
		made.Name = j.TypeName(t.Kind)
	}
	id, err := j.Start(ctx, c, made)
	if err == nil && c.Event != nil {
		c.Event.Target, c.Event.Kind, c.Event.Name = id, "Job", made.Kind
		for name, v := range map[string]string{"Name": a.Name, "TargetName": made.Target, "EmailReportTo": a.Mail} {
			if v != "" {
				c.Event.Set(name, v)
			}
		}
		if made.Due.After(c.Now) {
			c.Event.Set("RunAt", made.Due.UTC().Format(time.RFC3339))
		}
	}
	return id, err
}

func (a *Asked) check(now time.Time) error {
	switch {
	case !readable(a.Name, maxName):
		return fault.Bad("Name", "may have %d bytes and no control characters", maxName)
	case a.Due.After(now.Add(maxAhead)):
		return fault.Bad("RunAt", "must be within a year")
	}
	return nil
}

func readable(s string, most int) bool {
	return len(s) <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}
