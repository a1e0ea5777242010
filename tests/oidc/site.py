"""An OpenID provider for tests: django-oauth-toolkit behind Django's own sign-in page, as a company might run it.

`python -m tests.oidc.site --port N --folder F`. Who there is and what is said of them is read anew each time from
`directory.json` in the folder; `key.pem` there signs.
"""

import argparse
import json
import os
from pathlib import Path

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from werkzeug.serving import make_server

CLIENT_ID, CLIENT_SECRET = "cco-portal", "known to the provider and to the portal"
PASSWORD = "a long password at the provider"
LOGIN = """<!doctype html><title>Company account</title><h1>Company account</h1>
<form method="post">{% csrf_token %}{{ form.non_field_errors }}
<p><label>User name <input name="username"></label></p>
<p><label>Password <input name="password" type="password"></label></p><button>Sign in</button></form>"""
CONSENT = """<!doctype html><title>Consent</title><h1>May {{ application.name }} know who you are?</h1><p>{{ error.error }}</p>
<form method="post">{% csrf_token %}{% for field in form %}{% if field.is_hidden %}{{ field }}{% endif %}{% endfor %}
<button>Cancel</button> <button name="allow" value="Authorize">Allow</button></form>"""


def key(folder: Path) -> str:
    """The private key that signs, made at the first start."""
    file = folder / "key.pem"
    if not file.exists():
        made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        file.write_bytes(made.private_bytes(serialization.Encoding.PEM, form, plain))
    return file.read_text()


def configure(folder: Path) -> None:
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # plain http, on this machine
    templates = {"registration/login.html": LOGIN, "oauth2_provider/authorize.html": CONSENT}
    apps = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "oauth2_provider"]
    settings.configure(
        SECRET_KEY="of the provider for tests",
        DIRECTORY=folder / "directory.json",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF="tests.oidc.urls",
        USE_TZ=True,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "provider.db", "OPTIONS": {"timeout": 30}}},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        INSTALLED_APPS=apps,
        MIGRATION_MODULES={name.rpartition(".")[2]: None for name in apps},  # the tables at once, without their history
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        PASSWORD_HASHERS=[
            "django.contrib.auth.hashers.MD5PasswordHasher"
        ],  # the client's secret is hashed too, and a million rounds are slow
        AUTHENTICATION_BACKENDS=["tests.oidc.directory.Backend"],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {
                    "loaders": [("django.template.loaders.locmem.Loader", templates)],
                    "context_processors": ["django.template.context_processors.request"],
                },
            }
        ],
        LOGIN_URL="/sign-in",
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_RSA_PRIVATE_KEY": key(folder),
            "PKCE_REQUIRED": True,
            "REQUEST_APPROVAL_PROMPT": "force",
            "SCOPES": {"openid": "Who you are", "email": "Your e-mail address", "profile": "Your name and groups"},
            "OAUTH2_VALIDATOR_CLASS": "tests.oidc.directory.Validator",
            "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
        },
    )
    django.setup()


def prepare() -> None:
    """The tables, and the portal as a client; a loopback address may have any port."""
    from django.core.management import call_command
    from oauth2_provider.models import get_application_model

    call_command("migrate", run_syncdb=True, verbosity=0)
    get_application_model().objects.get_or_create(
        client_id=CLIENT_ID,
        defaults={
            "name": "CCO Portal",
            "client_secret": CLIENT_SECRET,
            "client_type": "confidential",
            "authorization_grant_type": "authorization-code",
            "algorithm": "RS256",
            "redirect_uris": "http://127.0.0.1/login/oidc/return",
        },
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    configure(arguments.folder)
    prepare()
    from django.core.wsgi import get_wsgi_application

    make_server("127.0.0.1", arguments.port, get_wsgi_application(), threaded=True).serve_forever()


def people(folder: Path, **directory: dict[str, object]) -> None:
    """Write down who there is; each by user name, with their claims. `thin` keeps all but the subject for userinfo."""
    fresh = folder / "directory.json.new"
    fresh.write_text(json.dumps(directory))
    fresh.replace(folder / "directory.json")


if __name__ == "__main__":
    main()
