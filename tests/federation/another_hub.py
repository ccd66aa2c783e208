"""A program that answers like a hub that is not what it seems: `python -m tests.federation.another_hub HOW FILE`.

It prints its port. `FILE` has the descriptor, in which @PORT@ stands for that. HOW:
descriptor, redirect (to the address in FILE), endless (a body), headers (endless), interim (100 Continue, endlessly),
slow (a byte a second), slow-headers, silent (accepts and says nothing), https (as nginx answers plain http where it
speaks https), gone (closes at once).
"""

from __future__ import annotations

import itertools
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def answer(how: str, said: bytes) -> Iterator[bytes]:
    if how == "descriptor":
        yield HEAD + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(said) + said
    elif how == "redirect":
        yield b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close\r\nLocation: " + said.strip() + b"\r\n\r\n"
    elif how == "https":
        said = b"<html>The plain HTTP request was sent to HTTPS port</html>"
        yield b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(said) + said
    elif how == "gone":
        yield from ()
    elif how == "endless":
        yield HEAD + b"\r\n"
        yield from itertools.repeat(b" " * 65536)
    elif how == "headers":
        yield HEAD
        yield from (b"X-%d: " % number + b"x" * 60_000 + b"\r\n" for number in itertools.count())
    elif how == "interim":
        yield from itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
    elif how in ("slow", "slow-headers"):
        yield HEAD + (b"\r\n" if how == "slow" else b"X-Slow: ")
        while True:
            time.sleep(0.5)
            yield b" "
    else:
        time.sleep(3600)


def serve(connection: socket.socket, how: str, said: bytes) -> None:
    with connection:
        try:
            connection.recv(65536)
            for block in answer(how, said):
                connection.sendall(block)
            # What is closed with a request half read is reset, and its answer lost on the way.
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(1)
            while connection.recv(65536):
                pass
        except OSError:
            return


def main() -> None:
    how, path = sys.argv[1:]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        print(port, flush=True)
        while True:
            connection, _ = listener.accept()
            said = Path(path).read_bytes().replace(b"@PORT@", str(port).encode())
            threading.Thread(target=serve, args=(connection, how, said), daemon=True).start()


if __name__ == "__main__":
    main()
