"""One palette for both themes: what Streamlit, the components and the charts are painted with.

Two signed colours and no third: warm (orange) pushes towards the token, cool (blue) pushes away from it; the sign
is always written as well. Unsigned amounts have one hue (violet), which is also the accent of the interface.
Text of the corpus and of the models is set in a serif; what Whence itself says is set in a sans-serif.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Palette:
    """Colours of one theme, all `#rrggbb`. Text on a fill of full strength keeps a contrast of 4.5."""

    page: str
    card: str
    sunken: str
    line: str
    text: str
    muted: str
    accent: str
    on_accent: str
    warm: str  # bars and glyphs of positive values
    cool: str  # bars and glyphs of negative values
    warm_fill: str
    cool_fill: str
    strength_fill: str
    good: str
    notice: str


LIGHT = Palette(
    page="#fcfbf9",
    card="#ffffff",
    sunken="#f4f1eb",
    line="#e4dfd6",
    text="#1f1c18",
    muted="#665f55",
    accent="#5340a8",
    on_accent="#ffffff",
    warm="#b84d0c",
    cool="#1f6a9e",
    warm_fill="#f3a066",
    cool_fill="#86bfe6",
    strength_fill="#b9a9f0",
    good="#2e6b3a",
    notice="#8a5a00",
)

DARK = Palette(
    page="#151412",
    card="#1d1b19",
    sunken="#262421",
    line="#3a3630",
    text="#ede9e2",
    muted="#a8a196",
    accent="#b3a6f7",
    on_accent="#17141f",
    warm="#f0a064",
    cool="#77b8e4",
    warm_fill="#94501f",
    cool_fill="#225f8c",
    strength_fill="#5a4a9c",
    good="#83c18f",
    notice="#e0b45c",
)

SERIF = '"Source Serif", "Source Serif 4", Georgia, "Times New Roman", serif'


@dataclass(frozen=True)
class Marks:
    """Colours of bars and lines in charts: a contrast of 3 against the page and the cards of either theme."""

    warm: str = "#cc6a26"
    cool: str = "#3d88bd"
    strength: str = "#8170d6"
    second: str = "#4f9a8f"
    rest: str = "#8d867b"


MARKS = Marks()


def custom_properties() -> str:
    """CSS custom properties for the components; `light-dark()` follows Streamlit's theme, which sets color-scheme."""
    names = Palette.__dataclass_fields__
    lines = [f"--{n.replace('_', '-')}: light-dark({getattr(LIGHT, n)}, {getattr(DARK, n)});" for n in names]
    lines += [f"--mark-{name}: {getattr(MARKS, name)};" for name in Marks.__dataclass_fields__]
    lines += [f"--serif: {SERIF};", "--sans: var(--st-font, 'Source Sans', system-ui, sans-serif);"]
    return ":host {\n  " + "\n  ".join(lines) + "\n}\n"


def chart_style() -> str:
    """CSS for what plotly draws around the marks, in the colours of the theme that the page shows."""

    def both(name: str) -> str:
        return f"light-dark({getattr(LIGHT, name)}, {getattr(DARK, name)})"

    rules = {
        "text": f"fill: {both('muted')}",
        ".legendtext": f"fill: {both('text')}",
        ".hoverlayer text, .hoverlayer .legendtext": f"fill: {both('text')}",
        ".hoverlayer .hovertext path, .hoverlayer .legend .bg": f"fill: {both('card')}; stroke: {both('line')}",
        ".gridlayer path": f"stroke: {both('line')}",
        ".zerolinelayer path": f"stroke: {both('muted')}",
        ".spikeline": f"stroke: {both('muted')}; stroke-width: 1px",
    }
    lines = []
    for where, what in rules.items():
        places = ", ".join(f".stPlotlyChart {place}" for place in where.split(", "))
        lines.append(f"{places} {{ {'; '.join(f'{each} !important' for each in what.split('; '))}; }}")
    return "\n".join(lines) + "\n"


def streamlit_options() -> dict[str, object]:
    """`theme.*` options of Streamlit, both themes."""
    options: dict[str, object] = {
        "theme.baseFontSize": 15,
        "theme.baseRadius": "8px",
        "theme.buttonRadius": "8px",
        "theme.showWidgetBorder": True,
        "theme.headingFontWeights": [600, 600, 600, 600, 600, 600],
        "theme.headingFontSizes": ["1.75rem", "1.35rem", "1.1rem", "1rem", "1rem", "1rem"],
        "theme.linkUnderline": False,
    }
    for name, palette in (("light", LIGHT), ("dark", DARK)):
        options |= {
            f"theme.{name}.primaryColor": palette.accent,
            f"theme.{name}.backgroundColor": palette.page,
            f"theme.{name}.secondaryBackgroundColor": palette.sunken,
            f"theme.{name}.textColor": palette.text,
            f"theme.{name}.borderColor": palette.line,
            f"theme.{name}.linkColor": palette.accent,
            f"theme.{name}.codeTextColor": palette.text,
            f"theme.{name}.codeBackgroundColor": palette.sunken,
        }
    return options
