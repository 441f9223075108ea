from indexer.evaluate.siblings.halves import chosen_around


def test_what_is_wanted_is_chosen_and_the_rest_is_drawn():
    found = chosen_around([7, 3, 7], 50, 20, seed=0)
    assert {3, 7} <= set(found)
    assert len(set(found)) == 20
    assert sorted(found) == list(found)
    assert set(found) - {3, 7} != set(chosen_around([7, 3], 50, 20, seed=1)) - {3, 7}


def test_the_wanted_are_at_most_half_the_first_of_them():
    assert {0, 1, 2} <= set(found := chosen_around(range(30), 50, 6, seed=0))
    assert len(found) == 6


def test_a_small_corpus_is_taken_whole():
    assert list(chosen_around([1], 4, 600, seed=0)) == [0, 1, 2, 3]
