"""Says each page: what it is given from the data, in words, numbers and charts. Knows no server."""
