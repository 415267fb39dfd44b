"""What people say of alerts, fields and machines, from a link, a command or a file into `labels_v1`."""
