"""One file per emulator, baselines included, with their rollout and run folders."""
