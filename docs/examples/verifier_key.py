"""The verifier key of a hub's log, or of a hub as a witness, as programs that know C2SP signed notes take it; with
Python's own library alone.

curl -s https://north.example/log/aurora.example/checkpoint | head -1   # ORIGIN
curl -s https://north.example/.well-known/hashshare                     # KEY is its `log_key`
python verifier_key.py ORIGIN KEY

curl -s https://south.example/.well-known/hashshare                     # KEY is its `witness_key`
python verifier_key.py --witness south.example/witness KEY
"""

import base64
import hashlib
import sys

LOG, WITNESS = b"\1", b"\4"  # Ed25519; an Ed25519 key that cosigns


def verifier_key(name: str, public: str, kind: bytes = LOG) -> str:
    key = kind + base64.b64decode(public, validate=True)
    label = hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8]
    return f"{name}+{label}+{base64.b64encode(key).decode()}"


if __name__ == "__main__":
    arguments = [word for word in sys.argv[1:] if word != "--witness"]
    if len(arguments) != 2:
        sys.exit(__doc__)
    print(verifier_key(*arguments, WITNESS if "--witness" in sys.argv else LOG))
