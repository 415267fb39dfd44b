"""Keeps promises at their long numbers: which there are, how their tests run one after the other, and the page of what they measured."""
