"""The versions that results depend on; they enter every key, so that another version never shows old scores."""

from indexer import __version__
from indexer.config.installed import installed

VERSIONS = {"whence": __version__} | {name: installed(name) for name in ("torch", "transformers", "kronfluence")}
