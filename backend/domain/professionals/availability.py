"""Who is offered where, kept ready for reading."""


def refresh(account_id: int) -> None:
    """To be called after every write that changes who is offered where: approval, block, tasks, pincodes, radius."""
