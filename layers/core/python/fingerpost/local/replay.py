"""`python -m fingerpost.local replay`: try once more what was set aside, after the reason for it is gone."""

import os
import sys

from fingerpost.local.config import BadSetting, settings_from
from fingerpost.local.parked import FILE, ParkedRecords
from fingerpost.local.queue import local_queue
from fingerpost.local.worker import QUEUES, RUNS


def main() -> int:
    """Mark parked feed records as due and put dead messages back; the running worker, or the next, takes them."""
    try:
        folder = settings_from(os.environ).data_dir
    except BadSetting as error:
        sys.stderr.write(f"fingerpost: {error}\n")
        return 2
    if not (folder / FILE).exists():
        sys.stderr.write(f"fingerpost: {folder} is no data folder of a server. Set FINGERPOST_DATA_DIR.\n")
        return 2
    parked = ParkedRecords(folder)
    records = parked.request_replay()
    parked.close()
    messages = sum(local_queue(folder, name).redrive() for name in (*QUEUES, RUNS))
    sys.stdout.write(f"{records} feed records and {messages} messages are tried again\n")
    return 0
