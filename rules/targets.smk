# What a user asks for by name; `all` stands in the Snakefile, as Snakemake wants of the default target.
ROOT = f"results/{SETTINGS.scale}"
FIGURES = PLANS.figures(SETTINGS.scale)


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
        PLANS.tables(SETTINGS.scale),
        f"{ROOT}/leaderboard.csv",
        f"{ROOT}/claims.csv",


localrules:
    figures,
    tables,
