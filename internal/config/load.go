package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"
)

// Flags are the settings as flags of a command. After parsing, Resolve adds what was not given there.
type Flags struct {
	File     string `name:"config" short:"c" placeholder:"FILE" help:"YAML file with the same settings, also LIMEN_CONFIG."`
	Settings `embed:""`
}

// Resolve gives the settings of a parsed command: flags over environment over file over defaults, all of them checked.
// environ has the form of os.Environ. It fails with ErrSettings.
func (f *Flags) Resolve(ctx *kong.Context, environ []string) (Settings, error) {
	given := map[string]bool{}
	for _, p := range ctx.Path {
		if p.Flag != nil {
			given[p.Flag.Name] = true
		}
	}
	return resolve(f.Settings, given, environ, f.File)
}

// Load reads the settings from arguments, an environment and a file (none when empty, unless --config or LIMEN_CONFIG
// names one). It fails with ErrSettings.
func Load(args, environ []string, file string) (Settings, error) {
	var f Flags
	parser, err := kong.New(&f, kong.Name("limen"), kong.NoDefaultHelp())
	if err != nil {
		return Settings{}, ErrSettings.Because(err)
	}
	ctx, err := parser.Parse(args)
	if err != nil {
		return Settings{}, ErrSettings.Say("%s", err)
	}
	if f.File == "" {
		f.File = file
	}
	return f.Resolve(ctx, environ)
}

// value is what a source says about one setting.
type value struct {
	texts  []string
	origin string
}

// resolve lays the sources over one another. s has the flags and, where none was given, the defaults.
func resolve(s Settings, given map[string]bool, environ []string, file string) (Settings, error) {
	env, errs := readEnv(environ)
	if file == "" {
		file = env["config"].text()
	}
	delete(env, "config")
	var inFile map[string]value
	if file != "" {
		var more []error
		inFile, more = readFile(file)
		errs = append(errs, more...)
	}
	s.origin = map[string]string{}
	for _, f := range fields(&s) {
		if given[f.name] {
			s.origin[f.name] = "flag --" + f.name
			continue
		}
		v, ok := env[f.name]
		if !ok {
			v, ok = inFile[f.name]
		}
		if !ok {
			continue
		}
		s.origin[f.name] = v.origin
		if err := f.set(v); err != nil {
			errs = append(errs, err)
		}
	}
	errs = append(errs, s.check()...)
	if len(errs) > 0 {
		return Settings{}, ErrSettings.Say("%s", errors.Join(errs...))
	}
	return s, nil
}

func (v value) text() string { return strings.Join(v.texts, ",") }

// field is one setting by reflection: its tags and its place.
type field struct {
	name, secret, help string
	flag               bool
	at                 reflect.Value
}

func fields(s *Settings) []field {
	v := reflect.ValueOf(s).Elem()
	var out []field
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		if name := tag.Get("name"); name != "" {
			out = append(out, field{name, tag.Get("secret"), tag.Get("help"), tag.Get("kong") != "-", v.Field(i)})
		}
	}
	return out
}

func names() []string {
	var out []string
	for _, f := range fields(new(Settings)) {
		out = append(out, f.name)
	}
	return out
}

func (f field) set(v value) error {
	switch f.at.Kind() {
	case reflect.Bool:
		b, err := strconv.ParseBool(strings.ToLower(v.text()))
		if err != nil {
			return fmt.Errorf("%s: %s is true or false, not %q", v.origin, f.name, v.text())
		}
		f.at.SetBool(b)
	case reflect.Slice:
		f.at.Set(reflect.ValueOf(slices.Clone(v.texts)))
	default:
		if len(v.texts) != 1 {
			return fmt.Errorf("%s: %s takes one value, not %d", v.origin, f.name, len(v.texts))
		}
		f.at.SetString(v.texts[0])
	}
	return nil
}

// readEnv takes the LIMEN_ variables. An empty one counts as not set, as compose files write them. LIMEN_TEST_ belongs
// to the tests.
func readEnv(environ []string) (map[string]value, []error) {
	out, errs := map[string]value{}, []error(nil)
	known := append(names(), "config")
	for _, entry := range environ {
		variable, text, _ := strings.Cut(entry, "=")
		rest, ours := strings.CutPrefix(variable, "LIMEN_")
		if !ours || strings.HasPrefix(rest, "TEST_") || text == "" {
			continue
		}
		name := strings.ToLower(strings.ReplaceAll(rest, "_", "-"))
		if !slices.Contains(known, name) || variable != variableOf(name) {
			errs = append(errs, fmt.Errorf("variable %s is unknown%s", variable, suggest(name, known, variableOf)))
			continue
		}
		v := value{[]string{text}, "variable " + variable}
		if isList(name) {
			v.texts = list(text)
		}
		out[name] = v
	}
	return out, errs
}

func variableOf(name string) string {
	return "LIMEN_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

func isList(name string) bool {
	for _, f := range fields(new(Settings)) {
		if f.name == name {
			return f.at.Kind() == reflect.Slice
		}
	}
	return false
}

func list(text string) []string {
	parts := strings.Split(text, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// Explain prints every setting with its value and where it came from. Secrets are hidden.
func (s Settings) Explain(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range fields(&s) {
		shown := fmt.Sprint(f.at.Interface())
		if f.at.Kind() == reflect.Slice {
			shown = strings.Join(f.at.Interface().([]string), ",")
		}
		switch {
		case f.at.IsZero() && f.at.Kind() != reflect.Bool:
			shown = "-"
		case f.secret == "all":
			shown = "(hidden)"
		case f.secret == "url":
			shown = hidden(shown)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", f.name, shown, s.Origin(f.name))
	}
	return table.Flush()
}

// Hostname is the machine's name as a node's name, and "limen" where it has none that can be used.
func Hostname() string {
	h, err := os.Hostname()
	if err != nil || !nodeName.MatchString(h) {
		return "limen"
	}
	return h
}
