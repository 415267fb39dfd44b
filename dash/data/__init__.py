"""Gives each page its data: plain frozen dataclasses, from parameterised queries of the warehouse. Knows no page, template or server.

- `viewer.Viewer(sites)` says who looks: `sites` is None for all, else the sites that the viewer may see.
- `warehouse.Warehouse(client, keep_seconds)` is one for the process, safe for threads. `warehouse.asked_by(viewer)` returns
  `Questions`, one for a request. `questions.query(name, **parameters) -> tuple[Row, ...]` runs `dash/queries/NAME.sql` and keeps its
  answer for `keep_seconds`; `questions.ahead(*names, **parameters)` begins to ask what will be queried, so that the warehouse works on
  several at once. Every query takes `@sites array<string>` and `@all_sites bool`, which `Questions` binds by its viewer, so that no caller
  can widen them. `questions.bytes_read` counts what the service scanned for this request (0 of a kept answer, None where it does not
  say), `questions.oldest` is when the oldest of its answers was asked. Raises `warehouse.Unreachable` (one sentence for people) where the
  warehouse does not answer.
- `span.Span(begin, end)` is the range of time that a page shows; UTC.
- One module a page. `today.read(questions, now)`, `fields.overview(questions, now)`, `fields.read(questions, site_id, span)`,
  `machines.overview(questions, now)`, `machines.read(questions, device_id, span)`, `alerts.read(questions, span, site_id=None)`: those
  open now and those opened in the span. What the viewer may not see is as if it were not there: None, or left out.
- `freshness.read(questions, now)` goes to the head of every page.
- `export.rows(questions, name, span, subject) -> Iterator[tuple]` yields a header and then rows; `export.NAMES` lists the names. Raises
  `warehouse.TooLong`, as every query does, for more rows than an answer has.

A line of a chart has at most `span.MOST_POINTS` points, whatever the span. Times are UTC; numbers are in the unit that a name or `unit`
says; None is what nobody knows, never 0.
"""
