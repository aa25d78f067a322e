"""Verbs that draw and typeset: table, figure, work-precision, paper."""

from __future__ import annotations

import argparse
from pathlib import Path

from strangecast.cli.evaluate import add_study, plans_given
from strangecast.core.plans import read_plan


def add_verbs(verb) -> None:
    """Register the verbs."""
    p = verb("table", "write one table of a study as CSV, Markdown and LaTeX", _table)
    add_study(p)
    p.add_argument("--table", required=True, help="name of the table")
    p = verb("figure", "draw one figure of a study as PDF and PNG", _figure)
    add_study(p)
    p.add_argument("--figure", required=True, help="name of the figure")
    p.add_argument("--out", type=Path, required=True, help="the PDF; the PNG lies beside it")
    p = verb("work-precision", "draw the work-precision diagram of a benchmark's table as PDF and PNG", _work_precision)
    p.add_argument("table", type=Path, metavar="results/benchmarks/integrate.csv")
    p.add_argument("--out", type=Path, required=True, help="the PDF; the PNG lies beside it")
    p = verb("paper", "typeset the paper", _paper)
    p.add_argument("plans", nargs="+", type=Path, metavar="STUDY.json")
    p.add_argument("--manuscript", type=Path, default=Path("paper/manuscript.typ"))
    p.add_argument("--figures", type=Path, required=True, help="folder with the figures of this scale")
    p.add_argument("--out", type=Path, required=True)


def _table(options: argparse.Namespace) -> None:
    from strangecast.paper.table_job import make_table

    make_table(*read_plan(options.plan), options.table)


def _figure(options: argparse.Namespace) -> None:
    from strangecast.paper.figure_job import draw_figure

    draw_figure(*read_plan(options.plan), options.figure, options.out.with_suffix(""))


def _work_precision(options: argparse.Namespace) -> None:
    from strangecast.paper.benchmark_job import draw_work_precision

    draw_work_precision(options.table, options.out.with_suffix(""))


def _paper(options: argparse.Namespace) -> None:
    from strangecast.paper.document import build_paper

    plans, root = plans_given(options.plans)
    build_paper(plans, root, options.figures, options.manuscript, options.out)
