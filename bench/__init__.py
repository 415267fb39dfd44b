"""Benchmarks TinyBeam against the alternatives, in the same run: on shared machines ratios count. Nothing imports them."""
