"""`python -m fingerpost.local` runs the whole platform on this machine until SIGTERM or Ctrl-C.

`python -m fingerpost.local replay` tries once more what its worker had to set aside.
"""

import os
import sys

from fingerpost.local import replay, supervisor

if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            status = supervisor.main()
        case ["replay"]:
            status = replay.main()
        case _:
            sys.stderr.write("usage: python -m fingerpost.local [replay]\n")
            status = 2
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # a handler past its time limit must not keep the process
