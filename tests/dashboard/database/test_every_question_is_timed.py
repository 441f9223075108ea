"""The benchmarks of the database ask every question that a page asks."""

import inspect
from importlib import import_module

import pytest

from tests.benchmarks import bench_database, questions_many

MODULES = (
    "about",
    "answers",
    "cleaning",
    "components",
    "documents",
    "filters",
    "groups",
    "influence",
    "inside",
)
MODULES += ("prompts", "sets", "sizes", "spans", "verbatim", "written.words")


@pytest.mark.parametrize("name", MODULES)
def test_every_question_is_timed(name: str) -> None:
    module = import_module(f"dashboard.database.queries.{name}")
    asked = inspect.getsource(bench_database) + inspect.getsource(questions_many)
    public = [
        function
        for function, value in inspect.getmembers(module, inspect.isfunction)
        if value.__module__ == module.__name__ and not function.startswith("_")
    ]
    assert public
    assert [each for each in public if f"{name.split('.')[-1]}.{each}(" not in asked] == []


def test_no_module_of_questions_is_forgotten() -> None:
    from pkgutil import iter_modules

    import dashboard.database.queries as package

    assert {module.name for module in iter_modules(package.__path__)} == {
        *(name.split(".")[0] for name in MODULES),
        "rows",
        "passing",
    }
