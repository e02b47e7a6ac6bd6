"""What every test gets: no proxies towards loopback, and properties that are judged by truth, not by the clock."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile("shipmate", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("shipmate")

for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
    os.environ.pop(name, None)
    os.environ.pop(name.lower(), None)
