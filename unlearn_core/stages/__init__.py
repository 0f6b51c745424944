"""What one unit of work does: train the original, unlearn, measure. No scheduler in here.

``stage`` holds the :class:`~unlearn_core.stages.stage.Stage` and the registry of kinds; each other module that registers one
has a ``plan_…`` function, which makes its stages, and the function that computes them (``@scenario_stage(kind)``).
"""
