"""Work on any one input is bounded in count; how long it takes is no test's business."""

from hypothesis import settings

settings.register_profile("fuzz", deadline=None)
settings.load_profile("fuzz")
