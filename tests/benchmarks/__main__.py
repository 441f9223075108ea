"""EDGE: `make bench`: every benchmark in turn, each in a process of its own; or those named on the command line, the
costly ones only so."""

import subprocess
import sys

BENCHMARKS = ("engine", "index", "growth", "corpus", "context", "database")
COSTLY = ("lora",)


def main() -> int:
    chosen = sys.argv[1:] or BENCHMARKS
    unknown = [name for name in chosen if name not in (*BENCHMARKS, *COSTLY)]
    if unknown:
        print(f"expected a benchmark of {', '.join((*BENCHMARKS, *COSTLY))}, found {unknown[0]!r}", file=sys.stderr)
        return 2
    codes = []
    for name in chosen:
        print(f"\n== {name}", flush=True)
        codes.append(subprocess.run([sys.executable, "-m", f"tests.benchmarks.bench_{name}"], check=False).returncode)
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
