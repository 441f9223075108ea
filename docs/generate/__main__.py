"""EDGE: `python -m docs.generate` writes the generated pages, and fills `site/pages`, from which the site is built."""

from pathlib import Path

from docs.generate import api, commands, configuration, database, growth, joins, site, sizes

ROOT = Path(__file__).parents[2]
PACKAGES = ("whence", "attribution")  # whose public names the API pages tell


def kept_pages() -> dict[str, str]:
    """Pages that lie in the repository, so that they are read without building anything; a test holds them to this."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return {
        "docs/configuration.md": configuration.page(),
        "docs/commands.md": commands.page(makefile),
        "docs/database.md": database.page(),
        "docs/joins.svg": joins.picture(),
        "docs/sizes.md": sizes.page(),
        "docs/growth.md": growth.page(),
    }


def sources() -> dict[str, str]:
    """Dotted name -> source of every module of the PACKAGES that are there."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(part for part in parts if part != "__init__")
            found[name] = path.read_text(encoding="utf-8")
    return found


def main() -> None:
    for name, text in kept_pages().items():
        (ROOT / name).write_text(text, encoding="utf-8")
    made = {f"api/{name}.md": text for name, text in api.pages(sources()).items()}
    site.stage(ROOT, made, ROOT / "site" / "pages")


if __name__ == "__main__":
    main()
