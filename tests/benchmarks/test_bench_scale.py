"""What the benchmark of scale puts in the place of a build's own functions takes what these take."""

import inspect
from pathlib import Path
from typing import Any

from indexer.corpus.document import Document
from indexer.pipeline import shared
from tests.benchmarks.bench_scale import few


def test_a_text_index_of_few_is_written_as_a_build_writes_it() -> None:
    got: list[tuple[list[Document], tuple[Any, ...]]] = []
    real = inspect.signature(vars(shared)["write_text_index"])

    def write(*given: Any) -> None:
        real.bind(*given)  # raises TypeError where a build gives something else
        documents, *others = given
        got.append((list(documents), tuple(others)))

    documents = [Document(str(i), "", "", "", "", f"text {i}") for i in range(9)]
    few(write, 3)(documents, Path("somewhere"), "tantivy")
    assert got == [(documents[:3], (Path("somewhere"), "tantivy"))]
