// Command limen is the identity platform: one program with everything in it. Run "limen --help".
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"limen/internal/app"
	"limen/internal/config"
	"limen/internal/fault"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == app.ScriptChild {
		os.Exit(app.RunScripts(os.Args[2:], os.Stdin, os.Stdout))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal stops in order, a second one at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Environ(), app.Wire(os.Stdin, os.Stdout), os.Stderr))
}

const summary = `Self-hosted identity and access platform.

A first server, with its data in ./data; it prints the administrator's password and a line that signs in:

    limen serve --dev

Every setting is a flag, a LIMEN_ variable, or a line of a YAML file; flags win over variables, and variables over the file.`

// exited carries an exit code out of the parser, which prints help by itself.
type exited int

// run is the whole program; it gives the exit code: 0 done, 1 failed, 2 not understood.
func run(ctx context.Context, args, env []string, commands *app.Commands, errs io.Writer) (code int) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case exited:
			code = int(p)
		default:
			panic(p)
		}
	}()
	if len(args) == 0 {
		args = []string{"--help"}
	}
	var root struct{}
	options := append(tree(commands, args[0]), kong.Name("limen"), kong.Description(summary),
		kong.Writers(commands.Out, errs), kong.Exit(func(code int) { panic(exited(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(environ(env), commands))
	parser, err := kong.New(&root, options...)
	if err != nil {
		fmt.Fprintln(errs, "limen:", err)
		return 1
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(errs, "limen: %v\nSee: limen --help\n", err)
		return 2
	}
	if err = parsed.Run(); err != nil {
		fmt.Fprintln(errs, "limen:", explain(err))
		if errors.Is(err, config.ErrSettings) {
			return 2
		}
		return 1
	}
	return 0
}

// explain gives an operator, unlike a client, the cause too.
func explain(err error) string {
	f := fault.Of(err)
	if f.Cause == nil {
		return f.Public
	}
	return f.Public + "\n" + f.Cause.Error()
}
