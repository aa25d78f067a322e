"""Verbs that judge: score, compare, analyse, claims, check, summarise."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from strangecast.cli.asked import add_asked
from strangecast.cli.train import add_reuse, block_asked, suites_asked
from strangecast.core.plans import read_plan


def add_verbs(verb) -> None:
    """Register the verbs."""
    p = verb("score", "score forecasts against the truth", _score)
    add_asked(p)
    p.add_argument("--suite", help="one suite only")
    add_reuse(p)
    add_study(verb("compare", "gather the runs and scores of a study; intervals and paired tests", _compare))
    p = verb("analyse", "compute one analysis table of a study", _analyse)
    add_study(p)
    p.add_argument("--analysis", required=True, help="name of the analysis")
    add_study(verb("claims", "judge the claims of a study by its tables", _claims))
    p = verb("check", "test the results: schemas, uniqueness, planned runs, keys, sanity orderings", _check)
    p.add_argument("plans", nargs="+", type=Path, metavar="STUDY.json")
    p.add_argument("--out", type=Path, help="file to write when all is well")
    p = verb("summarise", "write claims.csv and leaderboard.csv of all studies", _summarise)
    p.add_argument("plans", nargs="+", type=Path, metavar="STUDY.json")


def add_study(parser: argparse.ArgumentParser) -> None:
    """Add the positional argument: the plan file of a study."""
    parser.add_argument("plan", type=Path, metavar="PLAN.json", help="results/SCALE/plan/study/STUDY.json")


def plans_given(paths: list[Path]) -> tuple[list[dict[str, Any]], Path]:
    """Several study plans of one results folder."""
    read = [read_plan(p) for p in paths]
    return [plan for plan, _ in read], read[0][1]


def _score(options: argparse.Namespace) -> None:
    from strangecast.evaluation.score import score_block

    block, root = block_asked(options, suite=True)
    for suite, use in suites_asked(block, options.suite).items():
        score_block(block, root, suite, reuse=options.reuse)
        print(f"wrote {root / use['forecast_folder']}/scores.parquet")


def _compare(options: argparse.Namespace) -> None:
    from strangecast.evaluation.compare import compare_study

    compare_study(*read_plan(options.plan))


def _analyse(options: argparse.Namespace) -> None:
    from strangecast.analyses.job import analyse

    analyse(*read_plan(options.plan), options.analysis)


def _claims(options: argparse.Namespace) -> None:
    from strangecast.evaluation.claims import judge_claims

    judge_claims(*read_plan(options.plan))


def _check(options: argparse.Namespace) -> int:
    from strangecast.evaluation.check import check_results, write_checked

    plans, root = plans_given(options.plans)
    problems = check_results(plans, root)
    for problem in problems:
        print(problem)
    if problems:
        return 1
    if options.out:
        write_checked(plans, options.out)
    return 0


def _summarise(options: argparse.Namespace) -> None:
    from strangecast.evaluation.summary import write_summaries

    write_summaries(*plans_given(options.plans))
