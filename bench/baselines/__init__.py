"""Does the same work on other engines, as a competent user would write it there. Nothing of ours is in it unless its docstring says so."""
