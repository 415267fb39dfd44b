"""What the lab simulates: fields, machines and their sensors."""
