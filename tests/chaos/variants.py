"""The portal with one thing broken, again and again. A checker that cannot fail proves nothing."""

from tests.chaos import variants_desk, variants_worker
from tests.chaos.variants_kit import VARIANTS, Variant

__all__ = ["VARIANTS", "Variant", "variants_desk", "variants_worker"]
