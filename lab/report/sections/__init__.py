"""Fills the sections of the report, a module each: `content` is what the template fills in, `lede` the sentence below the heading."""
