"""The benchmark of the database asks every question that a page asks."""

import inspect
from importlib import import_module

import pytest

from tests.benchmarks import bench_database

MODULES = ("about", "answers", "components", "documents", "filters", "groups", "influence", "inside", "prompts")
MODULES += ("sizes", "spans", "verbatim")


@pytest.mark.parametrize("name", MODULES)
def test_every_question_is_timed(name: str) -> None:
    module = import_module(f"dashboard.database.queries.{name}")
    asked = inspect.getsource(bench_database)
    public = [
        function
        for function, value in inspect.getmembers(module, inspect.isfunction)
        if value.__module__ == module.__name__ and not function.startswith("_")
    ]
    assert public
    assert [each for each in public if f"{name}.{each}(" not in asked] == []


def test_no_module_of_questions_is_forgotten() -> None:
    from pkgutil import iter_modules

    import dashboard.database.queries as package

    assert {module.name for module in iter_modules(package.__path__)} == {
        *MODULES,
        "rows",
        "kept_answer",
        "kept_inside",
    }
