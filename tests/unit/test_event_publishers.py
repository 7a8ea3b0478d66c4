"""Processes that publish live updates: which of them have gone without a word."""

from backend.core.events import protocol
from backend.core.events.protocol import Message
from backend.events.changes import Publishers


def test_publisher_that_vanishes_is_missing_once() -> None:
    publishers = Publishers()
    assert publishers.missing({"a", "b"}) == set()
    assert publishers.missing({"a"}) == {"b"}
    assert publishers.missing({"a"}) == set()


def test_publisher_that_lived_between_two_checks_is_missing() -> None:
    publishers = Publishers()
    publishers.note(Message(joined=("short",)))
    assert publishers.missing(set()) == {"short"}


def test_publisher_that_has_left_is_not_missing_though_still_seen_for_a_while() -> None:
    publishers = Publishers()
    publishers.missing({"a"})
    publishers.note(Message(left=("a",)))
    assert publishers.missing({"a"}) == set()
    assert publishers.missing(set()) == set()


def test_message_keeps_who_joined_and_left_and_reads_those_of_the_version_before() -> None:
    message = Message(lost=True, joined=("a",), left=("b", "c"))
    assert protocol.load(protocol.dump(message)) == message
    assert protocol.joined([message, Message(left=("d",))]).left == ("b", "c", "d")
    assert protocol.load(b'{"events": [], "ended_sessions": [], "lost": false}') == Message()
