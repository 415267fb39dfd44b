"""Lists the ways in which messages are written. A new one is a file here, a line in `DOCUMENTS` and a word in DocumentFormat."""

from __future__ import annotations

from collections.abc import Mapping

from edge.intake.documents.cbor import cbor_documents
from edge.intake.documents.document import Documents
from edge.intake.documents.json_documents import json_documents
from edge.intake.documents.number import number_documents
from edge.intake.documents.senml import senml_documents
from edge.settings.payload import DocumentFormat

DOCUMENTS: Mapping[DocumentFormat, Documents] = {
    DocumentFormat.JSON: json_documents,
    DocumentFormat.CBOR: cbor_documents,
    DocumentFormat.SENML: senml_documents,
    DocumentFormat.NUMBER: number_documents,
}
