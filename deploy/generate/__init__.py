"""Writes what Terraform reads of tables, views and functions, from `schemas` and `sql`."""
