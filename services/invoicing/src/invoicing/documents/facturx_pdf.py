"""Factur-X: a PDF/A-3 with the e-invoice inside, that says so in its metadata.

typst embeds the XML itself, but knows nothing of Factur-X's own metadata. They are added as the PDF standard provides
for, by an incremental update: the metadata object once more at the end of the file, with a table that points at it.
(The factur-x package reads and writes the whole file with pypdf for that, which takes ten times as long.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from invoicing.documents.brand import Brand
from invoicing.documents.einvoice import einvoice_xml
from invoicing.documents.layout import PLAIN, document_layout
from invoicing.documents.typesetting import typeset

_NAMESPACE = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
_PROPERTIES = (
    ("DocumentFileName", "The name of the embedded XML document"),
    ("DocumentType", "The type of the hybrid document in capital letters"),
    ("Version", "The actual version of the standard applying to the embedded XML document"),
    ("ConformanceLevel", "The conformance level of the embedded XML document"),
)
_SCHEMAS_END = b"</rdf:Bag></pdfaExtension:schemas>"
_END = b"</rdf:RDF>"
_PROPERTIES_OF_FILE = (
    f'<rdf:Description rdf:about="" xmlns:fx="{_NAMESPACE}">'
    "<fx:DocumentFileName>factur-x.xml</fx:DocumentFileName><fx:DocumentType>INVOICE</fx:DocumentType>"
    "<fx:Version>1.0</fx:Version><fx:ConformanceLevel>EN 16931</fx:ConformanceLevel></rdf:Description>"
)


def factur_x(content: Mapping[str, Any], brand: Brand = PLAIN) -> bytes:
    """The Factur-X file of an issued document. Raises InvalidError for what EN 16931 cannot say."""
    issued = date.fromisoformat(content["issue_date"])
    xml = einvoice_xml(content)
    return add_metadata(typeset(document_layout(content, brand=brand), issued, logo=brand.logo, xml=xml))


def add_metadata(pdf: bytes) -> bytes:
    """Say in the metadata of an archive PDF that it is a Factur-X file of the level EN 16931."""
    root = _found(rb"/Root (\d+) 0 R", pdf)
    number = int(_found(rb"/Metadata (\d+) 0 R", _object(pdf, int(root))))
    stream = _object(pdf, number)
    start = stream.index(b"stream\n") + len(b"stream\n")
    xmp = stream[start : stream.rindex(b"endstream")].rstrip(b"\r\n")
    described = _inserted(xmp, _SCHEMAS_END, _schema())
    described = _inserted(described, _END, _PROPERTIES_OF_FILE)
    update = b"%d 0 obj\n<</Type/Metadata/Subtype/XML/Length %d>>\nstream\n%b\nendstream\nendobj\n" % (
        number,
        len(described),
        described,
    )
    return _append(pdf, number, update)


def _append(pdf: bytes, number: int, update: bytes) -> bytes:
    """An incremental update of one object."""
    if not pdf.endswith(b"\n"):
        pdf += b"\n"
    previous = int(_found(rb"startxref\s+(\d+)\s+%%EOF\s*\Z", pdf))
    trailer = _found(rb"trailer\s*<<(.*)>>\s*startxref", pdf[previous:])
    table = b"xref\n%d 1\n%010d 00000 n\r\n" % (number, len(pdf))
    end = b"trailer\n<<%b/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (trailer, previous, len(pdf) + len(update))
    return pdf + update + table + end


def _found(pattern: bytes, text: bytes) -> bytes:
    match = re.search(pattern, text, re.DOTALL)
    if match is None:
        raise ValueError("this is no PDF of typst")
    return match.group(1)


def _object(pdf: bytes, number: int) -> bytes:
    start = pdf.index(b"\n%d 0 obj" % number) + 1
    return pdf[start : pdf.index(b"endobj", start)]


def _inserted(text: bytes, before: bytes, what: str) -> bytes:
    if text.count(before) != 1:
        raise ValueError("these are no metadata of typst")
    return text.replace(before, what.encode() + before)


def _schema() -> str:
    """The schema that PDF/A wants for properties it does not know; typst lists some of its own."""
    listed = "".join(
        '<rdf:li rdf:parseType="Resource">'
        f"<pdfaProperty:name>{name}</pdfaProperty:name><pdfaProperty:valueType>Text</pdfaProperty:valueType>"
        f"<pdfaProperty:category>external</pdfaProperty:category>"
        f"<pdfaProperty:description>{text}</pdfaProperty:description></rdf:li>"
        for name, text in _PROPERTIES
    )
    return (
        '<rdf:li rdf:parseType="Resource">'
        "<pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>"
        f"<pdfaSchema:namespaceURI>{_NAMESPACE}</pdfaSchema:namespaceURI><pdfaSchema:prefix>fx</pdfaSchema:prefix>"
        f"<pdfaSchema:property><rdf:Seq>{listed}</rdf:Seq></pdfaSchema:property></rdf:li>"
    )
