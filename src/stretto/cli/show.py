"""show"""


def show() -> int:
    """x"""
    return 0
