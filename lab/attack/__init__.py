"""Attacks what TinyBeam lets in: who attacks, the rows that tests write of their attempts, and the page of what came of them."""
