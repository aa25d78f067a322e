# Tables, figures, report and paper: drawn from result tables alone.


rule table:
    """One table of a study as CSV, Markdown and LaTeX."""
    input:
        lambda w: PLANS.drawn_inputs(w.scale, w.study, "table", w.table),
    output:
        csv="results/{scale}/{study}/tables/{table}.csv",
        md=report(
            "results/{scale}/{study}/tables/{table}.md",
            caption="captions/drawn.rst",
            category="Tables",
            subcategory="{study}",
            labels={"table": "{table}", "scale": "{scale}"},
        ),
        tex="results/{scale}/{study}/tables/{table}.tex",
    log:
        "results/{scale}/log/table/{study}/{table}.log",
    benchmark:
        "results/{scale}/benchmark/table/{study}/{table}.tsv"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        gpu=0,
    params:
        hash=lambda w: PLANS.drawn_hash(w.scale, w.study, "table", w.table),
        caption=lambda w: PLANS.caption(w.scale, w.study, "table", w.table),
        plan=study_plan,
    message:
        "table {wildcards.table} of {wildcards.study}"
    shell:
        "python -m strangecast table {params.plan} --table {wildcards.table} > {log} 2>&1 || (cat {log} >&2; exit 1)"


rule figure:
    """One figure of a study as PDF and PNG."""
    input:
        lambda w: PLANS.drawn_inputs(w.scale, w.study, "figure", w.figure),
    output:
        pdf="figures/{scale}/{study}/{figure}.pdf",
        png=report(
            "figures/{scale}/{study}/{figure}.png",
            caption="captions/drawn.rst",
            category="Figures",
            subcategory="{study}",
            labels={"figure": "{figure}", "scale": "{scale}"},
        ),
    log:
        "results/{scale}/log/figure/{study}/{figure}.log",
    benchmark:
        "results/{scale}/benchmark/figure/{study}/{figure}.tsv"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        gpu=0,
    params:
        hash=lambda w: PLANS.drawn_hash(w.scale, w.study, "figure", w.figure),
        caption=lambda w: PLANS.caption(w.scale, w.study, "figure", w.figure),
        plan=study_plan,
    message:
        "figure {wildcards.figure} of {wildcards.study}"
    shell:
        "python -m strangecast figure {params.plan} --figure {wildcards.figure} --out {output.pdf} > {log} 2>&1"
        " || (cat {log} >&2; exit 1)"


rule summarise:
    """All claims and the leaderboard of all studies, as CSV."""
    input:
        lambda w: PLANS.study_tables(w.scale, "comparisons"),
        lambda w: PLANS.study_tables(w.scale, "claims"),
    output:
        claims="results/{scale}/claims.csv",
        leaderboard="results/{scale}/leaderboard.csv",
    log:
        "results/{scale}/log/summarise.log",
    benchmark:
        "results/{scale}/benchmark/summarise.tsv"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        gpu=0,
    params:
        hash=lambda w: PLANS.summary_hash(w.scale, "strangecast.evaluation.summary"),
        plans=lambda w: PLANS.study_plans(w.scale),
    message:
        "claims and leaderboard of all studies"
    shell:
        "python -m strangecast summarise {params.plans} > {log} 2>&1 || (cat {log} >&2; exit 1)"


rule paper:
    """The paper's PDF, its numbers, tables and figures read from the results."""
    input:
        lambda w: PLANS.study_tables(w.scale, "comparisons"),
        lambda w: PLANS.study_tables(w.scale, "claims"),
        lambda w: PLANS.tables(w.scale),
        lambda w: PLANS.figures(w.scale),
        manuscript=str(REPOSITORY / "paper" / "manuscript.typ"),
        references=str(REPOSITORY / "paper" / "references.bib"),
    output:
        pdf="results/{scale}/paper.pdf",
        numbers="results/{scale}/paper.json",
    log:
        "results/{scale}/log/paper.log",
    benchmark:
        "results/{scale}/benchmark/paper.tsv"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        gpu=0,
    params:
        hash=lambda w: PLANS.summary_hash(w.scale, "strangecast.paper.document"),
        plans=lambda w: PLANS.study_plans(w.scale),
    message:
        "typeset the paper"
    shell:
        "python -m strangecast paper {params.plans} --manuscript {input.manuscript} --figures figures/{wildcards.scale} --out {output.pdf}"
        " > {log} 2>&1 || (cat {log} >&2; exit 1)"


rule report:
    """Snakemake's HTML report of every figure and table, with captions."""
    input:
        lambda w: PLANS.tables(w.scale),
        lambda w: PLANS.figures(w.scale),
        snakefile=str(REPOSITORY / "Snakefile"),
    output:
        "results/{scale}/report.html",
    log:
        "results/{scale}/log/report.log",
    benchmark:
        "results/{scale}/benchmark/report.tsv"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        gpu=0,
    params:
        hash=lambda w: PLANS.summary_hash(w.scale),
    message:
        "report of all figures and tables"
    shell:
        "snakemake figures tables -s {input.snakefile} --workflow-profile none --report {output} --nolock --cores 1"
        " --configfile results/{wildcards.scale}/plan/settings.json --config scale={wildcards.scale} > {log} 2>&1"
        " || (cat {log} >&2; exit 1)"
