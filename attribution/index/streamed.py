"""What is kept of the documents, read from the host and moved to the device of the queries: an index is larger than the
memory of a GPU, and a scan multiplies one layer at a time.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from attribution.index.compress import Compressed


def streamed(kept: Sequence[Compressed], device: torch.device) -> Iterator[Compressed]:
    """Every layer, in order, on the device; while one is multiplied there, the next is read into pinned memory. At most
    two are on the device, and two pinned."""
    if not kept or kept[0].scale.device == device:
        yield from kept
        return
    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(_read, kept[0], device)
        for after in (*kept[1:], None):
            here = ahead.result()
            if after is not None:
                ahead = pool.submit(_read, after, device)
            yield Compressed(*(of.to(device, non_blocking=True) for of in here))


def _read(layer: Compressed, device: torch.device) -> list[Tensor]:
    """Its tensors where the device can fetch them by itself. The copy of pinned memory stands in the device's queue
    behind the products before it, so nothing has to be waited for."""
    tensors = [layer.left, layer.right, layer.scale, layer.document]
    return [of.pin_memory() if device.type == "cuda" and of.numel() else of for of in tensors]
