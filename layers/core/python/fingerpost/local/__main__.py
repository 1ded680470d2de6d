"""`python -m fingerpost.local` runs the whole platform on this machine until SIGTERM or Ctrl-C."""

import os
import sys

from fingerpost.local.supervisor import main

if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # a handler past its time limit must not keep the process
