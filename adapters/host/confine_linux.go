package host

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// confine sets what Linux bounds. RLIMIT_DATA counts what a process may write to: its address space would have to be ten times
// that. RLIMIT_NPROC is left as it is: it counts the threads of the account, and a Go program starts threads.
func confine(memory uint64) error {
	time.AfterFunc(time.Hour, func() {}) // the runtime opens what its timers need with the first of them, and later no more
	for _, l := range []struct {
		what int
		most uint64
	}{{syscall.RLIMIT_DATA, memory}, {syscall.RLIMIT_CORE, 0}, {syscall.RLIMIT_FSIZE, 0}, {syscall.RLIMIT_NOFILE, 0}} {
		if err := syscall.Setrlimit(l.what, &syscall.Rlimit{Cur: l.most, Max: l.most}); err != nil {
			return fmt.Errorf("limit %d cannot be set: %w", l.what, err)
		}
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("others may look into the process: %w", err)
	}
	runtime.LockOSThread() // the filter begins with one thread, and is then given to all
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("new privileges cannot be given up: %w", err)
	}
	return filtered()
}

// refused are the calls that a reader of bytes has no use for: to start a program, to open, empty, move or mark a file, to open a
// connection, to look into, bound or end another process. Of tgkill, by which a Go program interrupts its own threads, see filtered.
var refused = []uint32{unix.SYS_EXECVE, unix.SYS_EXECVEAT, unix.SYS_OPENAT, unix.SYS_OPENAT2, unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_SOCKET,
	unix.SYS_SOCKETPAIR, unix.SYS_CONNECT, unix.SYS_BIND, unix.SYS_LISTEN, unix.SYS_SENDTO, unix.SYS_SENDMSG, unix.SYS_PTRACE,
	unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_KILL, unix.SYS_UNLINKAT, unix.SYS_RENAMEAT2, unix.SYS_MKDIRAT,
	unix.SYS_LINKAT, unix.SYS_SYMLINKAT, unix.SYS_FCHMODAT, unix.SYS_FCHOWNAT, unix.SYS_MOUNT, unix.SYS_UNSHARE, unix.SYS_SETNS,
	unix.SYS_TRUNCATE, unix.SYS_RENAMEAT, unix.SYS_MKNODAT, unix.SYS_FCHMOD, unix.SYS_FCHOWN, unix.SYS_SETXATTR, unix.SYS_LSETXATTR,
	unix.SYS_REMOVEXATTR, unix.SYS_LREMOVEXATTR, unix.SYS_UTIMENSAT, unix.SYS_CHROOT, unix.SYS_PIVOT_ROOT, unix.SYS_UMOUNT2,
	unix.SYS_SWAPON, unix.SYS_ACCT, unix.SYS_TKILL, unix.SYS_RT_SIGQUEUEINFO, unix.SYS_RT_TGSIGQUEUEINFO, unix.SYS_PIDFD_OPEN,
	unix.SYS_PIDFD_SEND_SIGNAL, unix.SYS_PIDFD_GETFD, unix.SYS_PRLIMIT64, unix.SYS_SETPRIORITY, unix.SYS_SCHED_SETSCHEDULER,
	unix.SYS_BPF, unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_IO_URING_SETUP, unix.SYS_USERFAULTFD, unix.SYS_PERF_EVENT_OPEN}

// older are the calls of amd64 that newer systems have not got: open, fork, vfork, rename, mkdir, rmdir, creat, link, unlink,
// symlink, chmod, chown, lchown, utime, mknod, utimes and futimesat.
var older = []uint32{2, 57, 58, 82, 83, 84, 85, 86, 87, 88, 90, 92, 94, 132, 133, 235, 261}

// filtered has the kernel refuse these calls to all threads, for good. A kernel that knows no filters, or may set none, goes
// without: the limits hold all the same.
func filtered() error {
	const number, arch = 0, 4 // where these stand in what the filter looks at
	is := map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}[runtime.GOARCH]
	if is == 0 {
		return nil
	}
	const refuse = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	equal := func(k uint32, then, otherwise uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: k, Jt: then, Jf: otherwise}
	}
	give := func(what uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: what} }
	const x32 = 1 << 30 // the same calls by other numbers
	filter := []unix.SockFilter{load(arch), equal(is, 1, 0), give(unix.SECCOMP_RET_KILL_PROCESS), load(number),
		{Code: unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, K: x32, Jt: 0, Jf: 1}, give(refuse)}
	calls := refused
	if runtime.GOARCH == "amd64" {
		calls = slices.Concat(refused, older)
	}
	for _, call := range calls {
		filter = append(filter, equal(call, 0, 1), give(refuse))
	}
	const firstArgument = 16   // its lower half: the process
	own := uint32(os.Getpid()) //nolint:gosec // a process number is small
	filter = append(filter, equal(unix.SYS_TGKILL, 0, 3), load(firstArgument), equal(own, 1, 0), give(refuse))
	filter = append(filter, give(unix.SECCOMP_RET_ALLOW))
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	which, _, err := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&program)))
	switch {
	case err == unix.ENOSYS, err == unix.EINVAL, err == unix.EPERM, err == unix.EACCES:
		return nil
	case err != 0:
		return fmt.Errorf("the calls of the process cannot be bounded: %w", err)
	case which != 0:
		return fmt.Errorf("the calls of thread %d cannot be bounded", which)
	}
	return nil
}
