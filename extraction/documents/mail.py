"""Converting mails (`.eml`) to text: sender, recipients, subject, date, body, and the names of attachments."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage, MIMEPart

from extraction.documents import html
from extraction.documents.broken import refuse_if_broken
from extraction.documents.text import Text, decoded, unpaged

HEADERS = ("From", "To", "Cc", "Reply-To", "Date", "Subject")
MOST_NAMES = 1000


def read(data: bytes) -> Text:
    """Return the text of a mail. Raise UnsupportedMediaType if it can't be read, or is too long."""
    with refuse_if_broken("mail", "a message (.eml)"):
        message = email.message_from_bytes(data, policy=email.policy.default)
        return unpaged("\n".join([*_headers(message), "", _body(message), "", *_attached(message)]).strip("\n"))


def _headers(message: EmailMessage) -> Iterator[str]:
    for name in HEADERS:
        for value in message.get_all(name, []):
            yield f"{name}: {' '.join(str(value).split())}"


def _body(message: EmailMessage) -> str:
    """Return the text of the body: the plain one, or the HTML where that is all there is."""
    for kind in ("plain", "html"):
        part = message.get_body(preferencelist=(kind,))
        text = _text_of(part) if part is not None else ""
        if text.strip():
            return html.text_of(text) if kind == "html" else text
    return ""


def _text_of(part: MIMEPart) -> str:
    try:
        return str(part.get_content())
    except (LookupError, UnicodeError):  # a charset that nobody knows
        payload = part.get_payload(decode=True)
        return decoded(payload) if isinstance(payload, bytes) else ""


def _attached(message: EmailMessage) -> Iterator[str]:
    names = [part.get_filename() or part.get_content_type() for part in message.iter_attachments()]
    if names:
        yield "Attachments: " + ", ".join(names[:MOST_NAMES])
