"""Cost of a dry run: 10,000 planned runs in blocks, against the same runs as one job each.

Both sides plan a train, a forecast and a score job for every learned run on the same Snakemake; the peer is a bare
Snakefile without configuration, keys or code hashes. User seconds and peak memory of the whole process are reported.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.table import Row, main, row

REPOSITORY = Path(__file__).resolve().parent.parent

PEER = """
N = {n}
rule all:
    input: expand("score/{{i}}", i=range(N))
rule train:
    output: "train/{{i}}"
    shell: "touch {{output}}"
rule forecast:
    input: "train/{{i}}"
    output: "forecast/{{i}}"
    shell: "touch {{output}}"
rule score:
    input: "forecast/{{i}}"
    output: "score/{{i}}"
    shell: "touch {{output}}"
"""


def _measure(arguments: list[str], folder: Path) -> tuple[float, float, str]:
    """(user seconds, peak MB, output) of ``snakemake -n`` in ``folder``."""
    command = [sys.executable, "-m", "snakemake", "-n", "--quiet", "rules", *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY / "src")}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"snakemake -n failed: {output[-2000:]}")
    return usage.ru_utime, usage.ru_maxrss / 1024, output


def measure(quick: bool) -> list[Row]:
    """Plan 10,000 (quick: 160) learned runs both ways."""
    seeds = 10 if quick else 625
    runs = seeds * 16
    rows = []
    with tempfile.TemporaryDirectory() as name:
        ours = Path(name) / "ours"
        ours.mkdir()
        for part in ("Snakefile", "config.yaml", "rules", "envs", "paper", "profiles", "benchmarks"):
            (ours / part).symlink_to(REPOSITORY / part)
        settings = ["--config", "scale=laptop", f"seeds={seeds}"]
        first = _measure(settings, ours)
        again = _measure(settings, ours)
        theirs = Path(name) / "theirs"
        theirs.mkdir()
        (theirs / "Snakefile").write_text(PEER.format(n=runs))
        peer = _measure(["--cores", "1"], theirs)
    for label, mine in (("first", first), ("again", again)):
        note = f"{runs} learned runs"
        rows.append(row(f"user_{label}", "one job per run", mine[0], peer[0], "s", note=note))
        rows.append(row(f"memory_{label}", "one job per run", mine[1], peer[1], "MB", note=note))
    return rows


if __name__ == "__main__":
    main("planning", measure)
