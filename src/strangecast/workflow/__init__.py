"""Compose, plan and code hash: from config.yaml to frozen runs and blocks, without torch."""
