"""Reaches Dataflow's jobs of one project and region: lists, looks, asks for another state. Each call answers or raises Unanswered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, RefreshError
from google.cloud import dataflow_v1beta3 as api
from requests.exceptions import RequestException

from pipeline.dataflow.follow import Unanswered
from pipeline.dataflow.job import Job
from pipeline.io.append import brief
from program import google_credentials
from program.settings import ConfigError

_PREFIX = "JOB_STATE_"
_SECONDS = 60.0
_ROLE = "the role Dataflow Developer (roles/dataflow.developer)"


class DataflowJobs:
    """Knows the jobs of a project in a region: `DataflowJobs("my-project", "europe-west1").running("tinybeam")`."""

    def __init__(self, project: str, region: str, endpoint: str = "") -> None:
        """`endpoint` is that of a stand-in, such as http://localhost:8090; empty is Google."""
        self.project, self.region = project, region
        self._where = {"project_id": project, "location": region}
        self._what = f"jobs of {project} in {region}"
        self._endpoint = endpoint

    @property
    def _options(self) -> dict[str, Any]:
        return _client_options(self._endpoint)

    def running(self, name: str) -> Job | None:
        """Returns the job of this name that has not ended: there is one at most."""
        return next(iter(self._named(name, api.ListJobsRequest.Filter.ACTIVE)), None)

    def latest(self, name: str) -> Job | None:
        """Returns the job of this name that has not ended, else the one that was made last."""
        return self.running(name) or next(iter(self._named(name, api.ListJobsRequest.Filter.ALL)), None)

    def job(self, job_id: str) -> Job:
        with asking(self._what):
            return _job(api.JobsV1Beta3Client(**self._options).get_job(api.GetJobRequest(job_id=job_id, **self._where), timeout=_SECONDS))

    def request(self, job_id: str, state: str) -> None:
        """Asks for a state: DRAINING or CANCELLED."""
        wanted = api.Job(requested_state=getattr(api.JobState, _PREFIX + state))
        with asking(self._what):
            request = api.UpdateJobRequest(job_id=job_id, job=wanted, **self._where)
            api.JobsV1Beta3Client(**self._options).update_job(request, timeout=_SECONDS)

    def errors(self, job_id: str) -> list[str]:
        least = api.JobMessageImportance.JOB_MESSAGE_ERROR
        with asking(self._what):
            request = api.ListJobMessagesRequest(job_id=job_id, minimum_importance=least, **self._where)
            found = api.MessagesV1Beta3Client(**self._options).list_job_messages(request, timeout=_SECONDS)
            return [one.message_text for one in found]

    def _named(self, name: str, which: int) -> list[Job]:
        """Returns jobs of this name, the newest first."""
        with asking(self._what):
            request = api.ListJobsRequest(filter=which, name=name, **self._where)
            found = [one for one in api.JobsV1Beta3Client(**self._options).list_jobs(request, timeout=_SECONDS) if one.name == name]
        return [_job(one) for one in sorted(found, key=lambda one: str(one.create_time), reverse=True)]


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Says of every failure whose it is, and about what. Raises Unanswered."""
    try:
        yield
    except ConfigError as error:
        raise Unanswered(str(error)) from error
    except (DefaultCredentialsError, RefreshError) as error:
        raise Unanswered(google_credentials.refusal(error)) from error
    except exceptions.PermissionDenied as error:
        raise Unanswered(
            f"Dataflow refuses {what}: {error.message}; the role Dataflow Developer (roles/dataflow.developer) is needed"
        ) from error
    except (exceptions.GoogleAPIError, GoogleAuthError, RequestException) as error:
        raise Unanswered(f"Dataflow does not answer about {what}: {brief(error)}") from error


def _client_options(endpoint: str) -> dict[str, Any]:
    if not endpoint:
        google_credentials.check()
        return {}
    return {"credentials": AnonymousCredentials(), "transport": "rest", "client_options": ClientOptions(api_endpoint=endpoint)}


def _job(found: api.Job) -> Job:
    return Job(found.id, found.name, found.current_state.name.removeprefix(_PREFIX), found.current_state_time or None)
