"""Rules tried before they decide anything: simulated, tried on recorded scans, checked."""

from fingerpost import wiring
from fingerpost.edge import Answer, Edge, Request, short_domain_of
from fingerpost.redirection.owners import owner_of, rules_route
from fingerpost.trials.answers import Backtest, Check, Simulation
from fingerpost.trials.documents import SentBacktest, SentCheck, SentSimulation
from fingerpost.trials.service import Trials

edge = Edge("trials")
handler = edge.handler


@rules_route(edge, "POST", "/simulate", "read", bodies=(SentSimulation, SentSimulation), answers=Simulation)
def simulate(request: Request) -> Answer:
    """What every rule says of a scan, described or past, and where it would go. Nothing is recorded."""
    sent = request.read(SentSimulation)
    return Answer(document=_trials(request).simulate(sent, short_domain_of(request.event)))


@rules_route(edge, "POST", "/backtest", "read", bodies=(SentBacktest, SentBacktest), answers=Backtest)
def backtest(request: Request) -> Answer:
    """How many recorded scans would go elsewhere, from where to where, and because of which rules."""
    return Answer(document=_trials(request).backtest(request.read(SentBacktest)))


@rules_route(edge, "POST", "/check", "read", bodies=(SentCheck, SentCheck), answers=Check)
def check(request: Request) -> Answer:
    """What is wrong or odd in rules: by their text, by recorded scans, and by asking their targets.

    The answer is 200 also when there are errors among the findings.
    """
    return Answer(document=_trials(request).check(request.read(SentCheck), wiring.outgoing()))


def _trials(request: Request) -> Trials:
    secret = wiring.root_secrets().for_purpose("cursor")
    return Trials(request.caller, wiring.tables(), owner_of(request), secret)
