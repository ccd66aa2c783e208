"""The verifier key of a hub's log, as programs that know C2SP signed notes take it; with Python's own library alone.

curl -s https://north.example/log/aurora.example/checkpoint | head -1   # ORIGIN
curl -s https://north.example/.well-known/hashshare                     # LOG_KEY is its `log_key`
python verifier_key.py ORIGIN LOG_KEY
"""

import base64
import hashlib
import sys


def verifier_key(origin: str, log_key: str) -> str:
    key = b"\1" + base64.b64decode(log_key, validate=True)  # 1 stands for Ed25519
    label = hashlib.sha256(origin.encode() + b"\n" + key).hexdigest()[:8]
    return f"{origin}+{label}+{base64.b64encode(key).decode()}"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    print(verifier_key(*sys.argv[1:]))
