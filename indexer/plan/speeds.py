"""How fast a device does each kind of work: assumed of its kind, or measured by `measured.py`: pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

Sides = tuple[int, int]  # (out, in) of a layer


@dataclass(frozen=True)
class Speeds:
    """Multiply-adds in a second, where nothing else is said: of one process with all its threads, or of one GPU."""

    products: float  # of a large product
    passed: float  # of a forward and backward pass
    touched: float  # numbers of a gradient that are squared, weighed and added
    decomposed: float  # of an eigendecomposition in float64, `EIGH` for each of n³
    cut: float  # seconds in which the leading triplets of one layer of one document are found
    scanned: float  # bytes of the index, for one generated token
    written: float  # seconds of one generated token
    shared: float = 3.4  # answers in whose time the prompt's share in one is found
    opened: float = 5.0  # seconds until model and documents are open
    turned: Mapping[int, float] = field(default_factory=dict)  # of tokens into an eigenbasis, by its side
    formed: Mapping[Sides, float] = field(default_factory=dict)  # of a document's gradient, by layer

    def turning(self, side: int) -> float:
        return self.turned.get(side, self.products)

    def forming(self, sides: Sides) -> float:
        return self.formed.get(sides, self.products)

    def faster(self, n: int) -> "Speeds":
        """Of n devices that share documents and tokens out."""
        many = ("products", "passed", "touched", "scanned")
        return replace(self, **{name: n * getattr(self, name) for name in many}, cut=self.cut / n)


READ = {"cpu": 1e10, "cuda": 2e12}  # bytes of weights that pass from memory in a second, while one token is written
_KINDS = {
    "cpu": Speeds(5e10, 6e10, 1e9, 4e10, 2e-5, 4e10, 0.02),
    "cuda": Speeds(1e13, 8e12, 2e11, 5e11, 2e-6, 1e12, 0.02, shared=2.0),
}


def assumed(kind: str, n_params: int) -> Speeds:
    """Of a kind of device, as torch names it, before anything is measured; an unknown one is an accelerator."""
    found = _KINDS.get(kind, _KINDS["cuda"])
    read = READ.get(kind, READ["cuda"])
    return replace(found, written=4 * n_params / read + 0.005, opened=3.0 + 4 * n_params / 3e8)
