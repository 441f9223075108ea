import pytest

from dashboard.drawing.theme import DARK, LIGHT, MARKS, Palette, custom_properties
from tests.dashboard.drawing.colour import contrast, luminance, mix

SURFACES = ("page", "card", "sunken")
FILLS = ("warm_fill", "cool_fill", "strength_fill")


def test_contrast_against_known_pairs() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=1e-3)
    assert luminance("#ff0000") == pytest.approx(0.2126)
    with pytest.raises(ValueError, match="expected a colour"):
        contrast("red", "#ffffff")


def test_mix() -> None:
    assert mix("#ff0000", "#0000ff", 0.5) == "#800080"
    assert mix("#123456", "#ffffff", 1) == "#123456"


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_text_is_legible_on_every_surface_and_on_every_strength_of_a_fill(palette: Palette) -> None:
    for surface in SURFACES:
        under = getattr(palette, surface)
        for colour in ("text", "muted", "accent", "warm", "cool", "good", "notice"):
            assert contrast(getattr(palette, colour), under) >= 4.5, (colour, surface)
        for fill in FILLS:
            for step in range(11):
                assert contrast(palette.text, mix(getattr(palette, fill), under, step / 10)) >= 4.5, (fill, step)
    assert contrast(palette.on_accent, palette.accent) >= 4.5


@pytest.mark.parametrize("palette", [LIGHT, DARK])
@pytest.mark.parametrize("mark", [MARKS.warm, MARKS.cool, MARKS.strength, MARKS.second, MARKS.rest])
def test_marks_of_charts_stand_out_in_both_themes(palette: Palette, mark: str) -> None:
    assert contrast(mark, palette.page) >= 3
    assert contrast(mark, palette.card) >= 3


def test_components_get_both_themes() -> None:
    css = custom_properties()
    assert f"--warm-fill: light-dark({LIGHT.warm_fill}, {DARK.warm_fill});" in css
