"""EDGE: an object store of the S3 kind as the storage of all nodes; each machine has a cache of what it was asked for.

`CURRENT` is put on the condition that nobody has put another one meanwhile; a store that ignores conditions is refused.
"""

import hashlib
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attribution.errors import BadInput, Locked
from indexer.config.installed import installed
from indexer.config.run import OBJECTS
from indexer.database.beside import named_in
from indexer.database.snapshot_file import read_current
from indexer.engines.order import Lost, Spoiled
from indexer.journal.files import file_hash, unseal
from indexer.journal.lines import Finished, line_of, listed_by
from indexer.journal.stages import is_whole

_UNMET = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")


class Unmet(Exception):
    """The condition of a put: somebody else has put the object meanwhile."""


class ObjectStore:
    """One folder of a bucket. The environment says whose it is and where, as for every client of S3
    (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL` …)."""

    def __init__(self, address: str) -> None:
        installed("s3fs")
        import s3fs

        self.address = address.rstrip("/")
        self._bucket, _, prefix = self.address.removeprefix(OBJECTS).partition("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self._shared: dict[str, Path] = {}  # key -> the folder of the part that is known to be there
        digest = hashlib.sha256(self.address.encode()).hexdigest()[:16]
        self._cache = Path(tempfile.gettempdir()) / f"whence-{os.getuid()}-{digest}"
        with self._reached():
            self._files = s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False)

    def check(self) -> None:
        name = f"probe-{secrets.token_hex(8)}"
        try:
            with self._reached():
                self._files.call_s3("head_bucket", Bucket=self._bucket)
                self._files.pipe_file(self._at(name), b"1")
            honoured = self._honours_conditions(name)
        finally:
            with self._reached():
                self._files.rm_file(self._at(name))
        if not honoured:
            raise BadInput(
                f"expected a store at {self.address} that puts an object only when nobody else has (If-None-Match, "
                "If-Match), found one that ignores it; use one that does, or a shared folder"
            )

    def _honours_conditions(self, name: str) -> bool:
        """Whether it refuses to put an object in the place of one that is there, and of one that is not the newest."""
        for tag in (None, '"another"'):
            try:
                self.put(name, b"2", tag)
            except Unmet:
                continue
            except (Lost, NotImplementedError):  # it does not know the condition
                return False
            return False
        return True

    def parts(self) -> Path:
        found = self._cache / "parts"
        found.mkdir(parents=True, exist_ok=True)
        return found

    def share(self, parts: Sequence[Finished]) -> None:
        for stage in {part.stage for part in parts if self._shared.get(part.key) != part.folder}:
            of = [part for part in parts if part.stage == stage]
            slips = self.slips(stage, {part.key for part in of})
            for part in of:
                folder = part.folder.parents[2]
                there = listed_by(folder, slips[part.key]) if part.key in slips else None
                if there is None or (there.folder, there.files) != (part.folder, part.files):
                    self.leave(part, line_of(folder, part))  # another build may have left it with other times in it
                self._shared[part.key] = part.folder

    def bring(self, part: Finished) -> None:
        if part.folder.is_dir() and is_whole(part):
            return
        scratch = part.folder.with_name(f"{part.folder.name}.{secrets.randbelow(10**12)}.partial")
        try:
            found = self._fetched(part, scratch)
            if found:
                self.withdraw(part.stage, part.key)
                raise Spoiled(f"expected {part.stage} part {part.part} in {self.address} as it was left, found {found}")
            shutil.rmtree(part.folder, ignore_errors=True)
            scratch.mkdir(parents=True, exist_ok=True)  # of a part without files
            scratch.rename(part.folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _fetched(self, part: Finished, scratch: Path) -> str:
        """Its files, into a folder; returns what is wrong with them, "" for nothing."""
        with self._reached():
            for name in part.files:
                (scratch / name).parent.mkdir(parents=True, exist_ok=True)
                try:
                    self._files.get_file(f"{self._of(part)}/{name}", str(scratch / name))
                except FileNotFoundError:
                    return f"no {name}"
        return "" if {name: file_hash(scratch / name) for name in part.files} == dict(part.files) else "other bytes"

    def leave(self, part: Finished, line: str) -> None:
        with self._reached():
            for name in part.files:
                self._files.put_file(str(part.folder / name), f"{self._of(part)}/{name}")
            self._files.pipe_file(self._slip(part.stage, part.key), line.encode())

    def slips(self, stage: str, keys: Container[str]) -> dict[str, str]:
        """Those of all earlier builds are there too: their names are listed, no more."""
        with self._reached():
            try:
                paths = self._files.ls(self._at(f"slips/{stage}"), detail=False)
            except FileNotFoundError:
                return {}
            wanted = [path for path in paths if path.rpartition("/")[2] in keys]
            found = self._files.cat(wanted) if wanted else {}
        return {path.rpartition("/")[2]: content.decode(errors="replace") for path, content in found.items()}

    def has_slip(self, stage: str, key: str) -> bool:
        with self._reached():
            return bool(self._files.exists(self._slip(stage, key)))

    def withdraw(self, stage: str, key: str) -> None:
        with self._reached():
            self._files.rm_file(self._slip(stage, key))

    def taken(self, part: Finished) -> None:
        """The slip stays: it is the journal of the store."""
        self._shared[part.key] = part.folder

    def carry(self, path: str, name: str) -> None:
        source, listed = Path(path), f"carried/{name}.json"
        with self._reached():
            if self._files.exists(self._at(listed)):
                return
            paths = [each for each in sorted(source.rglob("*")) if each.is_file()] if source.is_dir() else [source]
            names = [each.relative_to(source).as_posix() if source.is_dir() else "" for each in paths]
            for each, below in zip(paths, names, strict=True):
                self._files.put_file(str(each), self._at(f"carried/{name}/{below or 'file'}"))
            self._files.pipe_file(self._at(listed), json.dumps(names).encode())  # last: all of it is there

    def carried(self, name: str) -> Path:
        target = self._cache / "carried" / name
        if target.exists():
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = target.with_name(f"{name}.{secrets.token_hex(8)}.partial")
        with self._reached():
            names = json.loads(self._files.cat_file(self._at(f"carried/{name}.json")))
            for below in names:
                place = scratch / below
                place.parent.mkdir(parents=True, exist_ok=True)
                self._files.get_file(self._at(f"carried/{name}/{below or 'file'}"), str(place))
        try:
            scratch.rename(target)
        except OSError:  # another process of this machine was faster
            shutil.rmtree(scratch, ignore_errors=True)
        return target

    def publish(self, folder: Path) -> None:
        """Raises Locked where somebody else has published in the meantime."""
        current = read_current(folder)
        if current is None:
            return
        text, before = self.read("CURRENT")
        if text and _database(text) == current.database:
            return
        with self._reached():
            for name in named_in(folder / current.database):  # each named by its hash: what is there is the same
                if not self._files.exists(self._at(name)):
                    self._files.put_file(str(folder / name), self._at(name))
            self._files.put_file(str(folder / current.database), self._at(current.database))
        try:
            self.put("CURRENT", (folder / "CURRENT").read_bytes(), before)
        except Unmet:
            raise Locked(
                f"expected nobody else to publish in {self.address}, found another database there meanwhile; build "
                "again when the other build has ended"
            ) from None

    def read(self, name: str) -> tuple[bytes, str | None]:
        """An object with the tag that says which version of it this is; b"" and None where there is none."""
        while True:
            with self._reached():
                try:
                    tag = self._tag(name)
                    text = self._files.cat_file(self._at(name))
                    if self._tag(name) == tag:
                        return text, tag
                except FileNotFoundError:
                    return b"", None

    def put(self, name: str, content: bytes, tag: str | None) -> str:
        """Put an object in the place of the version of this tag, None: where there is none; returns the new tag.

        Raises Unmet when that is not what is there, Lost for a store that does not answer.
        """
        condition = {"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}
        with self._reached():
            try:
                key = {"Bucket": self._bucket, "Key": self._prefix + name}
                return str(self._files.call_s3("put_object", **key, Body=content, **condition)["ETag"])
            except FileExistsError:
                raise Unmet from None
            except OSError as error:
                if _code(error) in _UNMET or (tag is not None and isinstance(error, FileNotFoundError)):
                    raise Unmet from None
                raise

    def remove(self, name: str) -> None:
        with self._reached():
            self._files.rm_file(self._at(name))

    def fetch(self, name: str, path: Path) -> None:
        """An object into a file."""
        with self._reached():
            self._files.get_file(self._at(name), str(path))

    def close(self) -> None:
        """Nothing is open."""

    def _tag(self, name: str) -> str:
        return str(self._files.call_s3("head_object", Bucket=self._bucket, Key=self._prefix + name)["ETag"])

    def _at(self, name: str) -> str:
        return f"{self._bucket}/{self._prefix}{name}"

    def _slip(self, stage: str, key: str) -> str:
        return self._at(f"slips/{stage}/{key}")

    def _of(self, part: Finished) -> str:
        return self._at(f"parts/{part.stage}/{part.folder.name}")

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Turns what the client says into one line: BadInput for a bucket that is not there or not ours, Lost for a
        store that does not answer."""
        from aiohttp import ClientError
        from botocore.exceptions import BotoCoreError, NoCredentialsError

        try:
            yield
        except FileNotFoundError as error:
            raise BadInput(
                f"expected {self.address} to hold what was left there, found: {error}; see that the bucket "
                "is there, and that nothing in it was removed"
            ) from error
        except (PermissionError, NoCredentialsError) as error:
            raise BadInput(
                f"expected leave to read and write in {self.address}, found: {error}; see the keys and the clock of "
                "this machine"
            ) from error
        except (OSError, BotoCoreError, ClientError) as error:
            raise Lost(f"expected {self.address} to answer, found: {error}; give the same command again") from error


def _code(error: OSError) -> str:
    response = getattr(error.__cause__, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def _database(current: bytes) -> Any:
    try:
        return unseal(current)["database"]
    except (ValueError, KeyError):
        return None
