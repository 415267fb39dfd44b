"""Certifies that two warehouses hold and show the same: table by table, view by view, down to the first row and column that differ."""
