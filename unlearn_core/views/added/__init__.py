"""Pictures of a comparison that plug-ins add; the page Compare shows them in a tab of their own."""

from unlearn_core.views.added.base import ComparisonPicture, registry

register = registry.register

__all__ = ["ComparisonPicture", "register", "registry"]
