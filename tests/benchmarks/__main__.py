"""EDGE: `make bench`: every benchmark in turn, each in a process of its own; or those named on the command line, the
costly ones only so, with options of their own after the names."""

import subprocess
import sys

BENCHMARKS = ("profile", "engine", "index", "growth", "corpus", "context", "database", "inside", "many", "click")
COSTLY = ("scale", "search", "memory", "kronfluence", "llm", "lora", "device", "words", "groups", "verbatim", "what_if")
COSTLY += ("unit", "pages")


def main() -> int:
    given = sys.argv[1:]
    n = next((i for i, word in enumerate(given) if word.startswith("-")), len(given))
    chosen, options = given[:n] or BENCHMARKS, given[n:]
    unknown = [name for name in chosen if name not in (*BENCHMARKS, *COSTLY)]
    if unknown:
        print(f"expected a benchmark of {', '.join((*BENCHMARKS, *COSTLY))}, found {unknown[0]!r}", file=sys.stderr)
        return 2
    codes = []
    for name in chosen:
        print(f"\n== {name}", flush=True)
        command = [sys.executable, "-m", f"tests.benchmarks.bench_{name}", *options]
        codes.append(subprocess.run(command, check=False).returncode)
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
