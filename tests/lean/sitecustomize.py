"""Run by Python at the start of the programs that tests start: hides what no member's or hub's machine has.

The tests' own S3 server brings boto3, and securesystemslib loads it wherever it is found: a third of the time that
`hashshare` takes to start.
"""

import sys

sys.modules["boto3"] = None  # type: ignore[assignment]
