# One job trains a block: seeds, systems and sweep points side by side.


rule train:
    """Train the members of a block whose key has changed; keep the others."""
    input:
        lambda w: PLANS.train_inputs(w.scale, block(w)),
    output:
        weights=update(
            "results/{scale}/runs/{data}/{emulator}/{training}/{block}/weights.safetensors"
        ),
        history=update(
            "results/{scale}/runs/{data}/{emulator}/{training}/{block}/history.parquet"
        ),
        run=update("results/{scale}/runs/{data}/{emulator}/{training}/{block}/run.json"),
    log:
        "results/{scale}/log/train/{data}/{emulator}/{training}/{block}.log",
    benchmark:
        "results/{scale}/benchmark/train/{data}/{emulator}/{training}/{block}.tsv"
    wildcard_constraints:
        training="(?!none/)[^/]+",
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        gpu=gpus("training"),
    params:
        hash=lambda w: PLANS.train_hash(w.scale, block(w)),
        plan=block_plan,
    message:
        "train {wildcards.emulator} by {wildcards.training} on {wildcards.data}, block {wildcards.block}"
    shell:
        "python -m strangecast train {params.plan} > {log} 2>&1 || (cat {log} >&2; exit 1)"
