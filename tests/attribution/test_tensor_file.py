"""Files that are written tensor by tensor: the library reads what was put in, and the hash is that of the bytes."""

import hashlib

import pytest
import torch
from safetensors.torch import load_file

from attribution.tensor_file import write_tensors

TENSORS = {
    "state": torch.arange(5, dtype=torch.uint8),
    "a": torch.randn(3, 4),
    "count": torch.tensor([7]),
    "turned": torch.randn(4, 3).T,
    "wide": torch.randn(2, 2, dtype=torch.float64),
    "empty": torch.zeros(0, 3),
}


def test_what_was_written_is_read(tmp_path):
    path = tmp_path / "x.safetensors"
    found = write_tensors(path, TENSORS)
    read = load_file(path)
    assert read.keys() == TENSORS.keys()
    for name, of in TENSORS.items():
        assert torch.equal(read[name], of)
        assert read[name].dtype == of.dtype
    assert found == hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def test_tensors_are_made_when_their_turn_comes(tmp_path):
    asked = []

    def made(name, of):
        asked.append(name)
        return of * 2

    write_tensors(tmp_path / "x", TENSORS, made)
    assert sorted(asked) == sorted(TENSORS)
    assert torch.equal(load_file(tmp_path / "x")["a"], TENSORS["a"] * 2)


def test_a_dtype_that_is_not_known_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="float16"):
        write_tensors(tmp_path / "x", {"a": torch.zeros(2, dtype=torch.float16)})
