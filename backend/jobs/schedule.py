"""THE BEAT TABLE: what runs when. Each tick claims its period in PostgreSQL, so any number of beats is safe."""


def tick() -> None:
    """Claim and enqueue every period that is due."""
