"""The job of rule ``table``: read the tables it names, build it, write it as CSV, Markdown and LaTeX."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from strangecast.core.atomic import write_text
from strangecast.core.errors import ConfigError, unknown
from strangecast.core.targets import locate
from strangecast.paper.frames import load_frames
from strangecast.paper.tables.columns import printed

META = ("_target_", "title", "caption", "inputs")
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "−": "$-$", "∞": r"$\infty$", "–": "--", "\u2009": r"\,", "\u00a0": "~", "×": r"$\times$", "λ": r"$\lambda$",
}  # fmt: skip
_LOWERED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def make_table(plan: dict[str, Any], root: Path, name: str) -> None:
    """Write ``<study>/tables/<name>.csv``, ``.md`` and ``.tex``; the CSV holds numbers, the others print them.

    Args:
        plan: study plan.
        root: ``results/<scale>``.
        name: table of the study.

    Raises:
        ConfigError: the study has no such table, or it refuses its settings.
        ResultsError: a table it reads is missing or damaged.
    """
    config, table = build_table(plan, root, name)
    folder = Path(root) / plan["name"] / "tables"
    title, caption = config.get("title") or name, config.get("caption") or ""
    write_text(folder / f"{name}.csv", table.to_csv(index=False, lineterminator="\n", float_format="%.6g"))
    write_text(folder / f"{name}.md", markdown(table, title, caption))
    write_text(folder / f"{name}.tex", latex(table, caption or title, f"tab:{plan['name']}-{name}"))


def build_table(plan: dict[str, Any], root: Path, name: str) -> tuple[dict[str, Any], pd.DataFrame]:
    """The YAML of a study's table, and the table; same errors as :func:`make_table`."""
    held = plan.get("tables") or {}
    if name not in held:
        raise ConfigError(f"study '{plan['name']}': {unknown('table', name, held)}")
    config = held[name]
    build = locate(config.get("_target_"), f"table '{name}'")
    frames = load_frames(plan, Path(root), config.get("inputs") or [])
    try:
        return config, build(frames, **{k: v for k, v in config.items() if k not in META})
    except TypeError as e:
        raise ConfigError(f"table '{name}' does not take its settings: {e}") from e


def markdown(table: pd.DataFrame, title: str, caption: str) -> str:
    """A pipe table under its title, numbers to the right."""
    columns, rows = printed(table)
    lines = [
        "| " + " | ".join(_in_pipe(c.title) for c in columns) + " |",
        "|" + "|".join(" --- " if c.align == "left" else " ---: " for c in columns) + "|",
        *("| " + " | ".join(_in_pipe(cell) for cell in row) + " |" for row in rows),
    ]
    return "\n".join([f"**{title}.** {caption}".rstrip(), "", *lines]) + "\n"


def latex(table: pd.DataFrame, caption: str, label: str) -> str:
    """A ``table`` environment in the manner of booktabs (needs ``\\usepackage{booktabs}``)."""
    columns, rows = printed(table)
    spec = "".join("l" if c.align == "left" else "r" for c in columns)
    lines = [
        "\\begin{table}",
        "  \\centering",
        f"  \\caption{{{escape(caption)}}}",
        f"  \\label{{{label}}}",
        f"  \\begin{{tabular}}{{{spec}}}",
        "    \\toprule",
        "    " + " & ".join(escape(c.title) for c in columns) + " \\\\",
        "    \\midrule",
        *("    " + " & ".join(escape(cell) for cell in row) + " \\\\" for row in rows),
        "    \\bottomrule",
        "  \\end{tabular}",
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """``text`` with every character that LaTeX would read as a command made literal."""
    literal = "".join(_LATEX.get(letter, letter) for letter in text)
    return re.sub("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda m: f"$^{{{m.group().translate(_LOWERED)}}}$", literal)


def _in_pipe(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
