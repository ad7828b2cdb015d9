"""Runs a command with all its children, and makes one system call of one of them go wrong.

strace can do that too (`-e inject=`), but counts the calls of each process for itself: `when=3` is the third call of every
process at once. Here a call is named by its process, in the order in which processes start, and by its number in that
process, so that each call of a run can be tried alone. The kernel's own filter (seccomp) stops the processes at the calls
that matter and at no others. Linux on x86_64.
"""

import ctypes
import errno
import os
import signal
import struct
from dataclasses import dataclass, field

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
LIBC.ptrace.restype = ctypes.c_long
TRACEME, CONT, SETOPTIONS, GETEVENTMSG, PEEKUSER, POKEUSER = 0, 7, 0x4200, 0x4201, 3, 6
FORK, VFORK, CLONE, EXEC, SECCOMP = 1, 2, 3, 4, 7
OPTIONS = sum(1 << event for event in (FORK, VFORK, CLONE, EXEC, SECCOMP)) | 1 << 20  # and: kill all when this ends
WALL = 0x40000000
# Where struct user of <sys/user.h> has the registers.
ORIG_RAX, RAX = 15 * 8, 10 * 8
ARGUMENTS = [14 * 8, 13 * 8, 12 * 8, 7 * 8, 9 * 8, 8 * 8]  # rdi rsi rdx r10 r8 r9
AT_FDCWD = 0xFFFFFF9C
O_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

# number: (name, class, where the path is: argument of the folder or None, argument of the path; or argument of the file)
CALLS = {
    2: ("open", "open", (None, 0)), 257: ("openat", "open", (0, 1)), 85: ("creat", "open", (None, 0)),
    1: ("write", "write", 0), 18: ("pwrite64", "write", 0), 20: ("writev", "write", 0), 77: ("ftruncate", "write", 0),
    326: ("copy_file_range", "write", 2), 40: ("sendfile", "write", 0),
    44: ("sendto", "write", 0), 46: ("sendmsg", "write", 0),
    82: ("rename", "rename", (None, 1)), 264: ("renameat", "rename", (2, 3)), 316: ("renameat2", "rename", (2, 3)),
    86: ("link", "link", (None, 1)), 265: ("linkat", "link", (2, 3)),
    88: ("symlink", "link", (None, 1)), 266: ("symlinkat", "link", (1, 2)),
    87: ("unlink", "unlink", (None, 0)), 263: ("unlinkat", "unlink", (0, 1)), 84: ("rmdir", "unlink", (None, 0)),
    83: ("mkdir", "mkdir", (None, 0)), 258: ("mkdirat", "mkdir", (0, 1)),
    90: ("chmod", "chmod", (None, 0)), 91: ("fchmod", "chmod", 0), 268: ("fchmodat", "chmod", (0, 1)),
    74: ("fsync", "sync", 0), 75: ("fdatasync", "sync", 0),
    73: ("flock", "lock", 0), 42: ("connect", "connect", 0), 59: ("execve", "exec", (None, 0)),
    56: ("clone", "fork", None), 57: ("fork", "fork", None), 58: ("vfork", "fork", None), 435: ("clone3", "fork", None),
}
FULL = {"open", "write", "link", "mkdir"}  # what a full disk refuses


@dataclass(frozen=True)
class Call:
    process: str  # "1" is the command, "1.2" its second child
    number: int
    name: str
    kind: str
    path: str

    @property
    def key(self):
        return self.process, self.number, self.name


@dataclass(frozen=True)
class Fault:
    """What happens at a call: `kill` (that process), `crash` (all processes), `full` (ENOSPC from here on), `short` (half is
    written), `gone` (the remote is moved away), or the name of an error."""
    call: Call
    what: str


@dataclass
class Ran:
    code: int = 0
    out: str = ""
    calls: list = field(default_factory=list)
    was_hit: bool = False
    is_hung: bool = False


