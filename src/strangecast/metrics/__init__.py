"""One pure array function per file: ``fn(truth [B, H, C, *grid], forecast, scale, **parameters) -> [S, B]``.

``forecast`` is [S, B, H, C, *grid]: what a deterministic emulator forecast or, where an emulator drew N samples, their
median (or mean), value by value, as the metric's YAML says under ``of``. A metric whose YAML says ``of: samples`` is
given all of them, [N, S, B, H, C, *grid], and a deterministic forecast as its one sample.
"""
