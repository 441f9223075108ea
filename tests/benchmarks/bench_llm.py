"""EDGE: a real language model on this machine, end to end: `python -m tests.benchmarks llm --model FOLDER`.

SmolLM2-135M-Instruct (a folder of transformers or a .gguf file) with 1,000 short documents of the demo and five prompts
of twelve tokens, default settings: `plan`, `build` and `ask`, each a process of its own whose memory, with that of its
children, is looked at twenty times a second. What plan has said stands beside what the build took.

`--shape qwen2.5-0.5b` builds that shape with random weights instead, and 64 documents of 512 random ids; its tokenizer
is the demo's. `--memory` is `[device] memory`; `--folder` keeps what is built, and goes on from it.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

from tests.benchmarks.own_memory import Watched, watched
from tests.benchmarks.random_models import QWEN2, TINY, random_model, random_rows

DEMO = Path(__file__).parents[2] / "data" / "demo"
SHAPES = {"qwen2.5-0.5b": QWEN2, "tiny": replace(TINY, vocabulary=4096)}
EVERY = 0.05  # seconds between two looks at the memory
PROMPTS, TOKENS = 5, 12
CONFIG = """[corpus]
files = ["corpus.jsonl"]
[[model]]
name = "llm"
family = "llm"
path = "{path}"
tokenizer = "{tokenizer}"
[prompts]
file = "prompts.jsonl"
max_new_tokens = {tokens}
[output]
folder = "build"
[device]
memory = {memory}
"""
ROW = re.compile(r"^(\S.*?) {2,}(\d+(?:\.\d+)? (?:s|min|h|days?))\s+(\d[\d.,]* [kMGT]?B)")
UNITS = {"s": 1, "min": 60, "h": 3600, "day": 86400, "days": 86400, "B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}
STAGES = {"corpus": "corpus pass", "scores": "influence", "ekfac": "influence"}  # of the journal, as plan calls them


@dataclass(frozen=True)
class Ran:
    """A command: seconds, memory, what it printed, and when each part of a stage was finished."""

    seconds: float
    memory: Watched
    printed: str
    finished: list[tuple[str, float, float]]  # stage, seconds, moment of its end


def prepared(folder: Path, model: str, shape: str, documents: int, length: int, memory: float) -> Path:
    """The configuration, with corpus, prompts and, of a shape, weights, in a folder."""
    config, tokenizer = folder / "llm.toml", ""
    lines = [json.loads(line) for line in (DEMO / "corpus.jsonl").open(encoding="utf-8")]
    rows = [{"text": line["text"], "title": line["title"]} for line in lines[:: len(lines) // documents][:documents]]
    if shape:
        model, tokenizer = str(folder / shape), str(DEMO / "models" / "atlas-s")
        known = min(SHAPES[shape].vocabulary, len(AutoTokenizer.from_pretrained(tokenizer)))
        rows = [
            {"input_ids": list(of.ids)}
            for of in random_rows(replace(SHAPES[shape], vocabulary=known), documents, length)
        ]
        if not Path(model).exists():
            random_model(SHAPES[shape]).model.save_pretrained(model)
    prompts = [json.loads(line)["prompt"] for line in (DEMO / "prompts.jsonl").open(encoding="utf-8")]
    for name, each in (("corpus", rows), ("prompts", [{"prompt": prompt} for prompt in prompts[:PROMPTS]])):
        text = "".join(json.dumps(row) + "\n" for row in each)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    place = Path(model).resolve() if Path(model).exists() else model
    config.write_text(CONFIG.format(path=place, tokenizer=tokenizer, tokens=TOKENS, memory=memory), encoding="utf-8")
    return config


def run(command: Sequence[str], journal: Path) -> Ran:
    """Watch a command to its end; SystemExit with its message where it fails."""
    begun, seen, finished = time.time(), len(_lines(journal)), []
    with (
        tempfile.TemporaryFile("w+") as out,
        subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT) as process,
    ):
        with watched(process.pid, EVERY) as memory:
            while process.poll() is None:
                time.sleep(EVERY)
                lines = _lines(journal)
                finished += [(str(of["stage"]), float(of["seconds"]), time.time()) for of in lines[seen:]]
                seen = len(lines)
        seconds = time.time() - begun
        out.seek(0)
        printed = out.read()
    if process.returncode:
        raise SystemExit(f"{' '.join(command[2:])} ended with {process.returncode}: {printed[-500:]}")
    return Ran(seconds, memory, printed, finished)


def _lines(journal: Path) -> list[dict[str, Any]]:
    """Whole lines that name a part."""
    if not journal.exists():
        return []
    whole = journal.read_text(encoding="utf-8").rpartition("\n")[0].splitlines()
    return [of for of in map(json.loads, whole) if "stage" in of and "seconds" in of]


def planned(printed: str) -> dict[str, tuple[float, float]]:
    """Seconds and bytes of each stage, as `plan` has said them last."""
    found = {}
    for name, seconds, memory in (m.groups() for m in map(ROW.match, printed.splitlines()) if m):
        found[name] = (_number(seconds), _number(memory))
    return found


def _number(text: str) -> float:
    value, unit = text.replace(",", "").split()
    return float(value) * UNITS[unit]


def by_stage(ran: Ran) -> dict[str, tuple[float, float]]:
    """Seconds and the highest bytes of each stage of a build, called as `plan` calls it."""
    found: dict[str, tuple[float, float]] = {}
    for stage, seconds, end in ran.finished:
        first = stage.split("-")[0]
        name = STAGES.get(first.split("_")[0], first)
        before = found.get(name, (0.0, 0.0))
        found[name] = (before[0] + seconds, max(before[1], float(ran.memory.between(end - seconds, end))))
    return found


def asked(config: Path, prompt: str) -> None:
    """In a process of its own: an answer explained; when each step began, as JSON."""
    from indexer.ask.opened import open_size
    from indexer.ask.steps import Asked, ask
    from indexer.config.config import read_config
    from indexer.corpus.prompt import Prompt

    at: dict[str, float] = {}

    def reached(stage: str, _fraction: float, _asked: Asked) -> None:
        at.setdefault(stage, time.time())

    ask(open_size(read_config(config), "llm"), Prompt.from_text(prompt), reached)
    print(json.dumps(at))


def show_build(build: Ran, plan: Ran) -> None:
    """Stage by stage, what was taken and what was said before."""
    said, took = planned(plan.printed), by_stage(build)
    print(f"{'':24}{'s':>8}{'GB':>8}{'plan: s':>10}{'GB':>8}{'time x':>8}{'memory x':>10}")
    for name, (seconds, memory) in took.items():
        line = f"{name:24}{seconds:>8.1f}{memory / 1e9:>8.2f}"
        if name in said:
            time_of, size = said[name]
            line += (
                f"{time_of:>10.0f}{size / 1e9:>8.2f}{time_of / max(seconds, 1e-3):>8.2f}{size / max(memory, 1):>10.2f}"
            )
        print(line)
    whole = [sum(seconds for seconds, _ in said.values()), max((size for _, size in said.values()), default=0.0)]
    print(f"{'build':24}{build.seconds:>8.1f}{build.memory.peak / 1e9:>8.2f}{whole[0]:>10.0f}{whole[1] / 1e9:>8.2f}")
    print(f"{'plan':24}{plan.seconds:>8.1f}{plan.memory.peak / 1e9:>8.2f}", flush=True)


def show_ask(config: Path) -> None:
    prompt = json.loads((config.parent / "prompts.jsonl").read_text(encoding="utf-8").splitlines()[0])["prompt"]
    command = [sys.executable, "-m", "tests.benchmarks.bench_llm", "--asked", str(config), prompt]
    begun = time.time()
    ran = run(command, config.parent / "none")
    at = json.loads(ran.printed.splitlines()[-1])
    print(f"{'ask':24}{ran.seconds:>8.1f}{ran.memory.peak / 1e9:>8.2f}")
    for name, key in (
        ("first estimates", "candidates for exact scores"),
        ("exact scores", "which words of the prompt mattered"),
    ):
        if key in at:
            print(f"{'    ' + name:24}{at[key] - begun:>8.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--model", default="", help="SmolLM2-135M-Instruct; left out: what `make demo-llm` has installed"
    )
    parser.add_argument("--shape", choices=SHAPES, default="", help="random weights instead")
    parser.add_argument("--documents", type=int)
    parser.add_argument("--length", type=int, default=512, help="of documents of random ids")
    parser.add_argument("--memory", type=float, default=0.0, help="GB; 0: a share of what is free")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--asked", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.asked:
        asked(Path(given.asked[0]), given.asked[1])
        return
    if not given.shape and not given.model:
        from data.smollm2 import weights

        given.model = str(weights())
    with tempfile.TemporaryDirectory() as scratch:
        folder = (given.folder or Path(scratch)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        n = given.documents or (64 if given.shape else 1000)
        config = prepared(folder, given.model, given.shape, n, given.length, given.memory)
        print(f"{given.shape or given.model}, {n} documents, {PROMPTS} prompts of {TOKENS} tokens", flush=True)
        journal = folder / "build" / "journal.jsonl"
        plan = run([sys.executable, "-m", "indexer", "plan", str(config)], journal)
        build = run([sys.executable, "-m", "indexer", "build", str(config)], journal)
        show_build(build, plan)
        show_ask(config)


if __name__ == "__main__":
    main()
