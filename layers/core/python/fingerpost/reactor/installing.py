"""Installs what was uploaded: fetches what it needs, makes one bundle of it all, lets it run. Twice does no harm."""

from collections.abc import Callable
from typing import Any

from ..errors import Invalid, TooLarge
from ..log import warning
from ..ports.blobs import MAX_BLOB_BYTES, Blobs
from ..ports.installer import Installer, NoInstaller, Refused
from ..ports.runner import NoRunner
from ..ports.table import Item, Tables, Unreachable
from ..shapes import upgraded
from . import bundles, scripts
from . import keys as own_keys
from .targets import Target
from .upload import MODULES, Upload

MAX_TRIES = 3  # of one version, when the registry or we ourselves are out of order

type Task = dict[str, Any]  # account, project, app, version


def carry_out(
    task: Task,
    tables: Tables,
    blobs: Blobs,
    installer: Installer,
    ready_runner: Callable[[], None],
    *,
    at: int,
    tries: int = 1,
) -> None:
    """Install one version. `tables` are unscoped; `ready_runner` is wiring's; `tries` counts this time too.

    Raises what keeps it from being done now, so that the queue brings the task again, until MAX_TRIES.
    """
    main, of = tables.of(task["account"]).main, Target(project=task["project"], app=task["app"])
    item = main.get(own_keys.script_version(of.app, task["version"]), consistent=True)
    if item is None or (row := upgraded(item))["state"] != scripts.INSTALLING:
        return
    try:
        bundle = _bundle(task["account"], of, row, blobs, installer)
        ready_runner()  # whoever is told that a script is ready finds it ready
    except (Refused, Invalid, NoInstaller, NoRunner) as error:
        scripts.failed(main, of, row, str(error))
        return
    except Exception as error:
        if tries < MAX_TRIES:
            raise
        warning("a script was given up", app=of.app, version=task["version"], error=repr(error))
        reason = str(error) if isinstance(error, Unreachable) else "something went wrong on our side; upload it again"
        scripts.failed(main, of, row, f"It could not be installed: {reason}")
        return
    script = scripts.script_of(of.app, {**row, "bundle": bundle}, scripts.uploaded(row, blobs))
    scripts.installed(main, of, row, script, at=at)


def _bundle(account: str, of: Target, row: Item, blobs: Blobs, installer: Installer) -> str:
    """The name of the blob with everything in it. Raises Invalid, TooLarge, Refused, NoInstaller, Unreachable."""
    content = _content(scripts.uploaded(row, blobs), installer)
    if len(content) > MAX_BLOB_BYTES:
        raise TooLarge(
            f"With all that it depends on, a script has at most {MAX_BLOB_BYTES:,} bytes, compressed; "
            f"this one has {len(content):,}"
        )
    name = scripts.bundle_name(account, of.app, content)
    blobs.put_if_absent(name, content, content_type=scripts.ZIP)
    return name


def _content(sent: Upload, installer: Installer) -> bytes:
    files = dict(sent.files)
    if sent.manifest.fetched:
        packages = bundles.read(installer.install(sent.manifest.fetched))
        files |= {path: content for path, content in packages.items() if path.startswith(f"{MODULES}/")}
    return bundles.pack(iter(files.items()))
