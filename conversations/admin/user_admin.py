from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from conversations.admin.deletion_admin import listed
from conversations.admin.lookups import DeclaredLookups
from conversations.models import Attachment, Conversation, Deletion, Turn, User
from conversations.services.deletion import account_deletion
from conversations.services.deletion.deletion import in_one_go

admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(DeclaredLookups, DjangoUserAdmin):  # type: ignore[type-arg]
    """The users of the platform."""

    list_display = ("username", "email", "role", "last_login", "date_joined")
    list_filter = ("is_staff", "is_superuser", "is_active", "groups")
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm

    @admin.display(description="role")
    def role(self, user: User) -> str:
        """Return the user's role as text."""
        role = "all rights" if user.is_superuser else "staff" if user.is_staff else "user"
        return role if user.is_active else f"{role}, disabled"

    def get_deleted_objects(self, objs: Iterable[User], request: HttpRequest) -> Any:
        """Return the numbers of rows that are deleted with users; counts and no list, since there may be many."""
        users = list(objs)
        kinds: tuple[QuerySet[Any], ...] = (
            Conversation.objects.filter(owner__in=users),
            Turn.objects.filter(user__in=users),
            Attachment.objects.filter(owner__in=users),
        )
        counts = {str(rows.model._meta.verbose_name_plural): rows.count() for rows in kinds}
        return [str(user) for user in users], {"users": len(users), **counts}, set(), []

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Close the account, and delete its data once this page's transaction is committed."""
        report = account_deletion.close_account(user=obj, cause=Deletion.Cause.STAFF)
        transaction.on_commit(partial(_erase, request, report))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Delete users one by one, each as `delete_model` does."""
        for user in queryset:
            _erase(request, in_one_go(account_deletion.close_account, user=user, cause=Deletion.Cause.STAFF))


def _erase(request: HttpRequest, report: Deletion) -> None:
    """Delete the data of a closed account, and show the report to the staff."""
    account_deletion.erase(report)
    messages.info(request, f"Deleted: {listed(report.erased)}.")


@admin.register(Group)
class GroupAdmin(DeclaredLookups, DjangoGroupAdmin):
    """Groups of users, which grant permissions and can have budgets."""
