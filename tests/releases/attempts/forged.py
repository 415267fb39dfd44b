"""Attempts to introduce a model: by keys of one's own, by those of one holder, by all that are online."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import DelegatedRole, Delegations

from releases import roles, signing_keys
from tests.releases.attempts.attempt import Attempt
from tests.releases.publisher import HOLDERS, Publisher
from tests.releases.workshop import BAD, Workshop

ALL = roles.ONLINE
WHEN = (roles.SNAPSHOT, roles.TIMESTAMP)


def _root(shop: Workshop, *stolen: CryptoSigner) -> None:
    """Offers a root of one's own, and all below it."""
    own = Publisher(shop.repository.folder / "own", shop.publisher.now)
    own.roll_out(own.release(files=BAD), 100)
    own.publish()
    root = own.repository.newest(roles.ROOT)
    root.signed.version = 2
    root.signatures.clear()
    for key in (*(signing_keys.read(own.key(holder, "root")) for holder in HOLDERS), *stolen):
        root.sign(key, append=True)
    own.repository.add(roles.ROOT, root)
    shutil.copytree(own.repository.published, shop.publisher.site, dirs_exist_ok=True)


def _release(shop: Workshop, keys: Sequence[CryptoSigner]) -> None:
    """Offers a release that the keys sign."""
    releases = shop.repository.targets(roles.RELEASES)
    shop.name_bad_files(releases)
    shop.sign(roles.RELEASES, releases, keys)
    shop.roll_out(3)
    shop.publish()


def _signed_twice(shop: Workshop) -> None:
    """Gives the one signature once more, as that of another holder."""
    releases = shop.repository.targets(roles.RELEASES)
    shop.name_bad_files(releases)
    metadata = shop.sign(roles.RELEASES, releases, [shop.key("ada")])
    (signature,) = metadata.signatures.values()
    other = shop.key("ben").public_key.keyid
    metadata.signatures[other] = type(signature)(other, signature.signature)
    shop.repository.add(roles.RELEASES, metadata)
    shop.roll_out(3)
    shop.publish()


def _top_targets(shop: Workshop) -> None:
    targets = shop.repository.targets(roles.TARGETS)
    shop.name_bad_files(targets)
    shop.sign(roles.TARGETS, targets, [shop.key("ada", "root"), *shop.online_keys()])
    shop.roll_out(3)
    shop.publish()


def _delegations(shop: Workshop) -> None:
    """Says that keys of one's own sign releases, by what one holder has."""
    targets, own = shop.repository.targets(roles.TARGETS), _own()
    for key in own:
        targets.add_key(key.public_key, roles.RELEASES)
    shop.sign(roles.TARGETS, targets, [shop.key("ada", "root"), *own])
    _release(shop, own)


def _rollouts_name_files(shop: Workshop) -> None:
    rollouts = shop.repository.targets(roles.ROLLOUTS)
    shop.name_bad_files(rollouts)
    shop.sign(roles.ROLLOUTS, rollouts, [shop.repository.online_key(roles.ROLLOUTS)])
    shop.roll_out(3)
    shop.publish()


def _rollouts_delegate(shop: Workshop) -> None:
    rollouts, own = shop.repository.targets(roles.ROLLOUTS), _own()
    delegated = DelegatedRole(roles.RELEASES, [own[0].public_key.keyid], 1, terminating=True, paths=[roles.DELEGATED[roles.RELEASES]])
    rollouts.delegations = Delegations({own[0].public_key.keyid: own[0].public_key}, {roles.RELEASES: delegated})
    shop.sign(roles.ROLLOUTS, rollouts, [shop.repository.online_key(roles.ROLLOUTS)])
    _release(shop, own[:1])


def _roll_out(shop: Workshop, number: int) -> None:
    shop.roll_out(number)
    shop.publish()


def _own() -> list[CryptoSigner]:
    return [CryptoSigner.generate_ed25519() for _ in HOLDERS]


def _holder(shop: Workshop) -> list[CryptoSigner]:
    return [shop.key("ada"), shop.key("ada", "root")]


FORGED = (
    Attempt("root-of-ones-own", "offers a root of their own keys, and all below it", _root, attacker="network"),
    Attempt("root-by-one-holder", "signs such a root by one holder's key too", lambda shop: _root(shop, shop.key("ada", "root"))),
    Attempt("unsigned", "signs a model by no key, and by all that are online that it is current", lambda shop: _release(shop, []), ALL),
    Attempt(
        "by-own-keys", "signs a model by three keys of their own, and by all online that it is current", lambda s: _release(s, _own()), ALL
    ),
    Attempt(
        "by-one-holder",
        "signs a model by both keys of one of three holders, and all that are online",
        lambda s: _release(s, _holder(s)),
        ALL,
    ),
    Attempt(
        "by-one-holder-twice", "gives one holder's signature twice, under two names, and steals all that is online", _signed_twice, ALL
    ),
    Attempt("by-online-keys", "signs a model by all keys that are online", lambda shop: _release(shop, shop.online_keys()), ALL),
    Attempt("top-targets", "names the model in the top list, by one holder's root key and all that are online", _top_targets, ALL),
    Attempt("delegation", "says that their own keys sign releases, by one holder's root key and all that are online", _delegations, ALL),
    Attempt(
        "rollouts-name-a-model", "names a model's files in the list of rollouts, by all keys that are online", _rollouts_name_files, ALL
    ),
    Attempt(
        "rollouts-delegate", "delegates releases from rollouts to a key of their own, by all keys that are online", _rollouts_delegate, ALL
    ),
    Attempt(
        "rollout-unreleased", "rolls out a number that is no release, by all keys that are online", lambda shop: _roll_out(shop, 7), ALL
    ),
    Attempt(
        "rollout-unsigned",
        "rolls the fleet back by the keys of snapshot and timestamp, which sign no rollout",
        lambda s: _roll_out(s, 1),
        WHEN,
    ),
    Attempt(
        "snapshot-by-another-key",
        "swaps keys: signs the snapshot by another key, where those of rollouts and timestamp are stolen",
        lambda shop: _roll_out(shop, 1),
        (roles.ROLLOUTS, roles.TIMESTAMP),
    ),
    Attempt(
        "timestamp-by-another-key",
        "swaps keys: signs the timestamp by another key, where those of rollouts and snapshot are stolen",
        lambda shop: _roll_out(shop, 1),
        (roles.ROLLOUTS, roles.SNAPSHOT),
    ),
)
