import torch

from attribution.index.byte_product import byte_product


def test_it_is_the_product_of_whole_numbers():
    generator = torch.Generator().manual_seed(0)
    left = torch.randint(-127, 128, (33, 70), generator=generator, dtype=torch.int8)
    right = torch.randint(-127, 128, (70, 19), generator=generator, dtype=torch.int8)
    assert byte_product(left, right).long().equal(left.long() @ right.long())


def test_one_row_and_one_column():
    left, right = (torch.tensor([[n]], dtype=torch.int8) for n in (-3, 5))
    assert byte_product(left, right).tolist() == [[-15]]
