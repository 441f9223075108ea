"""What must be installed beside this program, told in one line where it is not."""

from importlib.metadata import PackageNotFoundError, version

from attribution.errors import BadInput

# No dependency of the package: kronfluence lists torchvision, which breaks transformers beside a CPU build of torch.
KRONFLUENCE = "kronfluence==1.0.1"
HOW = {"kronfluence": f"--no-deps {KRONFLUENCE}", "tantivy": "'tantivy>=0.27,<0.28'"}  # what pip is told


def installed(name: str) -> str:
    """The version of an installed package. Raises BadInput, with the command that installs it, where it is missing."""
    try:
        return version(name)
    except PackageNotFoundError:
        how = HOW.get(name, f"'{name}'")
        raise BadInput(f"expected the package {name}, found it missing; run `pip install {how}`") from None
