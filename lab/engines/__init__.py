"""Shows what each engine keeps: a pipeline killed again and again, a backlog read, and one recorded day on all of them."""
