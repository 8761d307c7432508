"""Shuts a process in, so that the code of a stranger costs nobody anything.

On Linux, where the system allows namespaces: no network, no other process in sight, and of all
files only Python's and the course's, which can't be written, and an empty folder in memory.
Everywhere a hook in Python refuses what would lead out; alone, it can be got round by calling C.
"""

import ctypes
import os
import resource
import site
import stat
import sys
from contextlib import suppress
from pathlib import Path

from aecourse import data

MEMORY = 2 << 30  # bytes that a notebook may take beyond what the course takes itself
DISK = 64 << 20  # bytes that it may write
CPU = 20  # seconds of computing an exercise
NOBODY = 65534
LINUX = sys.platform == "linux"
NAMESPACES = 0x00020000 | 0x08000000 | 0x20000000 | 0x40000000  # mounts, IPC, processes, network
USER = 0x10000000
PRIVATE, BIND, KEPT = 1 << 18 | 1 << 14, 1 << 12 | 1 << 14, 1 << 1 | 1 << 3  # nosuid, noexec
DEVICES = ("null", "zero", "random", "urandom")
ABOUT_PROCESSORS = ("/proc/cpuinfo", "/sys/devices/system/cpu")  # PyTorch asks there
REFUSED = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn")
REFUSED += ("os.fork", "os.kill", "signal.pthread_kill", "pty.")
CHANGES = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod")
CHANGES += ("os.chown", "os.truncate", "os.utime", "os.chdir", "shutil.")
LOOKS = ("os.listdir", "os.scandir")
WRITES = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC


def enter(folder):
    """Leave for namespaces of its own, whose only files are Python's and the course's; `folder`
    must be empty. Says whether that was possible. The next process that is forked is alone."""
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, DISK)
    if not LINUX:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    _limit(resource.RLIMIT_AS, taken + MEMORY)  # address space: PyTorch alone reserves gigabytes
    end_with_parent()
    user, group = os.getuid(), os.getgid()
    if libc.unshare(NAMESPACES | (USER if user else 0)):
        return False
    with suppress(OSError):
        if user:
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
        _furnish(libc, folder)
        return True
    os._exit(3)  # halfway out of one world and into another


def end_with_parent():
    """Have Linux kill this process when its parent ends."""
    if LINUX:
        ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL


def shut(folder, alone):
    """Give up all that would lead out, for good. `folder` is all that may be written."""
    os.umask(0o077)
    os.environ.clear()
    os.environ.update(HOME=str(folder), TMPDIR=str(folder), MPLBACKEND="agg")
    os.chdir(folder)
    _limit(resource.RLIMIT_CPU, CPU)
    if LINUX:
        _limit(resource.RLIMIT_NPROC, 32)
    if os.getuid() == 0 and (alone or _open_to_all()):
        with suppress(OSError):  # a container may know no such user
            os.chown(folder, NOBODY, NOBODY)
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
    if LINUX:  # no rights of an administrator's, in its namespaces either
        head, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        ctypes.CDLL(None).capset(head, none)
    sys.dont_write_bytecode = True
    sys.addaudithook(_hook(os.path.realpath(folder)))


def _limit(what, value):
    """A limit that can't be raised again; where there was a lower one, it stays."""
    _, most = resource.getrlimit(what)
    value = value if most == resource.RLIM_INFINITY else min(value, most)
    with suppress(OSError, ValueError):  # macOS knows the limit on memory and refuses it
        resource.setrlimit(what, (value, value))


def _visible():
    """The folders of Python and of the course, and the devices that everybody needs."""
    course = [Path(data.__file__).parent, data.FOLDER]
    python = [sys.prefix, sys.base_prefix, *site.getsitepackages(), site.getusersitepackages()]
    system = ["/usr", "/lib", "/lib64", *ABOUT_PROCESSORS, *(f"/dev/{name}" for name in DEVICES)]
    paths = sorted({Path(path) for path in (*system, *python, *course)})
    return [p for p in paths if p.exists() and not any(q in p.parents for q in paths)]


def _furnish(libc, folder):
    """A root of its own: what is visible, read only, and `folder`, empty, to write in."""
    root = os.fsencode(folder)
    _mount(libc, None, b"/", None, PRIVATE)
    _mount(libc, b"none", root, b"tmpfs", KEPT, b"size=1m,mode=755")
    for path in _visible():
        place = Path(f"{folder}{path}")
        place.parent.mkdir(0o755, parents=True, exist_ok=True)
        if path.is_symlink():
            place.symlink_to(path.readlink())
            continue
        place.mkdir(0o755) if path.is_dir() else place.touch()
        _mount(libc, os.fsencode(path), os.fsencode(place), None, BIND)
    inside = Path(f"{folder}{folder}")
    inside.mkdir(0o755, parents=True)
    read_only = (ctypes.c_uint64 * 4)(1, 0, 0, 0)  # MOUNT_ATTR_RDONLY, on all that is mounted there
    if libc.syscall(442, -100, root, 0x8000, read_only, ctypes.sizeof(read_only)):  # mount_setattr
        raise OSError(ctypes.get_errno(), "mount_setattr")
    _mount(libc, b"none", os.fsencode(inside), b"tmpfs", KEPT, b"size=%d,mode=755" % DISK)
    os.chroot(folder)
    os.chdir("/")


def _mount(libc, *arguments):
    if libc.mount(*arguments, *[None] * (5 - len(arguments))):
        raise OSError(ctypes.get_errno(), "mount")


def _open_to_all():
    """Whether nobody could still read Python and the course, if root became nobody."""
    folders = [p for path in (sys.prefix, data.__file__) for p in Path(path).resolve().parents]
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in folders)


def _hook(folder):
    """An audit hook, which can't be taken off, that refuses what leads out of the folder."""
    readable = [folder, *(os.path.realpath(path) for path in _visible())]

    def within(path, folders):
        if path is None or isinstance(path, int):  # the working folder; a file that is open
            return True
        path = os.path.realpath(os.fsdecode(path))
        return any(path == place or path.startswith(place + os.sep) for place in folders)

    def hook(event, arguments):
        fine = not event.startswith(REFUSED)
        if event == "open" and fine:
            fine = within(arguments[0], [folder] if arguments[2] & WRITES else readable)
        elif event.startswith(CHANGES):
            fine = within(arguments[0], [folder])
        elif event.startswith(LOOKS):
            fine = within(arguments[0], readable)
        if not fine:
            raise PermissionError(f"the grader lets no notebook do this: {event}")

    return hook
