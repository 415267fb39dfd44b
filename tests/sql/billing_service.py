"""A service that speaks as much of BigQuery's REST interface as queries need, and bills: every statement reads the same number of bytes.

The local warehouse has no figure of bytes before a statement ran; this has nothing else. What was asked is kept in `requests`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from lab.services.http_server import serving


class BillingService:
    """`with BillingService(read=10**9).running() as url:`."""

    def __init__(self, read: int) -> None:
        self.read = read
        self.requests: list[dict[str, Any]] = []

    @contextmanager
    def running(self) -> Iterator[str]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(200, {"datasets": []})

            def do_POST(self) -> None:
                content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                service.requests.append(content)
                self._answer(*service.answer(content))

            def _answer(self, status: int, content: dict[str, Any]) -> None:
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                return

        with serving(Handler) as port:
            yield f"http://127.0.0.1:{port}"

    def answer(self, content: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Answers jobs.insert and jobs.query as BigQuery does: a dry run by its bytes, what is over its limit by an error."""
        configuration = content.get("configuration", {})
        asked = configuration.get("query", content)
        if int(asked.get("maximumBytesBilled") or self.read) < self.read:
            text = f"Query exceeded limit for bytes billed: {asked['maximumBytesBilled']}. {self.read} or higher required."
            error = {"code": 400, "message": text, "errors": [{"reason": "bytesBilledLimitExceeded", "message": text, "domain": "global"}]}
            return 400, {"error": error}
        job = {"projectId": "p", "jobId": "j", "location": "EU"}
        if configuration.get("dryRun"):
            statistics = {"totalBytesProcessed": str(self.read), "query": {"totalBytesProcessed": str(self.read)}}
            return 200, {"jobReference": job, "configuration": configuration, "status": {"state": "DONE"}, "statistics": statistics}
        schema = {"fields": [{"name": "answer", "type": "INTEGER"}]}
        rows = {"schema": schema, "rows": [{"f": [{"v": "42"}]}], "totalRows": "1", "totalBytesProcessed": str(self.read)}
        return 200, {"jobReference": job, "jobComplete": True, **rows}
