"""The commands of `tinybeam sql`, one a file."""
