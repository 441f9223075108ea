"""A device that is not the CPU, on machines that have none: its tensors are CPU tensors that refuse to meet others.

torch's device `meta` stands for it. Tensors that are made on it or moved to it inside `pretend_device()` compute, with
the CPU's numbers; an operation that mixes them with tensors of the CPU fails as it would on CUDA, and so does reading
them without moving them back. Forward-mode derivatives do not work there: torch treats `meta` as what it is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

DEVICE = torch.device("meta")
CPU = torch.device("cpu")
MOVES = (torch.ops.aten.copy_.default, torch.ops.aten._to_copy.default)


class Away(Tensor):
    """A tensor on the pretended device; `here` has its numbers."""

    here: Tensor

    @staticmethod
    def __new__(cls, here: Tensor) -> "Away":
        made: Away = Tensor._make_wrapper_subclass(
            cls,
            here.shape,
            strides=here.stride(),
            storage_offset=here.storage_offset(),
            dtype=here.dtype,
            device=DEVICE,
            requires_grad=here.requires_grad,
        )
        made.here = here
        return made

    def data_ptr(self) -> int:
        return self.here.data_ptr()

    def __repr__(self, *, tensor_contents: object = None) -> str:
        return f"Away({self.here!r})"

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None) -> Any:
        return _call(func, args, kwargs or {})


class _Made(TorchDispatchMode):
    """Tensors that are made with `device=DEVICE`, which no argument gives away."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None) -> Any:
        return _call(func, args, kwargs or {})


class _Data(TorchFunctionMode):
    """What torch does below the dispatcher: data of `tensor`, `as_tensor` and of lists that index; lists of numbers."""

    def __torch_function__(self, func, types, args=(), kwargs=None) -> Any:
        kwargs = dict(kwargs or {})
        if func is Tensor.tolist:
            return args[0].cpu().tolist()
        if func in (Tensor.__getitem__, Tensor.__setitem__):
            args = (args[0], _indices(args[1]), *args[2:])
        device = kwargs.pop("device", None) if func in (torch.tensor, torch.as_tensor) else None
        made = func(*args, **kwargs)
        return made if device is None else made.to(device)


def _indices(of: Any) -> Any:
    if isinstance(of, tuple):
        return tuple(_indices(each) for each in of)
    return torch.tensor(of) if isinstance(of, list) else of


def _call(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    flat, spec = tree_flatten((args, kwargs))
    away = any(isinstance(each, Away) for each in flat)
    named = kwargs.get("device")
    if away:
        _refuse_others(func, flat)
    unwrapped = [_unwrapped(each) for each in flat]
    args, kwargs = tree_unflatten(unwrapped, spec)
    out = func(*args, **kwargs)
    if torch.device(named) != DEVICE if named is not None else not away:
        return out
    back = {id(here): each for here, each in zip(unwrapped, flat, strict=True) if isinstance(each, Away)}
    return tree_map(
        lambda each: back[id(each)] if id(each) in back else Away(each) if isinstance(each, Tensor) else each, out
    )


def _unwrapped(each: Any) -> Any:
    if isinstance(each, Away):
        return each.here
    return CPU if isinstance(each, torch.device) and each == DEVICE else each


def _refuse_others(func: Any, flat: list[Any]) -> None:
    """As CUDA does: a number without dimensions may come from the CPU, and so may the indices of an index."""
    others = [each for each in flat if isinstance(each, Tensor) and not isinstance(each, Away) and each.dim()]
    if "index" in func._schema.name:
        others = [each for each in others if each.is_floating_point()]
    if others and func not in MOVES:
        raise RuntimeError(f"expected all tensors of {func} on the same device, found one on the CPU")


@contextmanager
def pretend_device() -> Iterator[torch.device]:
    with _Made(), _Data():
        yield DEVICE
