"""The admin's pages of saved filters, which their owners can rename, share and delete."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from conversations.admin.lookups import DeclaredLookups
from conversations.admin.review import saved, views
from conversations.models import SavedFilter, User
from conversations.services import saved_filters


class RenamingForm(forms.ModelForm):  # type: ignore[type-arg]
    """The name of a saved filter, and whether it is shared."""

    class Meta:
        model = SavedFilter
        fields = ("name", "shared")

    def clean_name(self) -> str:
        """Return the name, which no other filter of the same owner has."""
        name: str = self.cleaned_data["name"]
        others = SavedFilter.objects.filter(owner=self.instance.owner_id, name=name).exclude(pk=self.instance.pk)
        if others.exists():
            raise forms.ValidationError("Another one of your filters has this name: choose a different one.")
        return name


@admin.register(SavedFilter)
class SavedFilterAdmin(DeclaredLookups):
    """The user's own saved filters, and shared ones. They are created on the review pages."""

    form = RenamingForm
    list_display = ("name", "opens", "page", "owner", "shared", "updated_at")
    list_filter = ("shared", "page")
    list_select_related = ("owner",)
    search_fields = ("name",)
    fields = ("name", "shared", "opens", "page", "period", "query", "owner", "updated_at")
    readonly_fields = ("opens", "page", "period", "query", "owner", "updated_at")

    def get_urls(self) -> list[URLPattern]:
        """Return the model's URLs with that at which filters are saved."""
        save = path("save/", self.admin_site.admin_view(self.save), name="conversations_savedfilter_save")
        return [save, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[SavedFilter]:
        """Return the filters that the user may see."""
        found: QuerySet[SavedFilter] = super().get_queryset(request).visible_to(request.user)
        return found

    def save(self, request: HttpRequest) -> HttpResponse:
        """Store the filters of the page with the form, record it in the admin's history, and show the page."""
        if not self.has_view_permission(request) or request.method != "POST":
            raise PermissionDenied
        form = saved.SaveForm(request.POST)
        if not form.is_valid():
            messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
            return HttpResponseRedirect(reverse("admin:index"))
        kept, shared = form.filters, form.cleaned_data["shared"]
        name, owner = form.cleaned_data["name"], cast(User, request.user)
        stored, new = saved_filters.save_filter(owner=owner, name=name, filters=kept, shared=shared)
        (self.log_addition if new else self.log_change)(request, stored, "Saved on the page of the review.")
        messages.success(
            request, f"“{stored}” is saved. Its address is {request.build_absolute_uri(saved.address(stored))}"
        )
        return HttpResponseRedirect(saved.shown_at(stored))

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may see the usage."""
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: filters are created on the review pages."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: SavedFilter | None = None) -> bool:
        """Return whether the user may see the usage; `get_queryset` restricts the rows."""
        return request.user.has_perm(views.MAY_SEE)

    def has_change_permission(self, request: HttpRequest, obj: SavedFilter | None = None) -> bool:
        """Return whether it is the user's own."""
        return self.has_view_permission(request) and (obj is None or obj.owner_id == request.user.pk)

    def has_delete_permission(self, request: HttpRequest, obj: SavedFilter | None = None) -> bool:
        """Return whether it is the user's own; superusers may delete what is shared by others."""
        return self.has_change_permission(request, obj) or bool(request.user.is_superuser)

    @admin.display(description="address")
    def opens(self, found: SavedFilter) -> SafeString:
        """Return a link to the page with these filters."""
        return format_html('<a href="{0}">{0}</a>', saved.address(found))

    def get_deleted_objects(
        self, objs: Iterable[SavedFilter], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Return the names, their number, and those that the user may not delete."""
        listed = list(objs)
        refused = {str(each) for each in listed if not self.has_delete_permission(request, each)}
        return [str(each) for each in listed], {"saved filters": len(listed)}, refused, []
