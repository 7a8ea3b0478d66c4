"""Place search by pincode and name prefix."""

from typing import Any


def test_places_by_pincode_prefix_returns_matches(client: Any) -> None:
    assert [p["pincode"] for p in client.get("/places?q=560001").json["items"]] == ["560001"]
    some = client.get("/places?q=5600&limit=5").json
    assert all(p["pincode"].startswith("5600") for p in some["items"])
    assert set(some["items"][0]) == {"pincode", "locality", "district", "state"}
    assert some["next_cursor"]


def test_places_by_name_prefix_ignore_case(client: Any) -> None:
    items = client.get("/places?q=iNdIrAnAgAr").json["items"]
    assert {"560038"} <= {p["pincode"] for p in client.get("/places?q=indiranagar&limit=100").json["items"]}
    assert all(p["locality"].lower().startswith("indiranagar") for p in items)
    assert client.get("/places?q=Bengaluru%20Urban").json["items"][0]["district"] == "Bengaluru Urban"
    assert client.get("/places?q=karnataka").json["items"][0]["state"] == "Karnataka"


def test_places_across_pages_have_no_repeats(client: Any) -> None:
    seen: list[Any] = []
    cursor: Any = ""
    while cursor is not None:
        answer = client.get(f"/places?q=gandhi&limit=40{cursor and '&cursor=' + cursor}").json
        seen += [(p["pincode"], p["locality"]) for p in answer["items"]]
        cursor = answer["next_cursor"]
    assert len(seen) > 80
    assert seen[:100] == [(p["pincode"], p["locality"]) for p in client.get("/places?q=gandhi&limit=100").json["items"]]


def test_places_with_invalid_query_is_rejected_and_wildcards_are_literal(client: Any) -> None:
    for query in ("", "q=", "q=%00", "q=x&colour=blue", "q=x&limit=0", "q=x&cursor=x"):
        assert client.get(f"/places?{query}").status_code == 422, query
    for q in ("%25", "_", "%5C", "999999", "zzzzzz"):
        assert client.get(f"/places?q={q}").json["items"] == [], q
