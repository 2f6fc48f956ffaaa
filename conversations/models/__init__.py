"""The database models. Rows of a user are reached through `visible_to`, those of conversations through `open_to`."""

from conversations.models.access import OwnedQuerySet, Right
from conversations.models.archive_import import ArchiveImport, LostImport
from conversations.models.attachment import Attachment, MessageAttachment, UnwantedFile
from conversations.models.audit import Audit
from conversations.models.budget import Budget, Hold
from conversations.models.conversation import Conversation, Message
from conversations.models.daily import DailyConversation, DailyUsage
from conversations.models.deletion import Deletion, Retention
from conversations.models.feedback import Feedback
from conversations.models.idempotent import Idempotent
from conversations.models.lease import Leased
from conversations.models.listed import ListedModel
from conversations.models.login import FailedLogin
from conversations.models.opening import Opening
from conversations.models.pending import PendingAttachment, PendingQuestion
from conversations.models.price import Price
from conversations.models.process import Process
from conversations.models.saved_filter import SavedFilter
from conversations.models.search import SearchDocument, ShelvedConversation, Unindexed
from conversations.models.share import Share
from conversations.models.ticket import Ticket
from conversations.models.titling import Titling
from conversations.models.turn import LostTurn, Piece, Turn
from conversations.models.usage import Usage
from conversations.models.user import User

__all__ = [
    "ArchiveImport",
    "Attachment",
    "Audit",
    "Budget",
    "Conversation",
    "DailyConversation",
    "DailyUsage",
    "Deletion",
    "FailedLogin",
    "Feedback",
    "Hold",
    "Idempotent",
    "Leased",
    "ListedModel",
    "LostImport",
    "LostTurn",
    "Message",
    "MessageAttachment",
    "Opening",
    "OwnedQuerySet",
    "PendingAttachment",
    "PendingQuestion",
    "Piece",
    "Price",
    "Process",
    "Retention",
    "Right",
    "SavedFilter",
    "SearchDocument",
    "Share",
    "ShelvedConversation",
    "Ticket",
    "Titling",
    "Turn",
    "Unindexed",
    "UnwantedFile",
    "Usage",
    "User",
]
