"""What holds for a year is signed anew, and keys that were lost or stolen count no more, without a visit to a gateway."""

from __future__ import annotations

from pathlib import Path

import pytest

from releases import drafting, publishing, renewal
from releases.error import ReleaseError
from tests.releases.publisher import NOW, Publisher


def sign(publisher: Publisher, *holders: str) -> None:
    for key in ("root", "releases"):
        for holder in holders:
            drafting.sign(publisher.repository, publisher.key(holder, key))


def rolled_out(publisher: Publisher) -> None:
    publisher.roll_out(publisher.release())
    publisher.publish()


def test_what_holds_for_a_year_is_signed_anew_before(publisher: Publisher) -> None:
    rolled_out(publisher)
    gateway = publisher.client()
    gateway.refresh(NOW)
    publisher.later(days=360)
    renewal.renew(publisher.repository, publisher.now)
    sign(publisher, "ben", "eva")
    later = publisher.later(days=100)
    publisher.publish()
    assert len(publisher.client().refresh(later)) == 1


def test_nothing_is_published_that_no_gateway_would_take_as_what_the_holders_signed_has_ended(publisher: Publisher) -> None:
    rolled_out(publisher)
    publisher.later(days=340)
    publisher.publish()
    assert publishing.soon_ended(publisher.repository, publisher.now) == ["root", "targets", "releases"]
    publisher.later(days=26)
    with pytest.raises(ReleaseError, match=r"root held until 2027-05-01, and gateways take nothing since: `tinybeam release renew`"):
        publisher.publish()
    renewal.renew(publisher.repository, publisher.now)
    sign(publisher, "ben", "eva")
    publisher.publish()
    assert publishing.soon_ended(publisher.repository, publisher.now) == []
    assert len(publisher.client().refresh(publisher.now)) == 1


def test_a_holder_who_lost_the_keys_gets_others_and_the_old_ones_count_no_more(publisher: Publisher, tmp_path: Path) -> None:
    rolled_out(publisher)
    publisher.client().refresh(NOW)
    lost = {key: publisher.key("ada", key).rename(tmp_path / f"{key}.key") for key in ("root", "releases")}
    renewal.renew(publisher.repository, NOW, holder="ada")
    with pytest.raises(ReleaseError, match="nothing waits for a signature"):
        drafting.sign(publisher.repository, lost["releases"])
    sign(publisher, "ben", "eva")
    publisher.roll_out(publisher.release(by=["ada", "eva"]))
    publisher.publish()
    (rollout,) = publisher.client().refresh(NOW)
    assert rollout.release == 2


def test_keys_that_are_online_are_replaced_and_nothing_is_published_before_it_is_signed(publisher: Publisher) -> None:
    rolled_out(publisher)
    publisher.client().refresh(NOW)
    renewal.renew(publisher.repository, NOW, online=True)
    with pytest.raises(ReleaseError, match=r"rollouts\.key is not the key that may sign: 2 holders sign the drafts first"):
        publisher.publish()
    sign(publisher, "ada", "ben")
    publisher.publish()
    assert len(publisher.client().refresh(NOW)) == 1


def test_a_renewal_that_is_half_signed_is_not_published(publisher: Publisher) -> None:
    rolled_out(publisher)
    for key in ("root", "releases"):
        publisher.key("ada", key).unlink()
    renewal.renew(publisher.repository, NOW, holder="ada")
    for holder in ("ben", "eva"):
        drafting.sign(publisher.repository, publisher.key(holder, "root"))
    with pytest.raises(ReleaseError, match="releases is not signed as it has to be from now on"):
        publishing.publish(publisher.repository, publisher.site, NOW)


def test_nothing_counts_before_what_is_above_it(publisher: Publisher) -> None:
    rolled_out(publisher)
    renewal.renew(publisher.repository, NOW)
    for key in ("releases", "root"):
        for holder in ("ben", "eva"):
            drafting.sign(publisher.repository, publisher.key(holder, key))
    assert drafting.drafts(publisher.repository) == []
    publisher.publish()


def test_who_holds_nothing_cannot_be_replaced(publisher: Publisher) -> None:
    with pytest.raises(ReleaseError, match="'mallory' holds no keys"):
        renewal.renew(publisher.repository, NOW, holder="mallory")


def test_a_root_that_one_holder_has_signed_changes_nothing(publisher: Publisher) -> None:
    rolled_out(publisher)
    renewal.renew(publisher.repository, NOW)
    (draft,) = [one for one in drafting.sign(publisher.repository, publisher.key("ada", "root")) if one.role == "root"]
    assert (draft.signatures, draft.complete) == (1, False)
    assert publisher.repository.root().version == 1
