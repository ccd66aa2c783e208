"""Measurements of what the design promises, each beside a rival on the same work in the same run.

`make bench` runs them all, writes `benchmarks/results.json` and rewrites the table of `docs/performance.md`.
"""
