"""EDGE: `python -m tests.added CONFIG` inside a copy of the tree: what configuration, forecast, evaluation, pages,
requests, navigation and documentation say of the examples of CONTRIBUTING.md, as JSON."""

import contextlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

from dashboard.address.screen import paths
from indexer.__main__ import main
from indexer.config.tables import estimator_table, saliency_table


def said(*arguments: str) -> str:
    """What a command prints; it must end well."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        try:
            code = main(list(arguments))
        except SystemExit as end:  # of --help
            code = end.code
    assert code == 0, arguments
    return out.getvalue()


def without_torch(path: Path) -> dict[str, Any]:
    told: dict[str, Any] = {
        "documentation": estimator_table() + saliency_table(),
        "help": said("ask", "--help"),
        "commands": said("--help"),
        "command": said("methods", str(path)),
        "paths": paths(),
    }
    return told | {"torch": "torch" in sys.modules}


def built(path: Path) -> dict[str, Any]:
    from indexer.ask.job import run
    from indexer.config.config import read_config
    from indexer.database.check import check
    from indexer.database.reader import Database
    from indexer.evaluate.protocol.queries import of_document
    from indexer.evaluate.scoring.predictions import predictions
    from indexer.evaluate.scoring.subject import subject
    from indexer.size.member import open_member

    said("train", str(path))
    told: dict[str, Any] = {"plan": said("plan", str(path))}
    said("build", str(path))
    folder, config = path.parent / "build", read_config(path)
    told["check"] = check(folder)
    rows = Database(folder).current().rows
    told["runs"] = [row["method"] for row in rows("SELECT method FROM run ORDER BY method")]
    told["scores"] = [
        row["score"] for row in rows("SELECT score FROM influence JOIN run USING (run_id) WHERE method = 'shortest'")
    ]
    told["stored"] = [row["method"] for row in rows("SELECT DISTINCT method FROM saliency")]
    member = open_member(config.model[0], config)
    asked = [of_document(member, 0)]
    made = predictions(folder, subject(folder, member), asked, "added", lambda n: None)
    told["evaluated"] = {name: list(of.shape) for name, of in made.by_method.items()}
    request = {
        "folder": str(folder),
        "model": config.model[0].name,
        "prompt": "People in Cuba",
        "saliency": ["recency"],
    }
    told["asked"] = run(request, lambda *of: None, lambda: False)["saliency"]["recency"]
    return told


def pages(path: Path) -> dict[str, Any]:
    from streamlit.testing.v1 import AppTest

    from dashboard.database.connection import FOLDER_VARIABLE

    os.environ[FOLDER_VARIABLE] = str(path.parent / "build")

    def opened(screen: str) -> Any:
        app = AppTest.from_file(str(Path("dashboard/app.py").resolve()), default_timeout=120)
        app.session_state["screen that a click led to"] = screen
        shown = app.run()
        assert not shown.exception, screen
        return shown

    explain, counts = opened("explain"), opened("counts")
    switches = {each.label: each.options for each in explain.selectbox}
    return {"switches": switches, "counts": [list(each.value.columns) for each in counts.dataframe]}


if __name__ == "__main__":
    config = Path(sys.argv[1])
    print(json.dumps(without_torch(config) | built(config) | pages(config)))
