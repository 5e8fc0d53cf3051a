"""How hard Hypothesis looks: a few seconds in `make test`, always the same; as long as it takes in `make soak`."""

import os
from datetime import timedelta

from hypothesis import HealthCheck, settings

_SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]

settings.register_profile(
    "quick", max_examples=15, stateful_step_count=25, derandomize=True, deadline=None, suppress_health_check=_SLOW
)
settings.register_profile(
    "soak", max_examples=2000, stateful_step_count=60, deadline=timedelta(minutes=1), suppress_health_check=_SLOW
)
settings.load_profile("soak" if os.environ.get("MUSD_SOAK") else "quick")
