"""What the sandbox list is made of: harmless files that our own code draws, and which of them are listed when.

Pure: the same everywhere and at every time, so nothing of it is stored, and no database or network is asked.
"""
