"""REM: redirect the corruption into dedicated channels, then drop them (Schoepf et al. 2025, arXiv:2505.17730)."""

from __future__ import annotations

from unlearn_core.methods import Region, register
from unlearn_core.methods.redirection.loop import Redirection, RedirectionMethod
from unlearn_core.methods.redirection.params import RemParams


@register
class Rem(RedirectionMethod[RemParams]):
    """The paper's values are those of its experiments on CIFAR-10 and of its public program. Even with them some things differ
    from that program: redirect channels are freshly initialised at unlearning time, where there they went through training
    masked, with decayed weights and measured statistics; the forget set's mask has exactly its share of every layer's channels,
    where there each is drawn; redirect weights rest during a flush, where there momentum and decay go on moving them; and the
    proxy looks at up to 2,048 retained examples, where there it looks at all. The values for transformers are not carried over.
    """

    name, label, paper = "rem", "REM", "arXiv:2505.17730"
    summary = (
        "Adds redirect channels, pushes the discovered corruption out of the base and into them, and lets every other example "
        "relearn with a small random share of them, so that what only it needs goes there too. Then the channels are dropped, "
        "and with them much of the corruption that nobody had discovered. A run that loses a whole class on the way is "
        "repeated once with a softer flush, and the one that keeps more of the rest is returned."
    )
    designed_for = Region()
    revision = 5  # giving up what was known by heart is not a fall
    redirection = Redirection
