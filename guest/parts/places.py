# --- Places: where things lie while the build runs --------------------------------------------------


def home() -> "str":
    """The folder of the installed agent that runs now, or '' where none is installed."""
    folder, _, name = sys.argv[0].rpartition("/")
    return folder if name == "agent.pyc" or _exists(folder + "/agent.pyc") else ""


def quiet_words(folder: "str") -> "list[str]":
    """What is to stay out of the build's output, of `block` and `records`: what `install` was told, in `folder`.

    Where none is installed, BUILDTEL_BLOCK=false in our environment says it of the block.
    """
    if folder:
        return read_file(folder + "/buildtel_quiet", 100).decode("ascii", "replace").split()
    return ["block"] if posix.environ.get(b"BUILDTEL_BLOCK") == b"false" else []


def may_leave(folder: "str") -> "bool":
    """Whether the user that removes an agent installed in `folder` can remove what we leave."""
    return posix.stat(folder).st_uid in (0, posix.getuid())


class Spool:
    """This user's folder on a tmpfs, for what must outlive a process but not the build; or a `folder` given."""

    def __init__(self, owner: "str", folder: "str" = "") -> "None":
        self._owner = owner
        self._stem = "/buildtel-%08x-" % (crc32(owner.encode("utf-8", "replace")) & 0xFFFFFFFF)
        self._given = self._folder = folder
        self._known = None  # type: list[str] | None

    def first_of(self, uid: "str") -> "str":
        """Where the folder of a user lies, if its first place can be had."""
        return SPOOL_ROOTS[0] + self._stem + uid

    def claim(self) -> "int":
        """Holds this user's folder by a lock of the file that it gives; -1 if another process holds it."""
        import fcntl

        name = self.leave(posix.urandom(3).hex())
        if not name:
            return -1
        _quietly(posix.unlink, self.path(name))
        folder = posix.open(self._folder, posix.O_RDONLY | posix.O_CLOEXEC)
        if _quietly(fcntl.flock, folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
            return folder
        posix.close(folder)
        return -1

    def create(self, name: "str", mode: "int" = 0o644) -> "int":
        """Opens a new file in this user's folder for writing; -1 where there is no place for it."""
        mine = self._stem + str(posix.getuid())
        for root in [self._folder] if self._folder else [root + mine for root in SPOOL_ROOTS]:
            for _attempt in (1, 2):
                try:
                    if not _exists(root):
                        posix.mkdir(root, 0o755)
                        self._known = None
                    if not owned_folder(root):
                        break
                    flags = posix.O_CREAT | posix.O_EXCL | posix.O_WRONLY | posix.O_APPEND | posix.O_CLOEXEC
                    fd = posix.open(root + "/" + name, flags, mode)
                    self._folder = root
                    if mode == 0o666:
                        posix.chmod(root + "/" + name, mode)
                    return fd
                except OSError:
                    continue
        return -1

    def leave(self, name: "str", data: "bytes" = b"") -> "str":
        """Creates a file with `data`; gives its name, '' where it could not be made."""
        fd = self.create(name)
        if fd < 0:
            return ""
        write(fd, data)
        posix.close(fd)
        return name

    def path(self, name: "str") -> "str":
        """Where a created file lies."""
        return self._folder + "/" + name

    def find(self, prefix: "str") -> "list[str]":
        """The files of every user whose names begin so, in the order of their names."""
        if self._known is None:
            self._known = self._folders()
        named = [(name, place) for place in self._known for name in _listed(place) if name.startswith(prefix)]
        return [folder + "/" + name for name, folder in sorted(named)]

    def keep_key(self, key: "bytes") -> "bool":
        """Leaves the key for later steps, for its owner's eyes and on a tmpfs only; False where there is none."""
        fd = self.create("key", 0o600)
        if fd < 0:
            return False
        kept = is_tmpfs(self._folder) and write(fd, key) == len(key)
        posix.close(fd)
        return kept or not _quietly(posix.unlink, self.path("key"))

    def key(self) -> "bytes":
        """The key that `install` kept, if it was our user, or the one that owns the installed agent."""
        for path in self.find("key"):
            try:
                stat = posix.lstat(path)
                trusted = (posix.getuid(), posix.stat(self._owner).st_uid)
            except OSError:
                continue
            if stat.st_mode & 0o170077 == 0o100000 and stat.st_uid in trusted:
                return read_file(path, 4096)
        return b""

    def clear(self) -> "None":
        """Removes every file of every folder that we may; by the folder itself, whatever its name leads to by then."""
        for folder in self._folders():
            try:
                fd = posix.open(folder, posix.O_RDONLY | posix.O_DIRECTORY | posix.O_NOFOLLOW | posix.O_CLOEXEC)
            except OSError:
                continue
            for name in posix.listdir(fd):
                try:
                    posix.unlink(name, dir_fd=fd)
                except OSError:
                    pass
            posix.close(fd)

    def tidy(self) -> "None":
        """Removes the folders that are empty."""
        for folder in [] if self._given else self._folders():
            _quietly(posix.rmdir, folder)

    def _folders(self) -> "list[str]":
        if self._given:
            return [self._given]
        stem = self._stem[1:]
        named = [(root + "/" + name, name) for root in SPOOL_ROOTS for name in _listed(root) if name.startswith(stem)]
        return [path for path, name in named if _is_folder_of(path, name.rpartition("-")[2])]


def _is_folder_of(path: "str", uid: "str") -> "bool":
    """Whether it is a real folder of the user that its name says: nobody else may put one there in his name."""
    try:
        stat = posix.lstat(path)
    except OSError:
        return False
    return stat.st_mode & 0o170000 == 0o040000 and str(stat.st_uid) == uid


def is_tmpfs(path: "str") -> "bool":
    """Whether what is written there stays in memory, by /proc/self/mounts."""
    best, kind = "", ""
    for line in read_file("/proc/self/mounts").decode("utf-8", "replace").splitlines():
        _, place, type_name = line.split(" ", 3)[:3]
        if (path + "/").startswith(place.rstrip("/") + "/") and len(place) >= len(best):
            best, kind = place, type_name
    return kind in ("tmpfs", "ramfs")


def owned_folder(path: "str") -> "bool":
    """Whether this is a real folder that only we (or root) can write to."""
    try:
        stat = posix.lstat(path)
    except OSError:
        return False
    return stat.st_mode & 0o170000 == 0o040000 and stat.st_uid in (0, posix.getuid()) and not stat.st_mode & 0o022


def _listed(path: "str") -> "list[str]":
    try:
        return posix.listdir(path)
    except OSError:
        return []


def _quietly(call: "Callable[..., Any]", *arguments: "Any") -> "bool":
    try:
        call(*arguments)
    except OSError:
        return False
    return True


def rows_to_text(names: "list[str]", values: "Iterable[int | None]") -> "tuple[str, str]":
    """A header and a row of a sample file."""
    return " ".join(names), " ".join(["-" if value is None else str(value) for value in values])


def row_from_text(text: "str") -> "list[int | None]":
    """The numbers of a row of a sample file."""
    return [None if value == "-" else int(value) for value in text.split()]


