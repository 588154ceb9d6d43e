"""Work on any one input is bounded in time, generously: the machine may be busy."""

from hypothesis import settings

settings.register_profile("fuzz", deadline=2_000)
settings.load_profile("fuzz")
