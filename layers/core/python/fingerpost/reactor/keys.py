"""The key shapes of declarative rules and of what they leave behind, relative to their account."""

from ..ports.table import Key


def rules_version(app: str, number: int) -> Key:
    """main. One version of an application's declarative rules: author, time, and the rules, compressed."""
    return Key(f"rr#{app}", f"v#{number:08d}")


def webhook_secret(app: str) -> Key:
    """main. Which secret signs an application's webhooks, since when, and which one signed them before."""
    return Key(f"t#{app}", "webhook")


def queue(app: str, name: str) -> str:
    """log. Partition of the messages that rules put on a queue, oldest first; sort keys are the messages' ids."""
    return f"rq#{app}#{name}"
