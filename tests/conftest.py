from __future__ import annotations

from hypothesis import HealthCheck, settings

# Shared machines stall now and then: how long an example takes says nothing about the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
