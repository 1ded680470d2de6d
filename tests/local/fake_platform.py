"""A whole local server (`python fake_platform.py`) whose functions are fakes, for tests of its processes.

Scans put a row into `main`; derive notes each in `log`; `GET /derived` answers the worker's process id and the count.
"""

import os
import sys

from fingerpost import wiring
from fingerpost.local import supervisor, worker
from fingerpost.local.functions import Function
from fingerpost.ports.table import Key


def redirect(event, context):
    short_id = event["rawPath"][1:]
    wiring.tables().main.put(Key("scan", short_id), {"id": short_id})
    return {"statusCode": 307, "headers": {"location": "https://a.example/"}}


def access(event, context):
    rows = wiring.tables().log.query("derived", limit=1000).rows
    pids = [int(row.item["pid"]) for row in rows]
    return {
        "ids": sorted(row.key.sk for row in rows),
        "pids": sorted(set(pids)),
        "scans": wiring.tables().main.count("scan"),
    }


def derive(event, context):
    for record in event["Records"]:
        short_id = record["dynamodb"]["NewImage"]["id"]["S"]
        wiring.tables().log.put(Key("derived", short_id), {"pid": os.getpid()})


HANDLERS = {"redirect": redirect, "access": access, "derive": derive}


def load(name):
    routes = (("GET", "/derived"),) if name == "access" else ()
    return Function(name, HANDLERS.get(name, lambda event, context: None), routes)


if __name__ == "__main__":
    if sys.argv[1:] == ["worker"]:
        status = worker.main(load)
    else:
        status = supervisor.main(
            supervisor.Platform(
                load,
                prepare=lambda settings: None,
                banner=lambda settings: print("ready", flush=True),
                worker=(sys.executable, __file__, "worker"),
            )
        )
    sys.stderr.flush()
    os._exit(status)
