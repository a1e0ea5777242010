"""The same rows in Django's admin, with its own sessions and people: the change list of change orders, those that wait, oldest first."""

import os
import sys
from pathlib import Path

import django
from django.apps import AppConfig
from django.conf import settings

FOLDER = os.environ["PEER_FOLDER"]
settings.configure(
    SECRET_KEY="only-for-a-measurement",
    DEBUG=False,
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF="app",
    INSTALLED_APPS=[*(f"django.contrib.{name}" for name in ("admin", "auth", "contenttypes", "sessions", "messages")), "app.Rows"],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{FOLDER}/django.db", "CONN_MAX_AGE": None},
        "rows": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["ROWS_DATABASE"], "CONN_MAX_AGE": None},
    },
    DATABASE_ROUTERS=["app.Router"],
    USE_TZ=False,
    STATIC_URL="/static/",
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
sys.modules.setdefault("app", sys.modules[__name__])


class Rows(AppConfig):
    """What the admin asks of an application."""

    name, label, path = "app", "portal", str(Path(__file__).parent)


class Router:
    """The portal's tables are in its own database, and no one changes them."""

    def db_for_read(self, model, **_):
        return "rows" if model._meta.app_label == "portal" else "default"

    def allow_relation(self, *_, **__):
        return True

    def allow_migrate(self, database, app_label, **_):
        return database == "default" and app_label != "portal"


django.setup()

from django.contrib import admin  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import models  # noqa: E402
from django.urls import path  # noqa: E402


def table(name):
    return type("Meta", (), {"app_label": "portal", "db_table": name, "managed": False})


class Job(models.Model):
    number, name = models.CharField(max_length=10), models.CharField(max_length=100)
    Meta = table("job")


class Vendor(models.Model):
    name, code = models.CharField(max_length=100), models.CharField(max_length=10)
    Meta = table("vendor")


class Person(models.Model):
    name = models.CharField(max_length=100)
    Meta = table("user")


class Commitment(models.Model):
    number = models.CharField(max_length=30)
    job, vendor = models.ForeignKey(Job, models.PROTECT), models.ForeignKey(Vendor, models.PROTECT)
    Meta = table("commitment")


class ChangeOrder(models.Model):
    number, title, status = models.CharField(max_length=12), models.TextField(), models.CharField(max_length=255)
    amount, sent_at = models.BigIntegerField(), models.DateTimeField()
    commitment = models.ForeignKey(Commitment, models.PROTECT)
    sent_by = models.ForeignKey(Person, models.PROTECT)
    Meta = table("change_order")


@admin.register(ChangeOrder)
class ChangeOrders(admin.ModelAdmin):
    list_display = ("number", "title", "job", "commitment_number", "vendor", "amount", "sender", "sent_at")
    list_filter = ("status",)
    list_select_related = ("commitment__job", "commitment__vendor", "sent_by")
    list_per_page = 50
    ordering = ("sent_at", "id")

    def job(self, one):
        return f"{one.commitment.job.number} {one.commitment.job.name}"

    def commitment_number(self, one):
        return one.commitment.number

    def vendor(self, one):
        return f"{one.commitment.vendor.name} {one.commitment.vendor.code}"

    def sender(self, one):
        return one.sent_by.name


urlpatterns = [path("admin/", admin.site.urls)]
application = get_wsgi_application()


def sign_in():
    """Make the tables and one administrator; answer the cookie of a session."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    person = User.objects.filter(username="ana").first() or User.objects.create_superuser("ana", "", "only for a measurement")
    session = SessionStore()
    session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(person.pk), "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.save()
    return f"sessionid={session.session_key}"


if __name__ == "__main__":
    print(sign_in())
