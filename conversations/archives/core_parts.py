"""The core's parts of archives, in the order of their import: messages refer to attachments."""

from conversations.archives.attachment_part import ATTACHMENTS
from conversations.archives.conversation_part import CONVERSATIONS
from conversations.archives.fact_parts import FACTS_OF_CONVERSATIONS

PARTS = [ATTACHMENTS, CONVERSATIONS, *FACTS_OF_CONVERSATIONS]
