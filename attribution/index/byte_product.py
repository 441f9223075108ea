"""The product of two matrices of bytes: on CPUs with VNNI several times faster than that of floats."""

import torch
from torch import Tensor


def byte_product(left: Tensor, right: Tensor) -> Tensor:
    """left: int8 [n, d]   right: int8 [d, m]   -> int32 [n, m] where the processor has it, else float32"""
    if left.device.type == "cpu" and torch.cpu._is_vnni_supported():
        return torch._int_mm(left, right)
    return left.float() @ right.float()
