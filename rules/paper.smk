# Tables, figures, report and paper: drawn from result tables alone.


rule table:
    """One table of a study as CSV, Markdown and LaTeX."""
    input:
        lambda w: DAG.drawn_inputs(w.scale, w.study, "table", w.table),
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
    params:
        hash=lambda w: DAG.drawn_hash(w.scale, w.study, "table", w.table),
        caption=lambda w: DAG.caption(w.scale, w.study, "table", w.table),
        plan=study_plan,
    log:
        "results/{scale}/log/table/{study}/{table}.log",
    benchmark:
        "results/{scale}/benchmark/table/{study}/{table}.tsv"
    message:
        "table {wildcards.table} of {wildcards.study}"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime=grows(10),
    shell:
        "{JOB} table {params.plan} --table {wildcards.table} > {log} 2>&1 || (cat {log} >&2; exit 1)"


rule figure:
    """One figure of a study as PDF and PNG."""
    input:
        lambda w: DAG.drawn_inputs(w.scale, w.study, "figure", w.figure),
    output:
        pdf="figures/{scale}/{study}/{figure}.pdf",
        png=report(
            "figures/{scale}/{study}/{figure}.png",
            caption="captions/drawn.rst",
            category="Figures",
            subcategory="{study}",
            labels={"figure": "{figure}", "scale": "{scale}"},
        ),
    params:
        hash=lambda w: DAG.drawn_hash(w.scale, w.study, "figure", w.figure),
        caption=lambda w: DAG.caption(w.scale, w.study, "figure", w.figure),
        plan=study_plan,
    log:
        "results/{scale}/log/figure/{study}/{figure}.log",
    benchmark:
        "results/{scale}/benchmark/figure/{study}/{figure}.tsv"
    message:
        "figure {wildcards.figure} of {wildcards.study}"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime=grows(10),
    shell:
        "{JOB} figure {params.plan} --figure {wildcards.figure} --out {output.pdf} > {log} 2>&1"
        " || (cat {log} >&2; exit 1)"


rule summarise:
    """All claims and the leaderboard of all studies, as CSV."""
    input:
        lambda w: DAG.study_tables(w.scale, "comparisons"),
        lambda w: DAG.study_tables(w.scale, "claims"),
    output:
        claims="results/{scale}/claims.csv",
        leaderboard="results/{scale}/leaderboard.csv",
    params:
        hash=lambda w: DAG.summary_hash(w.scale, "strangecast.evaluation.summary"),
        plans=lambda w: DAG.study_plans(w.scale),
    log:
        "results/{scale}/log/summarise.log",
    benchmark:
        "results/{scale}/benchmark/summarise.tsv"
    message:
        "claims and leaderboard of all studies"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime=grows(10),
    shell:
        "{JOB} summarise {params.plans} > {log} 2>&1 || (cat {log} >&2; exit 1)"


rule paper:
    """The paper's PDF, its numbers, tables and figures read from the results."""
    input:
        lambda w: DAG.study_tables(w.scale, "comparisons"),
        lambda w: DAG.study_tables(w.scale, "claims"),
        lambda w: DAG.tables(w.scale),
        lambda w: DAG.figures(w.scale),
        manuscript="paper/manuscript.typ",
        references="paper/references.bib",
    output:
        "results/{scale}/paper.pdf",
    params:
        hash=lambda w: DAG.summary_hash(w.scale, "strangecast.paper.document"),
        plans=lambda w: DAG.study_plans(w.scale),
    log:
        "results/{scale}/log/paper.log",
    benchmark:
        "results/{scale}/benchmark/paper.tsv"
    message:
        "typeset the paper"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime=grows(10),
    shell:
        "{JOB} paper {params.plans} --manuscript {input.manuscript} --figures figures/{wildcards.scale} --out {output}"
        " > {log} 2>&1 || (cat {log} >&2; exit 1)"


rule report:
    """Snakemake's HTML report of every figure and table, with captions."""
    input:
        lambda w: DAG.tables(w.scale),
        lambda w: DAG.figures(w.scale),
    output:
        "results/{scale}/report.html",
    params:
        hash=lambda w: DAG.summary_hash(w.scale),
    log:
        "results/{scale}/log/report.log",
    benchmark:
        "results/{scale}/benchmark/report.tsv"
    message:
        "report of all figures and tables"
    conda:
        "../envs/paper.yaml"
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime=grows(10),
    shell:
        "{SNAKEMAKE} figures tables --report {output} --nolock --cores 1 --config scale={wildcards.scale} > {log} 2>&1"
        " || (cat {log} >&2; exit 1)"
