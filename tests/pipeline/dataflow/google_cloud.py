"""Runs enough of Cloud Storage and Dataflow on this machine for Beam's own runner to launch a job: what was asked for can be looked at.

Both speak their REST; access tokens are given, too. Objects are kept in memory, jobs do not run. A job is in the first state of `states`,
and moves on by one with each look; one that only compares graphs (`graph_validate_only`) is DONE, or FAILED for the reason in `refuses`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import urllib.parse
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any

import google_crc32c

from lab.services.http_server import serving

_ENDED = {"DONE", "FAILED", "CANCELLED", "UPDATED", "DRAINED"}
_DRAINED, _CANCELLED = ("DRAINING", ["DRAINING", "DRAINED"]), ("CANCELLED", ["CANCELLING", "CANCELLED"])
_END_OF: dict[int | str, tuple[str, list[str]]] = {
    "JOB_STATE_DRAINING": _DRAINED,
    7: _DRAINED,
    "JOB_STATE_CANCELLED": _CANCELLED,
    5: _CANCELLED,
}
"""What is asked for, by name or by its number in the API -> its name, and the states that follow."""
_CREATED = "2026-05-01T12:00:{:02}Z"


@dataclass
class LaunchedJob:
    """Holds a job as it was asked for: `request` is the body of the request that made it."""

    id: str
    request: dict[str, Any]
    states: list[str]

    @property
    def name(self) -> str:
        return str(self.request["name"])

    @property
    def service_options(self) -> list[str]:
        return list(self.request["environment"].get("serviceOptions", ()))

    def answer(self) -> dict[str, Any]:
        number = int(self.id.rpartition("-")[2])
        made = {"createTime": _CREATED.format(number), "currentStateTime": _CREATED.format(number)}
        return {"id": self.id, "name": self.name, "currentState": f"JOB_STATE_{self.states[0]}", **made}


@dataclass
class GoogleCloud:
    """Runs both as a context manager: `with GoogleCloud() as cloud: launch(endpoint=cloud.url)`, with STORAGE_EMULATOR_HOST=cloud.url."""

    states: list[str] = field(default_factory=lambda: ["PENDING", "RUNNING"])
    refuses: str = ""
    """Why a graph can replace none; empty: it can."""
    jobs: list[LaunchedJob] = field(default_factory=list)
    objects: dict[str, bytes] = field(default_factory=dict)
    """By bucket/name."""
    requested_states: list[str] = field(default_factory=list)
    on_look: Callable[[LaunchedJob], None] = lambda _: None
    """Is called when somebody looks at a job, in a thread of the server."""

    def __enter__(self) -> GoogleCloud:
        self._uploads: dict[str, tuple[str, bytearray]] = {}
        self._lock = threading.Lock()
        self._serving = serving(_handler(self))
        self.url = f"http://localhost:{self._serving.__enter__()}"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._serving.__exit__(kind, error, trace)

    def staged(self, job: LaunchedJob) -> dict[str, bytes]:
        """Returns the objects that were put for a job, by their last names."""
        graph = job.request["environment"]["sdkPipelineOptions"]["options"]["pipelineUrl"]
        folder = graph.removeprefix("gs://").rpartition("/")[0]
        return {name.rpartition("/")[2]: content for name, content in self.objects.items() if name.startswith(f"{folder}/")}

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> tuple[int, Any, dict[str, str]]:
        """Returns (status, content, headers) of the answer to a request."""
        url = urllib.parse.urlsplit(target)
        query = dict(urllib.parse.parse_qsl(url.query))
        with self._lock:
            for pattern, handle in _ROUTES:
                if found := re.fullmatch(pattern, url.path):
                    result = handle(self, _Request(method, found.groups(), query, headers, body))
                    return result if isinstance(result, tuple) else (200, result, {})
        return 501, {"error": {"code": 501, "message": f"this stand-in does not know {method} {url.path}"}}, {}

    # Dataflow

    def create(self, job: dict[str, Any]) -> dict[str, Any]:
        asked = "graph_validate_only" in job["environment"].get("serviceOptions", ())
        states = [("FAILED" if self.refuses else "DONE")] if asked else list(self.states)
        launched = LaunchedJob(f"job-{len(self.jobs) + 1}", job, states)
        if not asked and (replaced := self._job(job.get("replaceJobId", ""))):
            replaced.states = ["UPDATED"]
        self.jobs.append(launched)
        return {**launched.answer(), "clientRequestId": job.get("clientRequestId", "")}

    def listed(self, query: dict[str, str]) -> dict[str, Any]:
        active = query.get("filter") in {"3", "ACTIVE"}
        return {"jobs": [job.answer() for job in self.jobs if not (active and job.states[0] in _ENDED)]}

    def look(self, job_id: str) -> Any:
        if not (job := self._job(job_id)):
            return _not_found(job_id)
        answer = job.answer()
        if len(job.states) > 1:
            job.states.pop(0)
        self.on_look(job)
        return answer

    def ask_for(self, job_id: str, state: int | str) -> Any:
        if not (job := self._job(job_id)):
            return _not_found(job_id)
        wanted, states = _END_OF[state]
        job.states = list(states)
        self.requested_states.append(wanted)
        return job.answer()

    def _job(self, job_id: str) -> LaunchedJob | None:
        return next((job for job in self.jobs if job.id == job_id), None)

    def messages(self, job_id: str) -> dict[str, Any]:
        job = self._job(job_id)
        failed = job is not None and job.states[0] == "FAILED"
        return {"jobMessages": [{"messageText": self.refuses, "messageImportance": "JOB_MESSAGE_ERROR"}] if failed else []}

    # Cloud Storage

    def put(self, name: str, content: bytes) -> dict[str, Any]:
        self.objects[name] = content
        return self.described(name)

    def described(self, name: str) -> dict[str, Any]:
        bucket, _, path = name.partition("/")
        content = self.objects[name]
        crc = base64.b64encode(google_crc32c.Checksum(content).digest()).decode()
        md5 = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        return {"bucket": bucket, "name": path, "generation": "1", "size": str(len(content)), "crc32c": crc, "md5Hash": md5}

    def upload(self, request: _Request) -> Any:
        """Takes an upload: whole, with its metadata before it, or in pieces."""
        if "upload_id" in request.query:
            return self._piece(request)
        name = request.query.get("name")
        if request.query.get("uploadType") == "resumable":
            return self._begin(f"{request.groups[0]}/{name or json.loads(request.body)['name']}")
        if request.query.get("uploadType") == "multipart":
            whole = BytesParser().parsebytes(b"Content-Type: " + request.headers["Content-Type"].encode() + b"\r\n\r\n" + request.body)
            metadata, content = (part.get_payload(decode=True) for part in whole.get_payload())  # type: ignore[union-attr]
            return self.put(f"{request.groups[0]}/{json.loads(metadata)['name']}", content)  # type: ignore[arg-type]
        return self.put(f"{request.groups[0]}/{name}", request.body)

    def _begin(self, name: str) -> Any:
        upload = str(len(self._uploads) + 1)
        self._uploads[upload] = name, bytearray()
        bucket = name.partition("/")[0]
        return 200, {}, {"Location": f"{self.url}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&upload_id={upload}"}

    def _piece(self, request: _Request) -> Any:
        name, content = self._uploads[request.query["upload_id"]]
        content += request.body
        total = request.headers.get("Content-Range", "").rpartition("/")[2]
        if total == "*" or (total and int(total) > len(content)):
            return 308, {}, {"Range": f"bytes=0-{len(content) - 1}"}
        return self.put(name, bytes(content))


@dataclass(frozen=True)
class _Request:
    method: str
    groups: tuple[str, ...]
    query: dict[str, str]
    headers: Any
    body: bytes


def _not_found(what: str) -> tuple[int, Any, dict[str, str]]:
    return 404, {"error": {"code": 404, "message": f"{what} is not there"}}, {}


def _bucket(cloud: GoogleCloud, request: _Request) -> Any:
    return {"name": request.groups[0], "location": "EU", "softDeletePolicy": {"retentionDurationSeconds": "0"}}


def _object(cloud: GoogleCloud, request: _Request) -> Any:
    name = f"{request.groups[0]}/{urllib.parse.unquote(request.groups[1])}"
    if name not in cloud.objects:
        return _not_found(name)
    if request.method == "DELETE":
        del cloud.objects[name]
        return 204, b"", {}
    return cloud.objects[name] if request.query.get("alt") == "media" else cloud.described(name)


def _objects(cloud: GoogleCloud, request: _Request) -> Any:
    beginning = f"{request.groups[0]}/{request.query.get('prefix', '')}"
    return {"items": [cloud.described(name) for name in cloud.objects if name.startswith(beginning)]}


def _jobs(cloud: GoogleCloud, request: _Request) -> Any:
    return cloud.create(json.loads(request.body)) if request.method == "POST" else cloud.listed(request.query)


def _job(cloud: GoogleCloud, request: _Request) -> Any:
    if request.method == "PUT":
        return cloud.ask_for(request.groups[0], json.loads(request.body)["requestedState"])
    return cloud.look(request.groups[0])


def _messages(cloud: GoogleCloud, request: _Request) -> Any:
    return cloud.messages(request.groups[0])


def _token(cloud: GoogleCloud, request: _Request) -> Any:
    return {"access_token": "token", "expires_in": 3600, "token_type": "Bearer"}


_BUCKETS = "storage/v1/b/([^/]+)"
_JOBS = "/v1b3/projects/[^/]+/locations/[^/]+/jobs"
_ROUTES: Iterable[tuple[str, Callable[[GoogleCloud, _Request], Any]]] = (
    (f"/(?:resumable/)?upload/{_BUCKETS}/o", GoogleCloud.upload),
    (f"/{_BUCKETS}", _bucket),
    (f"/{_BUCKETS}/o", _objects),
    (f"/(?:download/)?{_BUCKETS}/o/(.+)", _object),
    ("/token", _token),
    (_JOBS, _jobs),
    (f"{_JOBS}/([^/]+)", _job),
    (f"{_JOBS}/([^/]+)/messages", _messages),
)


def _handler(cloud: GoogleCloud) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, content, headers = cloud.answer(self.command, self.path, self.headers, self._body())
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - the base class names them

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            pieces = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class names it
            """Logs nothing: what was asked for is kept."""

    return Handler
