"""Colour arithmetic on `#rrggbb`: mixing and contrast, so that legibility is computed and not hoped for."""


def channels(colour: str) -> tuple[float, float, float]:
    """Red, green, blue of `#rrggbb`, each in [0, 1]; ValueError for anything else."""
    if len(colour) != 7 or not colour.startswith("#"):
        raise ValueError(f"expected a colour like #1a2b3c, found {colour!r}")
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def mix(over: str, under: str, amount: float) -> str:
    """`over` at opacity `amount` in [0, 1] on `under`, in sRGB as browsers do it."""
    pairs = zip(channels(over), channels(under), strict=True)
    return "#" + "".join(f"{round(255 * (amount * a + (1 - amount) * b)):02x}" for a, b in pairs)


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio in [1, 21], WCAG 2.2; text needs 4.5."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
