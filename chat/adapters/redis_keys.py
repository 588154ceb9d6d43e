"""The names of a show's things in Redis; the braces keep one show in one cluster slot."""


def events(show: str) -> str:
    """The sharded channel of its events."""
    return f"kkot:{{{show}}}:events"


def talk(show: str) -> str:
    """The stream of what was said last."""
    return f"kkot:{{{show}}}:talk"


def hearts(show: str) -> str:
    """The number of its hearts."""
    return f"kkot:{{{show}}}:hearts"


def present(show: str) -> str:
    """The hash of its viewers by node."""
    return f"kkot:{{{show}}}:present"
