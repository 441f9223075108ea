"""What is said of saliency methods, and which are offered, in which order."""

from attribution.prompt.saliency.method import computed, cues, label, methods, on_demand


def test_maps_that_come_with_mirage_cannot_be_asked_for() -> None:
    assert set(methods()) - set(computed()) == {"mirage_norm", "mirage_grad_x_input"}
    assert set(on_demand()) == {name for name, each in computed().items() if each.on_demand}


def test_the_slow_ones_are_offered_first() -> None:
    slow = [methods()[name].slow for name in on_demand()]
    assert slow == sorted(slow, reverse=True) and len(set(slow)) == 2


def test_citations_are_read_from_the_best_map_there_is() -> None:
    assert cues() == ("mirage_norm", "mirage_grad_x_input", "grad_norm")
    places = [each.cue for each in methods().values() if each.cue]
    assert len(set(places)) == len(places)


def test_no_two_have_one_label() -> None:
    labels = [each.label for each in methods().values()]
    assert len(set(labels)) == len(labels)
    assert label("attention") == "Attention (not an explanation)"
    assert label("of another version") == "of another version"
