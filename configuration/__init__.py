"""The configuration files as a whole: checked against each other, described for people and for editors. Nothing imports it."""
