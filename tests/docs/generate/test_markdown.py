from docs.generate.markdown import docstring, escaped, table


def test_a_cell_keeps_its_row_together():
    lines = table(("a", "b"), [("x | y", "two\nlines")]).splitlines()
    assert lines == ["| a | b |", "| --- | --- |", r"| x \| y | two lines |"]


def test_signs_of_markdown_mean_themselves_except_in_code():
    assert escaped("a *b* [c](d) <e> `f *g*` n_token _h_") == (
        r"a \*b\* \[c\](d) \<e\> `f *g*` n_token \_h\_"  # an underscore within a word is one already
    )


def test_a_single_backtick_is_one():
    assert escaped("it`s *") == r"it\`s \*"


def test_formulas_shapes_and_tables_stand_as_they_are():
    text = """Prose of
two lines.

    y = x_i * 2

    z = y

Shapes.    a: [T, in]   -> [T]
| a | b |
"""
    assert docstring(text) == (
        "Prose of two lines.\n\n```text\ny = x_i * 2\n\nz = y\n\nShapes.    a: [T, in]   -> [T]\n| a | b |\n```\n"
    )
