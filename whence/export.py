"""EDGE: `whence export`: the answers of a database, or the documents behind one of them, as a file."""

from pathlib import Path

from attribution.errors import BadInput
from dashboard.export import files
from dashboard.export.sheet import Sheet
from indexer.config.config import restored
from indexer.outputs import check_output, inputs_of, own_files
from whence.runs import Runs, open_runs

FORMATS = {".csv": files.csv, ".parquet": files.parquet, ".json": files.as_json}


def export(
    folder: Path, file: Path, model: str = "", answer: str = "", token: int | None = None, normaliser: str = "none"
) -> None:
    """Write the answers of a built folder, of one `model` if it is named, or the documents behind one `answer`.

    Raises BadInput for another ending than those of FORMATS, for options that do not go together, for what is not in
    the database, and for a place that cannot be written to.
    """
    if file.suffix not in FORMATS:
        raise BadInput(f"expected a file that ends in {', '.join(FORMATS)}, found {file.name!r}; choose an ending")
    if not answer and (token is not None or normaliser != "none"):
        raise BadInput("expected --answer with --token or --normaliser, found none; name the generation_id")
    if answer and model:
        raise BadInput("expected --model or --answer, found both; an answer belongs to its model already")
    runs = open_runs(folder)
    check_output(file, "the table", [*own_files(folder), *_inputs(runs)])
    if answer:
        found = runs.answer(answer)
        table = found.documents(token, normaliser)
        where = "the whole answer" if token is None else f"token {token}"
        about = {"model": found.model, "prompt": found.prompt, "text": found.text, "explained": where}
        about |= {"method": found.method, "normaliser": normaliser}
        sheet = Sheet("documents", "Documents behind an answer", lambda: table, {}, about)
    else:
        table = runs.answers(model)
        sheet = Sheet("answers", "Answers", lambda: table, {})
    try:
        file.write_bytes(FORMATS[file.suffix](sheet))
    except OSError as error:
        raise BadInput(f"expected to write {file}, found: {error.strerror}; choose another place") from None
    print(f"{file}: {len(table):,} rows")


def _inputs(runs: Runs) -> list[Path]:
    """What the build was made from, as far as its database knows it."""
    [row] = runs.database.current().rows("SELECT config FROM meta")
    try:
        return list(inputs_of(restored(str(row["config"]))))
    except BadInput:  # of another version
        return []
