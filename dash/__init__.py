"""Shows the warehouse on a live page: what needs doing, fields, machines, alerts and the fleet. Reads only, but for people's answers."""
