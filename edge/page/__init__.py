"""Shows the gateway to whoever stands beside it, without a cloud: what needs doing, live values, verdicts, and how it is itself.

`recent` remembers a little of what passes, `notices` says what needs doing, `html` writes it, `server` serves it.
"""
