"""The handlers that Lambda calls, loaded from the repository's functions folder."""

import importlib
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fingerpost.local.events import Event, LocalContext

type Handler = Callable[[Event, LocalContext], Any]

REPOSITORY = Path(__file__).resolve().parents[5]
# In the order of their claims on a path.
EDGES = (
    "access",
    "users",
    "catalogue",
    "properties",
    "actions",
    "redirections",
    "rules",
    "insight",
    "trials",
    "reactor",
    "rooms",
    "roomsetup",
    "roomvox",
    "joan",
    "evoko",
    "hub",
    "doors",
)


@dataclass(frozen=True, slots=True)
class Function:
    """One Lambda function: its handler and the routes its HTTP API integration has, none for the redirect."""

    name: str
    handler: Handler
    routes: tuple[tuple[str, str], ...] = ()


def load_function(name: str) -> Function:
    """Import `functions/<name>/app.py`. Raises ImportError when there is none."""
    if str(REPOSITORY) not in sys.path:
        sys.path.insert(0, str(REPOSITORY))
    app = importlib.import_module(f"functions.{name}.app")
    edge = getattr(app, "edge", None)
    routes: Iterable[tuple[str, str]] = edge.at_gateway if edge is not None else ()
    return Function(name, app.handler, tuple((method, template) for method, template in routes))
