//go:build !linux

package script

import (
	"errors"
	"os/exec"
	"time"
)

// supported says whether this system can bound a child's memory.
const supported = false

func confine(int64) error { return errors.ErrUnsupported }

func used() time.Duration { return 0 }

func attach(*exec.Cmd) {}
