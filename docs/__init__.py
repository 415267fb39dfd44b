"""The documents, what makes their site (conf.py), and what writes some of them (generate). Not shipped."""
