from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from conversations.admin.lookups import DeclaredLookups
from conversations.models import Conversation, Turn, User
from conversations.services import deletion

admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(DeclaredLookups, DjangoUserAdmin):  # type: ignore[type-arg]
    """The people who use the platform."""

    list_display = ("username", "email", "role", "last_login", "date_joined")
    list_filter = ("is_staff", "is_superuser", "is_active", "groups")
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm

    @admin.display(description="role")
    def role(self, user: User) -> str:
        """Return what the user may do, in words."""
        role = "all rights" if user.is_superuser else "staff" if user.is_staff else "user"
        return role if user.is_active else f"{role}, disabled"

    def get_deleted_objects(self, objs: Iterable[User], request: HttpRequest) -> Any:
        """Return how many rows are deleted with users; counts and no list, since there may be many."""
        users = list(objs)
        kinds = (Conversation.objects.filter(owner__in=users), Turn.objects.filter(user__in=users))
        counts = {str(rows.model._meta.verbose_name_plural): rows.count() for rows in kinds}
        return [str(user) for user in users], {"users": len(users), **counts}, set(), []

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Delete a user once this page's transaction, which holds no locks meanwhile, is committed."""
        transaction.on_commit(partial(deletion.delete_account, obj))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Delete users one by one, each as `delete_model` does."""
        for user in queryset:
            deletion.delete_account(user)


@admin.register(Group)
class GroupAdmin(DeclaredLookups, DjangoGroupAdmin):
    """Groups of users, which grant permissions and can have budgets."""
