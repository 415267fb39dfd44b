"""Pages that the code writes: `python -m docs.generate`; `--check` writes nothing and fails when one is stale."""
