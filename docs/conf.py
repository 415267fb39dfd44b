"""The documentation's site: Sphinx reads docs/, `make docs` builds it into build/site. Nothing is fetched, neither then nor by a reader."""

from sphinx.application import Sphinx

from program.version import version as installed

project = "TinyBeam"
release = installed()
extensions = ["myst_parser"]
exclude_patterns = ["generate"]

myst_heading_anchors = 3

html_theme = "furo"
html_static_path = ["style"]
html_css_files = ["wide.css"]
html_title = f"TinyBeam {release}"
html_show_copyright = False
html_copy_source = False

_CONTENTS = {"views": "views/*\nqueries/*"}


def setup(app: Sphinx) -> None:
    app.connect("source-read", _with_contents)


def _with_contents(_: Sphinx, name: str, source: list[str]) -> None:
    """Gives a page that lists others for people, a folder's README or that of views and queries, the list that navigation needs."""
    globs = _CONTENTS.get(name, "*" if name.endswith("/README") else "")
    if globs:
        source[0] += f"\n```{{toctree}}\n:hidden:\n:glob:\n\n{globs}\n```\n"
