"""The base of a picture that is drawn from a comparison's table, and the registry."""

from __future__ import annotations

import pandas as pd

from unlearn_core.component import Component, ComponentRegistry
from unlearn_core.views.picture import Picture


class ComparisonPicture(Component):
    """One picture of a comparison. Subclasses set ``name``, ``label`` and ``summary``, and implement ``draw``."""

    @classmethod
    def draw(cls, frame: pd.DataFrame) -> Picture | None:
        """The picture, or None where the table lacks what it needs.

        ``frame``: one row for each model, the original first, with the columns method (name), label, oracle (bool), one for
        each metric by its name (shares from 0 to 1, missing where there is no value), and seconds.
        """
        raise NotImplementedError


registry: ComponentRegistry[ComparisonPicture] = ComponentRegistry("picture", "unlearn_core.views.added")