def ptrace(request, pid, address=0, data=0):
    if LIBC.ptrace(request, pid, address, data) < 0:
        raise ProcessLookupError(errno.errorcode.get(ctypes.get_errno(), "?"))


def peek(pid, offset):
    """The kernel gives it in place of a result, where -1 is a value too."""
    return LIBC.ptrace(PEEKUSER, pid, offset, 0) & 0xFFFFFFFFFFFFFFFF


def kernel_filter():
    """The program of the filter: struct sock_filter, seccomp(2). Opening a file to read it is no call that matters."""
    load, equal, either, stop = 0x20, 0x15, 0x45, 0x06
    code = [(load, 0, 0, 0)]
    plain = [number for number in CALLS if number not in (2, 257)]
    for number, argument in ((2, 1), (257, 2)):
        code += [(equal, 0, 3, number), (load, 0, 0, 16 + 8 * argument), (either, 1, 0, O_WRITES), (stop, 0, 0, 0x7FFF0000),
                 (stop, 0, 0, 0x7FF00000)]
        code[-5] = (equal, 0, 4, number)
    for at, number in enumerate(plain):
        code.append((equal, len(plain) - at, 0, number))
    code += [(stop, 0, 0, 0x7FFF0000), (stop, 0, 0, 0x7FF00000)]
    raw = b"".join(struct.pack("HBBI", *line) for line in code)
    buffer = ctypes.create_string_buffer(raw, len(raw))
    return struct.pack("HxxxxxxP", len(code), ctypes.addressof(buffer)), buffer


