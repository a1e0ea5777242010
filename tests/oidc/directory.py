"""The company's directory behind the provider: who may sign in there, and what the provider says of them."""

import json

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from oauth2_provider.oauth2_validators import OAuth2Validator

from tests import today
from tests.oidc.site import PASSWORD

AHEAD_S = int(today.ahead().total_seconds())


def entry(username):
    return json.loads(settings.DIRECTORY.read_text()).get(username)


class Backend(ModelBackend):
    """Whoever stands in the directory; the account here is made when they first come."""

    def authenticate(self, request, username=None, password=None, **more):
        if password != PASSWORD or entry(username) is None:
            return None
        return User.objects.get_or_create(username=username)[0]


class Validator(OAuth2Validator):
    oidc_claim_scope = OAuth2Validator.oidc_claim_scope | {"groups": "profile"}

    def get_additional_claims(self, request):
        return {name: value for name, value in entry(request.user.username).items() if name != "thin"}

    def get_id_token_dictionary(self, token, token_handler, request):
        """Its clock is the portal's, on whatever day the run lives."""
        claims, expires = super().get_id_token_dictionary(token, token_handler, request)
        return claims | {name: claims[name] + AHEAD_S for name in ("exp", "auth_time")}, expires

    def finalize_id_token(self, id_token, token, token_handler, request):
        return super().finalize_id_token(id_token | {"iat": id_token["iat"] + AHEAD_S}, token, token_handler, request)

    def get_oidc_claims(self, token, token_handler, request):
        claims = super().get_oidc_claims(token, token_handler, request)
        for_userinfo = token_handler is None
        return {"sub": claims["sub"]} if entry(request.user.username).get("thin") and not for_userinfo else claims
