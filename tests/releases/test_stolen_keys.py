"""M3: all keys that are online and both of one holder introduce no model; and what they spoil the holders mend."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random
from typing import Any

import pytest
from securesystemslib.signer import CryptoSigner

from releases import drafting, publishing, renewal, roles
from releases.error import ReleaseError
from releases.repository import Repository
from tests import long_form
from tests.attack import Attack
from tests.edge.folders import memory_folder
from tests.releases.publisher import FILES, HOLDERS, Publisher
from tests.releases.workshop import BAD, Workshop, runs, trusting

SEED = 20260501
ATTEMPTS = long_form.number(60, 1_000)
BETTER = FILES | {"model.tflite": b"a better model"}
SIGNED = ({"soil": (1, FILES)}, {"soil": (2, BETTER)})


def tamper(shop: Workshop, random: Random) -> None:
    """Changes some roles in some way, signs them by some of the keys, and says that this is current."""
    keys = [*shop.online_keys(), shop.key("ada"), shop.key("ada", "root"), CryptoSigner.generate_ed25519()]
    for role in random.sample((roles.RELEASES, roles.TARGETS, roles.ROLLOUTS), random.randint(1, 3)):
        signed: Any = shop.repository.targets(role)
        if random.random() < 0.8:
            shop.name_bad_files(signed, random.randint(1, 3))
        if role == roles.TARGETS and random.random() < 0.5:
            signed.get_delegated_role(roles.RELEASES).threshold = 1
            signed.add_key(random.choice(keys).public_key, roles.RELEASES)
        shop.sign(role, signed, random.sample(keys, random.randint(1, len(keys))))
    if random.random() < 0.8:
        shop.roll_out(random.randint(1, 3))
    shop.publish()


@pytest.fixture
def publisher() -> Any:
    with memory_folder() as folder:
        found = Publisher(folder)
        found.roll_out(found.release(), 100)
        found.roll_out(found.release(files=BETTER), 100)
        found.publish()
        yield found


def test_stolen_keys_introduce_no_model_however_they_are_used(publisher: Publisher, attack: Attack) -> None:
    true_site = Path(shutil.copytree(publisher.site, publisher.folder / "true"))
    introduced = chosen = controls = 0
    for number in range(ATTEMPTS):
        shop = Workshop(publisher, publisher.folder / "workshop", roles.ONLINE)
        tamper(shop, Random(SEED + number))
        came = runs(publisher.client(f"gateway {number}"), publisher.now, publisher.folder / "staged")
        introduced += not isinstance(came, ReleaseError) and came not in SIGNED
        chosen += came in SIGNED
        controls += any(BAD["model.tflite"] in files.values() for _, files in trusting(publisher.site).values())
        for folder in (shop.repository.folder, publisher.site, publisher.folder / f"gateway {number}"):
            shutil.rmtree(folder)
        shutil.copytree(true_site, publisher.site)
        long_form.progress(number, ATTEMPTS)
    assert controls > ATTEMPTS / 10
    control = f"a client that checks nothing runs a model of the thief's after {controls:,} of {ATTEMPTS:,}"
    attack(
        "release-stolen-keys",
        attacker="thief of keys",
        attempt="uses all keys that are online and both of one holder at random: names files, delegates, signs, rolls out",
        outcome="no model runs that two holders have not signed; the thief can choose among signed ones, or stop what is new",
        attempts=ATTEMPTS,
        accepted=introduced,
        control=control,
    )
    text = f"{ATTEMPTS:,} uses of stolen keys: 0 introduced a model, {chosen:,} chose among signed ones, all others refused"
    long_form.note("M3", measured=text, control=control, seed=SEED)


def test_versions_that_a_thief_has_rushed_ahead_are_left_behind_with_the_stolen_keys(publisher: Publisher, attack: Attack) -> None:
    """The thief publishes version two thousand million; the holders replace the keys, and gateways count anew."""
    gateway = publisher.client()
    gateway.refresh(publisher.now)
    shop = Workshop(publisher, publisher.folder / "workshop", roles.ONLINE)
    rush(shop.repository, publisher)
    shutil.copytree(shop.repository.published, publisher.site, dirs_exist_ok=True)
    publisher.client().refresh(publisher.now)
    with pytest.raises(ReleaseError, match="has publication 2000000000, this folder 3"):
        publisher.publish()
    shutil.copytree(publisher.repository.published, publisher.site, dirs_exist_ok=True)
    stuck = runs(publisher.client(), publisher.now, publisher.folder / "staged")
    assert isinstance(stuck, ReleaseError)
    renewal.renew(publisher.repository, publisher.now, online=True)
    for key in ("root", "releases"):
        for holder in HOLDERS[1:]:
            drafting.sign(publisher.repository, publisher.key(holder, key))
    publisher.publish()
    came = runs(publisher.client(), publisher.now, publisher.folder / "staged")
    attack(
        "release-fast-forward",
        attacker="thief of keys",
        attempt="publishes version two thousand million by all keys that are online, so that nothing true is newer",
        outcome="once the holders have replaced the keys, the gateway counts anew and takes what is true",
        attempts=1,
        accepted=int(came != SIGNED[1]),
        control=f"before they have, the gateway refuses what is true: {type(stuck).__name__}",
    )


def rush(repository: Repository, publisher: Publisher) -> None:
    rollouts = repository.targets(roles.ROLLOUTS)
    rollouts.version = 2_000_000_000
    publishing.sign_online(repository, roles.ROLLOUTS, rollouts, publisher.now)
    for role in (roles.SNAPSHOT, roles.TIMESTAMP):
        newest: Any = repository.newest(role).signed
        newest.version = 2_000_000_000
        if role == roles.SNAPSHOT:
            newest.meta["rollouts.json"] = repository.meta_file(roles.ROLLOUTS)
        else:
            newest.snapshot_meta = repository.meta_file(roles.SNAPSHOT)
        publishing.sign_online(repository, role, newest, publisher.now)
