"""Holds the steps as Beam sees them, one a file: each hands its elements to a plain function of pipeline/, and what that rejects to the
rejects.

At least once, in no order. A fault of ours in a step sets the batch aside with its stack trace and stops nobody.
"""
