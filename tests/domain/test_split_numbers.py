"""Phone numbers sent in parts: the part that completes one is hidden, and amounts, quantities and pincodes are not."""

import time
from typing import Final

import pytest

from backend.domain.conversations.masking import HIDDEN, mask
from backend.domain.conversations.split_numbers import LONGEST_EARLIER, MOST_EARLIER, mask_continued, may_continue

HIDDEN_PARTS: Final = {
    ("98765", "43210"): ["98765", HIDDEN],
    ("98765", "43210", "43210"): ["98765", HIDDEN, HIDDEN],
    ("my number: 98765", "and 43210, call me"): ["my number: 98765", f"and {HIDDEN}, call me"],
    ("98765", "are you there?", "43210"): ["98765", "are you there?", HIDDEN],
    ("98765", "Two fans, 3 lights", "43210"): ["98765", "Two fans, 3 lights", HIDDEN],
    ("98765", "₹500", "43210 at 10:30"): ["98765", "₹500", f"{HIDDEN} at 10:30"],
    ("987", "654", "3210"): ["987", "654", HIDDEN],
    ("98765", "4321", "0"): ["98765", "4321", HIDDEN],
    ("+91", "98765", "43210"): ["+91", "98765", HIDDEN],
    ("98", "76", "54", "32", "10"): ["98", "76", "54", "32", HIDDEN],
    tuple("9876543210"): [*"987654", *([HIDDEN] * 4)],
    ("nine eight seven six five", "four three two one zero"): ["nine eight seven six five", HIDDEN],
    ("नौ आठ सात छह पाँच", "चार तीन दो एक शून्य"): ["नौ आठ सात छह पाँच", HIDDEN],
    ("९८७६५", "४३२१०"): ["९८७६५", HIDDEN],
    ("98765...", "...43210"): ["98765...", f"...{HIDDEN}"],
    ("080", "23456789"): ["080", HIDDEN],
    ("+1 212", "5550123"): ["+1 212", HIDDEN],
}
KEPT: Final = (
    ("65000", "70000", "68000"),
    ("7499", "8999"),
    ("800", "750", "900"),
    ("560001", "1500"),
    ("600001", "1500"),
    ("2", "3", "1", "4"),
    ("8", "12", "10", "15"),
    ("10:30", "9:00"),
    ("25/12/2026", "26/12/2026"),
    ("₹98765", "43210"),
    ("2 fans", "3 lights", "4 switches"),
    ("1200 x 900", "1500 x 600"),
    ("9 am", "10 am"),
    ("PIN 560001", "flat 1204"),
    ("98765 rooms", "call 43210 people"),
)


def talk(bodies: tuple[str, ...]) -> list[str]:
    """Return what is shown of the messages of one author, sent one after the other."""
    shown: list[str] = []
    for body in bodies:
        masked = mask(body, region="IN")
        if may_continue(masked.text):
            earlier = [text[-LONGEST_EARLIER:] for text in shown[-MOST_EARLIER:]]
            masked = mask_continued(masked, earlier=earlier, region="IN")
        assert masked.is_masked == (HIDDEN in masked.text)
        shown.append(masked.text)
    return shown


@pytest.mark.parametrize(("bodies", "shown"), HIDDEN_PARTS.items())
def test_mask_continued_of_number_in_parts_hides_what_completes_it(bodies: tuple[str, ...], shown: list[str]) -> None:
    assert talk(bodies) == shown


@pytest.mark.parametrize("bodies", KEPT)
def test_mask_continued_of_amounts_and_quantities_leaves_them(bodies: tuple[str, ...]) -> None:
    assert talk(bodies) == list(bodies)


@pytest.mark.parametrize("body", ["9 " * 60, "98765", "nine " * 24, "1" * 120, "i " * 60])
def test_mask_continued_of_longest_texts_takes_a_fraction_of_a_second(body: str) -> None:
    shown = mask("1 2 " * 500, region="IN")
    began = time.process_time()
    mask_continued(shown, earlier=[body[:LONGEST_EARLIER]] * MOST_EARLIER, region="IN")
    assert time.process_time() - began < 0.3
