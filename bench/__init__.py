"""How fast it is, against what else one would use, in the same run: on shared machines ratios count. Nothing imports it."""
