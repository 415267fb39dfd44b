"""The dictionary of this version is what training gives, to the byte, and those of releases stay."""

import hashlib

from schemas.dictionary import FOLDER, current, dictionaries, number_of, train, version_of
from schemas.records import SCHEMA_VERSION

KEPT = {"1.3": "d3d1a0bece2a13b8568e6463d61645db0a40cca2213e70c39107ef18171aa26a"}
"""Version -> SHA-256 of the dictionary that a release had, or bodies in the golden files."""


def test_the_dictionary_of_this_version_is_what_training_gives_to_the_byte() -> None:
    assert train.main(["--check"]) == 0
    assert current() == (FOLDER / f"{SCHEMA_VERSION}.zdict").read_bytes()


def test_dictionaries_that_bodies_somewhere_need_are_here_unchanged() -> None:
    here = {version: hashlib.sha256((FOLDER / f"{version}.zdict").read_bytes()).hexdigest() for version in KEPT}
    assert here == KEPT


def test_a_dictionary_s_number_tells_its_version() -> None:
    assert version_of(number_of("12.34")) == "12.34"
    assert version_of(7) == "?"
    assert number_of(SCHEMA_VERSION) in dictionaries()
    assert all(number >= 32_768 for number in dictionaries()), "the numbers below are zstd's own"
