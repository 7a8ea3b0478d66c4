"""The start, the supervision and the end of the whole product."""
