"""EDGE: the pages of the repository as one folder that a site is built from, links mended. Nothing is fetched.

In the repository a link leads from file to file, wherever they lie. In the site the pages of `docs/` stand at the top
and the other documents under `repository/`; a link to what is no page keeps its words and leads nowhere.
"""

import os
import re
import shutil
from pathlib import Path

OTHERS = ("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "data/README.md", "data/NOTICE", "LICENSE")
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s#]*)(#[^)\s]*)?\)")
_FENCE = re.compile(r"(^```.*?^```$)", flags=re.MULTILINE | re.DOTALL)


def stage(root: Path, pages: dict[str, str], target: Path) -> None:
    """Fill `target` with `docs/`, the OTHERS and `pages` (path in the site -> text); what was there is removed."""
    shutil.rmtree(target, ignore_errors=True)
    places = places_of(root)
    for source, place in places.items():
        path = target / place
        path.parent.mkdir(parents=True, exist_ok=True)
        if source.endswith(".md"):
            path.write_text(mended((root / source).read_text(encoding="utf-8"), source, places), encoding="utf-8")
        elif place.endswith(".md"):  # a licence: as it stands
            text = (root / source).read_text(encoding="utf-8")
            path.write_text(f"# {Path(source).name}\n\n```text\n{text}\n```\n", encoding="utf-8")
        else:
            shutil.copyfile(root / source, path)
    for place, text in pages.items():
        path = target / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    shutil.copyfile(root / "dashboard" / "mark.svg", target / "mark.svg")


def places_of(root: Path) -> dict[str, str]:
    """Path of a page or picture in the repository -> its place in the site."""
    own = sorted(path for path in (root / "docs").iterdir() if path.suffix in (".md", ".png", ".svg", ".css"))
    others = {name: f"repository/{name.removesuffix('.md').replace('/', '-').lower()}.md" for name in OTHERS}
    return {path.relative_to(root).as_posix(): path.name for path in own} | others


def mended(text: str, source: str, places: dict[str, str]) -> str:
    """The text of the page `source` with every link to a file turned into one to its place in the site."""

    def mend(match: re.Match[str]) -> str:
        picture, words, link, anchor = match[1], match[2], match[3], match[4] or ""
        if not link or ":" in link:
            return match[0]
        wanted = os.path.normpath(Path(source).parent / link).replace(os.sep, "/")
        place = places.get(wanted)
        if place is None:
            # pages that are generated for the site alone, and files that have no page
            return match[0] if link.startswith("api/") else words
        here = os.path.dirname(places[source])  # noqa: PTH120 - places are of the site, not of a disk
        return f"{picture}[{words}]({os.path.relpath(place, here or '.').replace(os.sep, '/')}{anchor})"

    parts = _FENCE.split(text)
    return "".join(part if i % 2 else _LINK.sub(mend, part) for i, part in enumerate(parts))
