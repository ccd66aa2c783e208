"""The main job told as a story, with real processes, on this machine alone.

`python -m demo` starts a hub in a folder of its own, acts as operator, hotline, member and observer through the same
commands and pages that they use, checks every claim it makes, and leaves the hub running. Nothing in the product
imports this package.
"""
