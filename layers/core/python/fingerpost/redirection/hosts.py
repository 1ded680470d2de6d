"""The hosts that an account allows its applications' rules to lead to. Standard library only; on the scan path.

A list is one text, its hosts joined with commas, as the live row keeps it; without a list every host is allowed.
"""


def may_lead_to(host: str, allowed: str) -> bool:
    """Whether `host` is in the list: by its own name, or as `*.museum.example` covers every host below that one.

    Both are ASCII in lower case. A dot at the end of `host` changes nothing: browsers take both for the same host.
    """
    if not allowed:
        return True
    host = host.removesuffix(".")
    hosts = allowed.split(",")
    return host in hosts or any(each.startswith("*.") and host.endswith(each[1:]) for each in hosts)
