package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"limen/bench/load"
	"limen/internal/core/dynamic"
	"limen/internal/core/session"
	"limen/internal/dbx"
)

// scripts changes one attribute of somebody and looks which scripts of dynamic roles run: those that have read it.
func scripts(ctx context.Context, b *bench, w *world) ([]row, error) {
	d, err := w.big(ctx)
	if err != nil {
		return nil, err
	}
	if d.app.Scripts.Command == nil {
		binary, err := exec.LookPath(b.binary)
		if err != nil {
			return nil, err
		}
		if binary, err = filepath.Abs(binary); err != nil { // children have no directory
			return nil, err
		}
		d.app.Scripts.Command = []string{binary}
		defer d.app.Scripts.Close()
	}
	judge, ran := d.app.Dynamic.Judge, atomic.Int64{}
	d.app.Dynamic.Judge = func(ctx context.Context, in dynamic.Batch) ([]dynamic.Verdict, error) {
		ran.Add(1)
		return judge(ctx, in)
	}
	readers, at := 0, time.Now()
	for i := range d.Scripts {
		if _, reads := d.script(i); reads == "MobileNumber" {
			readers++
		}
	}
	who := d.personID(rand.IntN(d.People))
	body := fmt.Sprintf(`{"ID":"%s","MobileNumber":"+1555%07d"}`, who, rand.IntN(10_000_000))
	if err := d.once(ctx, d.request("/CDirectoryService/ChangeUser", body)); err != nil {
		return nil, err
	}
	// A worker has them run within a second.
	for ran.Load() < int64(readers) && time.Since(at) < 20*time.Second && ctx.Err() == nil {
		time.Sleep(5 * time.Millisecond)
	}
	took := time.Since(at)
	time.Sleep(max(b.idle/5, 1500*time.Millisecond)) // whoever else would run
	if ran.Load() < int64(readers) {
		return nil, fmt.Errorf("%d scripts of %d ran", ran.Load(), readers)
	}
	return []row{
		{measure: fmt.Sprintf("scripts of %d run for one change", d.Scripts), unit: number, limit: float64(readers), of: "scripts that read it", ours: float64(ran.Load()), ratio: 1},
		{measure: "change until all have run", unit: duration, ours: took.Seconds()},
	}, ctx.Err()
}

// startLarge is start on the large directory.
func startLarge(ctx context.Context, b *bench, w *world) ([]row, error) {
	d, err := w.big(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := start(ctx, b, d.world)
	for i := range rows {
		rows[i].measure += ", large"
		rows[i].aim = map[unit]float64{duration: 2}[rows[i].unit]
	}
	return rows, errors.Join(err, d.open(ctx))
}

// memoryLarge lets the program, told to stay within a bound, serve people of many tenants, and looks at what is resident then.
func memoryLarge(ctx context.Context, b *bench, w *world) ([]row, error) {
	d, err := w.big(ctx)
	if err != nil {
		return nil, err
	}
	visits, err := d.visitors(ctx)
	if err != nil {
		return nil, err
	}
	if err := d.halt(); err != nil {
		return nil, err
	}
	binary, err := exec.LookPath(b.binary)
	if err != nil {
		return nil, err
	}
	p, err := launch(ctx, binary, d.world, "--memory", b.memory)
	if err != nil {
		return nil, err
	}
	peak, err := p.visited(ctx, visits)
	resident, err2 := p.memory()
	err = errors.Join(err, err2, p.stop(), d.open(ctx))
	bound, err2 := strconv.ParseFloat(strings.TrimSuffix(b.memory, "MB"), 64)
	return []row{
		{measure: "memory after " + thousands(float64(len(visits))) + " visitors", unit: memory, limit: bound * 1e6, of: "bound", ours: resident, ratio: 1},
		{measure: "most memory meanwhile", unit: memory, limit: bound * 1e6, of: "bound", ours: peak, ratio: 1},
	}, errors.Join(err, err2)
}

// visit is what somebody asks for: who they are, and what holds for them.
type visit [][]byte

// visitors signs people in: many of the large tenant, and one of each of many others.
func (d *directory) visitors(ctx context.Context) ([]visit, error) {
	var out []visit
	for from, n := 0, min(d.People, 30_000); from < n; from += batch {
		some, err := d.arrive(ctx, d.Tenant, d.host, batch, func(i int) string { return d.personID((from + i) % d.People) })
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	for i := range min(d.Tenants, 5_000) {
		host := fmt.Sprintf("t%05d.%s", i, d.Suffix)
		c, who := d.app.Shell(d.tenantID(i)), ""
		err := c.Snapshot(ctx, func() error {
			u, err := d.app.People.ByName(ctx, c, "somebody@"+host)
			who = u.ID
			return err
		})
		if err != nil {
			return nil, err
		}
		some, err := d.arrive(ctx, d.tenantID(i), host, 1, func(int) string { return who })
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	rand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out, nil
}

// arrive signs n people of a tenant in.
func (d *directory) arrive(ctx context.Context, tenantID, host string, n int, who func(i int) string) (out []visit, err error) {
	c := d.app.Shell(tenantID)
	return out, d.app.DB.Write(ctx, func(tx *dbx.Tx) error {
		c.Tx, out = tx, nil
		defer func() { c.Tx = nil }()
		for i := range n {
			token, _, err := d.app.Sessions.Create(ctx, c, session.New{User: who(i), Level: session.High})
			if err != nil {
				return err
			}
			header := "Authorization: Bearer " + token
			var v visit
			for _, path := range []string{"/Security/WhoAmI", rightsPath, rsopPath} {
				v = append(v, load.Request(host, path, header, "{}"))
			}
			out = append(out, v)
		}
		return nil
	})
}

// visited plays the visits by sixteen callers, and gives the most memory that was seen.
func (p *process) visited(ctx context.Context, all []visit) (peak float64, err error) {
	const callers = 16
	var next atomic.Int64
	errs := make(chan error, callers)
	for range callers {
		go func() {
			errs <- func() error {
				c, err := load.Dial(ctx, p.addr)
				if err != nil {
					return err
				}
				defer c.Close()
				for i := next.Add(1) - 1; i < int64(len(all)); i = next.Add(1) - 1 {
					for _, request := range all[i] {
						if _, err := c.Succeed(request); err != nil {
							return err
						}
					}
				}
				return nil
			}()
		}()
	}
	for left := callers; left > 0; {
		select {
		case e := <-errs:
			err = errors.Join(err, e)
			left--
		case <-time.After(50 * time.Millisecond):
		}
		if now, e := p.memory(); e == nil {
			peak = max(peak, now)
		}
	}
	return peak, err
}
