"""Clients of the local warehouse."""

from __future__ import annotations

from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from lab.services.stack import Warehouse


def client_of(warehouse: Warehouse, project: str) -> bigquery.Client:
    return bigquery.Client(project=project, credentials=AnonymousCredentials(), client_options={"api_endpoint": warehouse.rest_url})
