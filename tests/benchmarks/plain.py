"""A minimal Django REST project, one view with one query, as a baseline for other requests."""

from __future__ import annotations

import os
import sys

import django
from django.conf import settings
from django.urls import path
from psycopg.conninfo import conninfo_to_dict

_DATABASE = {name: str(value) for name, value in conninfo_to_dict(os.environ["DATABASE_URL"]).items()}

settings.configure(
    DEBUG=False,
    SECRET_KEY="benchmark",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "CONN_MAX_AGE": 0,
            "NAME": _DATABASE["dbname"],
            "USER": _DATABASE.get("user", ""),
            "PASSWORD": _DATABASE.get("password", ""),
            "HOST": _DATABASE.get("host", ""),
            "PORT": _DATABASE.get("port", ""),
            "OPTIONS": {"pool": {"min_size": 2, "max_size": 20}},
        }
    },
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    },
)
django.setup()

from django.contrib.auth.models import Group  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.serializers import ModelSerializer  # noqa: E402
from rest_framework.views import APIView  # noqa: E402


class GroupSerializer(ModelSerializer[Group]):
    """The serializer of a group."""

    class Meta:
        model = Group
        fields = ("id", "name")


class Plain(APIView):
    """A view that lists fifty rows by one query."""

    def get(self, request: Request) -> Response:
        """Return the rows."""
        return Response(GroupSerializer(Group.objects.order_by("id")[:50], many=True).data)


urlpatterns = [path("plain/", Plain.as_view())]
application = get_asgi_application()

if __name__ == "__main__":
    import uvicorn

    uvicorn.run(application, port=int(sys.argv[1]), loop="uvloop", http="httptools", log_level="warning")
