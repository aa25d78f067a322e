# What a user asks for by name.
ROOT = f"results/{SETTINGS.scale}"
FIGURES = DAG.figures(SETTINGS.scale)


rule all:
    """Everything config.yaml asks for: tables, figures, report and paper, checked."""
    default_target: True
    input:
        DAG.study_tables(SETTINGS.scale, "comparisons"),
        DAG.study_tables(SETTINGS.scale, "claims"),
        DAG.tables(SETTINGS.scale),
        FIGURES,
        f"{ROOT}/claims.csv",
        f"{ROOT}/leaderboard.csv",
        f"{ROOT}/checked.txt",
        f"{ROOT}/report.html",
        f"{ROOT}/paper.pdf",


rule figures:
    """Every figure, and only what figures need."""
    input:
        FIGURES,


rule figures_folder:
    """The same as `figures`, as `snakemake figures/`."""
    name:
        "figures/"
    input:
        FIGURES,


rule tables:
    """Every table, and only what tables need."""
    input:
        DAG.tables(SETTINGS.scale),
        f"{ROOT}/leaderboard.csv",
        f"{ROOT}/claims.csv",


localrules:
    all,
    figures,
    figures_folder,
    tables,
