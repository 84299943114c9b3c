package script

import (
	"os/exec"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// supported says whether this system can bound a child's memory.
const supported = true

// lifeCPU is the time of a processor that a child has in its life, in seconds. Pool lets it go long before.
const lifeCPU = 60

// confine takes from this process what scripts have no business with: more memory, files, sockets, programs, time. The
// engine offers scripts nothing of it; this is for the day when the engine has a hole.
func confine(memory int64) error {
	for what, most := range map[int]uint64{
		unix.RLIMIT_DATA: uint64(memory), unix.RLIMIT_CPU: lifeCPU, unix.RLIMIT_CORE: 0, unix.RLIMIT_FSIZE: 0, unix.RLIMIT_NOFILE: 0,
	} {
		if err := unix.Setrlimit(what, &unix.Rlimit{Cur: most, Max: most}); err != nil {
			return err
		}
	}
	return filter()
}

// denied are calls that this process never makes any more. Threads, memory, clocks and the pipes remain.
var denied = []uint32{
	unix.SYS_EXECVE, unix.SYS_EXECVEAT, unix.SYS_SOCKET, unix.SYS_SOCKETPAIR, unix.SYS_CONNECT, unix.SYS_OPENAT, unix.SYS_OPENAT2,
	unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_KILL, unix.SYS_PIDFD_SEND_SIGNAL, unix.SYS_BPF,
	unix.SYS_IO_URING_SETUP, unix.SYS_UNLINKAT, unix.SYS_RENAMEAT2, unix.SYS_LINKAT, unix.SYS_SYMLINKAT, unix.SYS_MKDIRAT, unix.SYS_FCHMODAT,
	unix.SYS_FCHOWNAT, unix.SYS_MOUNT, unix.SYS_UNSHARE, unix.SYS_SETNS, unix.SYS_KEYCTL, unix.SYS_USERFAULTFD, unix.SYS_PERF_EVENT_OPEN,
	unix.SYS_PRLIMIT64,
}

// filter has the kernel refuse these calls on every thread. A kernel without such filters, as of some sandboxes, has its
// own; the limits hold there all the same.
func filter() error {
	arch := map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}[runtime.GOARCH]
	if arch == 0 {
		return nil
	}
	const load, equal, greater, ret = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K,
		unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	refuse := unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)}
	program := []unix.SockFilter{
		{Code: load, K: 4}, {Code: equal, K: arch, Jt: 1}, refuse, // the call is of another architecture
		{Code: load, K: 0}, {Code: greater, K: 0x40000000, Jf: 1}, refuse, // the second table of numbers of amd64
	}
	for _, n := range denied {
		program = append(program, unix.SockFilter{Code: equal, K: n, Jf: 1}, refuse)
	}
	program = append(program, unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_ALLOW})
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	p := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	//nolint:gosec // the kernel takes the filter by its address, and this package has no other way to give it
	_, _, failed := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&p)))
	if failed != 0 && failed != unix.ENOSYS && failed != unix.EINVAL {
		return failed
	}
	return nil
}

// used is the time of a processor that this process has used.
func used() time.Duration {
	var r unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// attach has the child die with this process, and keeps the terminal's signals from it.
func attach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
