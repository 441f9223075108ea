"""axe-core on every screen in both themes: no serious or critical finding in a component of ours."""

from importlib.resources import files

import pytest

from tests.browser.test_journey import SCREENS
from tests.browser.visit import Visit

axe = pytest.importorskip("axe_playwright_python", reason="axe-playwright-python, which ships axe-core, is missing")

pytestmark = pytest.mark.browser

RUN = """async () => {
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    const ours = (target) => target.some(Array.isArray);
    return grave.flatMap(({ id, nodes }) => nodes.map(({ target }) => [id, ours(target), target.flat().join(" ")]));
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_grave_finding_in_our_components(chromium: object, server: str, theme: str) -> None:
    """Ours live in shadow roots, which axe names by lists; findings in Streamlit's own widgets are printed."""
    source = files(axe).joinpath("axe.min.js").read_text(encoding="utf-8")
    visit = Visit(chromium, server, color_scheme=theme)
    others: dict[str, int] = {}
    for path, until in SCREENS.items():
        visit.open(path, until)
        visit.page.evaluate(source)
        found = visit.page.evaluate(RUN)
        assert [each for each in found if each[1]] == [], path
        for rule, _, _ in found:
            others[rule] = others.get(rule, 0) + 1
    print(f"axe, {theme}: nothing grave in our components; in Streamlit's: {others or 'nothing'}")
    visit.close()
