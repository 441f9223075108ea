"""The selection from screen to screen: what the navigation leaves and what it keeps."""

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

Open = Callable[..., AppTest]


def navigate(app: AppTest, screen: str) -> AppTest:
    """A click in the navigation: to the screen, without a query."""
    app._page_hash = next(key for key, page in app._registered_pages.items() if page.get("url_pathname") == screen)
    app.query_params.clear()
    return app.run()


def test_the_page_of_one_list_is_not_that_of_another(open_app: Open) -> None:
    app = open_app({"page": "2", "in": "documents"}, screen="runs")
    navigate(app, "tokens")
    assert app.query_params == {"in": "documents"}
    navigate(app, "corpus")
    navigate(app, "runs")
    assert app.query_params == {"page": "2", "in": "documents"}  # where it was left
    next(each for each in app.text_input if each.label == "Search").set_value("France").run()
    navigate(app, "corpus")
    navigate(app, "runs")
    assert "page" not in app.query_params  # it is another list


def test_a_click_that_leads_to_another_list_leaves_the_page_behind() -> None:
    app = AppTest.from_function(_two_lists).run()
    app.button(key="to corpus").click().run()
    assert app.session_state["seen"] == ("corpus", None)
    app.button(key="to runs").click().run()
    assert app.session_state["seen"] == ("runs", 2)


def _two_lists() -> None:
    import streamlit as st

    from dashboard.address import bar

    opened = st.session_state.pop(bar.NEXT_SCREEN, "runs")
    bar.follow(opened)
    if "seen" not in st.session_state:
        bar.settle(page=2)
    st.session_state["seen"] = opened, bar.selection().page
    for name in ("corpus", "runs"):
        st.button(name, key=f"to {name}", on_click=bar.open_screen, args=(name,), kwargs={"document": "d"})


def test_an_address_with_a_page_opens_on_it(open_app: Open) -> None:
    app = navigate(open_app({"page": "2"}, screen="runs"), "corpus")
    app.query_params["page"] = "3"
    app.run()
    assert app.query_params["page"] == "3"
