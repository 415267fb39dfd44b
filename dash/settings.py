"""Reads who may look: one TOML file -> one frozen tree, checked before anything listens."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from program import settings
from program.settings import ConfigError, Settings, require, setting

_FEWEST_CHARACTERS = 32
_HEADER = r"^[A-Za-z][A-Za-z0-9-]*$"


class SignInSettings(Settings, frozen=True, kw_only=True):
    """Says how a proxy that has signed people in is known, and how it names them."""

    secret_file: Annotated[
        Path,
        setting(
            "File of the secret that proxy and page share, 32 characters or more, readable for its owner alone",
            example="dash.secret",
            since="0.3.0",
        ),
    ]
    secret_header: Annotated[str, setting("Header in which the proxy shows the secret", pattern=_HEADER, since="0.3.0")] = (
        "X-TinyBeam-Secret"  # noqa: S105 - a name
    )
    user_header: Annotated[str, setting("Header in which the proxy names who has signed in", pattern=_HEADER, since="0.3.0")] = (
        "X-Forwarded-User"
    )

    def secret(self) -> str:
        """Reads the secret. Raises ConfigError."""
        try:
            mode, text = self.secret_file.stat().st_mode, self.secret_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"sign_in.secret_file {self.secret_file} cannot be read") from error
        require(not mode & 0o077, f"sign_in.secret_file {self.secret_file} can be read by others: chmod 600 {self.secret_file}")
        require(len(text) >= _FEWEST_CHARACTERS, f"sign_in.secret_file {self.secret_file} has fewer than {_FEWEST_CHARACTERS} characters")
        return text


class ViewerSettings(Settings, frozen=True, kw_only=True):
    """Says what one person may see and do."""

    user: Annotated[str, setting("Who it is, as the proxy names them", min_length=1, example="anna@farm.example", since="0.3.0")]
    sites: Annotated[tuple[str, ...] | None, setting("Sites that they see, and nothing else. Leave it out for all", since="0.3.0")] = None
    answers: Annotated[bool, setting("Whether they may answer alerts", since="0.3.0")] = True

    def __post_init__(self) -> None:
        require(self.sites is None or self.sites, "sites must not be empty: leave it out for all")


class Config(Settings, frozen=True, kw_only=True):
    """Is the file of `tinybeam dash --config`."""

    sign_in: Annotated[SignInSettings, setting("How people sign in", since="0.3.0")]
    viewers: Annotated[tuple[ViewerSettings, ...], setting("Who may look; nobody else does", min_length=1, since="0.3.0")]

    def __post_init__(self) -> None:
        users = [viewer.user for viewer in self.viewers]
        require(len(set(users)) == len(users), "viewers names a user twice")


def load(file: Path) -> Config:
    """Reads and checks a file. Raises ConfigError, naming the file."""
    return settings.load(Config, file)
