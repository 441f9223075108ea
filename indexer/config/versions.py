"""The versions that results depend on; they enter every key, so that another version never shows old scores."""

from importlib.metadata import version

WHENCE_VERSION = "0.1.0"
VERSIONS = {"whence": WHENCE_VERSION} | {name: version(name) for name in ("torch", "transformers", "kronfluence")}
