"""The warehouse for those who ask: tables, views, functions, queries and checks, and the command that applies, checks and asks them."""