class Tracer:
    """One run. `root`: the folder whose files matter; the path of a call is named from there."""

    def __init__(self, root, fault=None, on_gone=None):
        self.root, self.fault, self.on_gone = str(root), fault, on_gone
        self.labels, self.children, self.counts = {}, {}, {}
        self.waiting, self.fresh = set(), set()
        self.is_full = self.is_crashed = False
        self.ran = Ran()

    def run(self, command, cwd, env, output, patience=60):
        program, kept = kernel_filter()
        first = os.fork()
        if first == 0:
            self.child(command, cwd, env, output, program)
        os.waitpid(first, WALL)
        ptrace(SETOPTIONS, first, 0, OPTIONS)
        self.labels[first] = "1"
        ptrace(CONT, first)
        signal.signal(signal.SIGALRM, self.hung)
        signal.alarm(patience)
        while self.labels or self.waiting:
            self.changed(*os.waitpid(-1, WALL), first)
        signal.alarm(0)
        del kept
        with open(output, errors="replace") as file:
            self.ran.out = file.read()
        return self.ran

    def hung(self, *_):
        self.ran.is_hung = True
        self.crash()

    def child(self, command, cwd, env, output, program):
        try:
            os.setsid()
            os.chdir(cwd)
            handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
            os.dup2(handle, 1)
            os.dup2(handle, 2)
            os.closerange(3, 256)
            ptrace(TRACEME, 0)
            os.kill(os.getpid(), signal.SIGSTOP)
            buffer = ctypes.create_string_buffer(program, len(program))
            LIBC.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
            if LIBC.prctl(22, 2, ctypes.byref(buffer), 0, 0) != 0:  # PR_SET_SECCOMP
                os._exit(125)
            os.execve(command[0], command, env)
        finally:
            os._exit(126)

    def changed(self, pid, status, first):
        if not os.WIFSTOPPED(status):
            self.labels.pop(pid, None)
            self.waiting.discard(pid)
            if pid == first:
                self.ran.code = os.waitstatus_to_exitcode(status)
            return
        event, stopped_by = status >> 16, os.WSTOPSIG(status)
        if pid not in self.labels:
            self.waiting.add(pid)  # its parent has not said yet whose child it is
            return
        pass_on = 0
        try:
            if event in (FORK, VFORK, CLONE):
                self.born(pid)
            elif event == SECCOMP:
                self.call(pid)
            elif event == 0 and not (stopped_by == signal.SIGSTOP and pid in self.fresh):
                pass_on = stopped_by
            self.fresh.discard(pid)
            ptrace(CONT, pid, 0, pass_on)
        except ProcessLookupError:
            pass  # killed meanwhile

    def born(self, parent):
        message = ctypes.c_ulong()
        ptrace(GETEVENTMSG, parent, 0, ctypes.addressof(message))
        child = message.value
        self.children[parent] = self.children.get(parent, 0) + 1
        self.labels[child] = f"{self.labels[parent]}.{self.children[parent]}"
        if child in self.waiting:
            self.waiting.discard(child)
            if self.is_crashed:
                os.kill(child, signal.SIGKILL)
            ptrace(CONT, child)
        else:
            self.fresh.add(child)

    def crash(self):
        self.is_crashed = True
        for pid in list(self.labels) + list(self.waiting):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def call(self, pid):
        name, kind, where = CALLS[peek(pid, ORIG_RAX)]
        path, kind = self.described(pid, kind, where)
        if path is None:
            return
        process = self.labels[pid]
        number = self.counts[process] = self.counts.get(process, 0) + 1
        call = Call(process, number, name, kind, path)
        self.ran.calls.append(call)
        if self.is_full and kind in FULL:
            self.refuse(pid, "ENOSPC")
        elif self.fault and self.fault.call.key == call.key and not self.ran.was_hit:
            self.ran.was_hit = True
            self.strike(pid, self.fault.what)

    def strike(self, pid, what):
        if what == "crash":
            self.crash()
        elif what == "kill":
            os.kill(pid, signal.SIGKILL)
        elif what == "full":
            self.is_full = True
            self.refuse(pid, "ENOSPC")
        elif what == "short":
            size = peek(pid, ARGUMENTS[2])
            ptrace(POKEUSER, pid, ARGUMENTS[2], max(1, size // 2))
        elif what == "gone":
            self.on_gone()
        else:
            self.refuse(pid, what)

    @staticmethod
    def refuse(pid, error):
        """No such call, and an error in place of its result: ptrace(2) and seccomp(2), SECCOMP_RET_TRACE."""
        ptrace(POKEUSER, pid, ORIG_RAX, -1)
        ptrace(POKEUSER, pid, RAX, -getattr(errno, error))

    def described(self, pid, kind, where):
        """The path of a call as seen from the root, and its class; no path where it is none that matters."""
        if where is None:
            return "", kind
        if isinstance(where, int):
            file = peek(pid, ARGUMENTS[where])
            path = self.link(pid, f"fd/{file & 0xFFFFFFFF}")
            if kind == "connect":
                family = self.memory(pid, peek(pid, ARGUMENTS[1]), 2)
                return (path, kind) if family and struct.unpack("H", family)[0] in (2, 10) else (None, kind)
            if path.startswith("socket:") and kind == "write":
                return "socket", "send"
        else:
            folder, name = where
            path = self.memory(pid, peek(pid, ARGUMENTS[name]), 4096).split(b"\0")[0].decode(errors="replace")
            if kind == "exec":
                return (os.path.basename(path), kind) if os.path.exists(path) else (None, kind)
            base = "" if folder is None else peek(pid, ARGUMENTS[folder]) & 0xFFFFFFFF
            start = self.link(pid, "cwd" if base in ("", AT_FDCWD) else f"fd/{base}")
            path = os.path.normpath(os.path.join(start, path))
        if not path.startswith(self.root + "/"):
            return None, kind
        return path[len(self.root) + 1:], kind

    @staticmethod
    def link(pid, name):
        try:
            return os.readlink(f"/proc/{pid}/{name}")
        except OSError:
            return ""

    @staticmethod
    def memory(pid, address, size):
        try:
            with open(f"/proc/{pid}/mem", "rb", 0) as file:
                file.seek(address)
                return file.read(min(size, 4096 - address % 4096)) + (
                    file.read(4096) if address % 4096 + size > 4096 else b"")
        except (OSError, OverflowError):
            return b""
