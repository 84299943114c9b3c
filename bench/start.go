package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"limen/bench/load"
)

// start runs the real binary on the store as the other rows have left it: the time to the first healthy answer beside the time
// that the binary takes to say its version, then what it needs while nobody asks anything.
func start(ctx context.Context, b *bench, w *world) ([]row, error) {
	if err := w.halt(); err != nil {
		return nil, err
	}
	binary, err := exec.LookPath(b.binary)
	if err != nil {
		return nil, fmt.Errorf("%w; make build makes it", err)
	}
	var bare, up []time.Duration
	var out []row
	for i := range b.starts + 1 {
		at := time.Now()
		if err := exec.CommandContext(ctx, binary, "version").Run(); err != nil {
			return nil, err
		}
		took := time.Since(at)
		p, err := launch(ctx, binary, w)
		if err != nil {
			return nil, err
		}
		if i > 0 || b.starts == 1 { // the first one fills the file cache
			bare, up = append(bare, took), append(up, p.took)
		}
		if i == b.starts {
			out, err = p.rest(ctx, b.idle)
		}
		if err = errors.Join(err, p.stop()); err != nil {
			return nil, err
		}
	}
	r := row{measure: "start to first healthy answer", unit: duration, limit: middle(bare).Seconds(), of: "limen version", ours: middle(up).Seconds(), aim: 0.1}
	return append([]row{r}, out...), nil
}

func middle(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// process is a running program.
type process struct {
	cmd  *exec.Cmd
	addr string
	took time.Duration // to the first healthy answer
}

func launch(ctx context.Context, binary string, w *world, flags ...string) (*process, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	args := append([]string{"serve", "--data", w.dir, "--db", w.url, "--tls", "off", "--listen", addr}, flags...)
	p := &process{cmd: exec.CommandContext(ctx, binary, args...), addr: addr}
	p.cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "LIMEN_") }) // its settings are the flags
	var said strings.Builder
	p.cmd.Stdout, p.cmd.Stderr = io.Discard, &said
	request := []byte("GET /readyz HTTP/1.1\r\nHost: " + addr + "\r\n\r\n")
	at := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for time.Since(at) < 30*time.Second {
		if healthy(ctx, addr, request) {
			p.took = time.Since(at)
			return p, nil
		}
		time.Sleep(500 * time.Microsecond)
	}
	err = p.stop()
	return nil, errors.Join(fmt.Errorf("%s did not start: %s", binary, said.String()), err)
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func healthy(ctx context.Context, addr string, request []byte) bool {
	c, err := load.Dial(ctx, addr)
	if err != nil {
		return false
	}
	defer c.Close()
	status, _, err := c.Do(request)
	return err == nil && status == 200
}

func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return p.cmd.Wait()
}

// rest gives memory and processor time of the program while it is left alone.
func (p *process) rest(ctx context.Context, idle time.Duration) ([]row, error) {
	before, err := p.cpu()
	if err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(idle):
	}
	after, err := p.cpu()
	if err != nil {
		return nil, err
	}
	resident, err := p.memory()
	return []row{
		{measure: "idle memory (resident)", unit: memory, ours: resident, aim: 60e6},
		{measure: "idle CPU, of one processor", unit: share, ours: (after - before).Seconds() / idle.Seconds()},
	}, err
}

// memory is what is resident, files included.
func (p *process) memory() (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(v), "kB")), 64)
			return kb * 1024, err
		}
	}
	return 0, errors.New("no VmRSS")
}

// cpu is the processor time so far: the nanoseconds that the scheduler has given each thread, which is finer than the ticks
// in stat.
func (p *process) cpu() (time.Duration, error) {
	dir := fmt.Sprintf("/proc/%d/task", p.cmd.Process.Pid)
	threads, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, t := range threads {
		b, err := os.ReadFile(dir + "/" + t.Name() + "/schedstat")
		if err != nil {
			continue // the thread has ended
		}
		first, _, _ := strings.Cut(string(b), " ")
		n, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(n)
	}
	return sum, nil
}
