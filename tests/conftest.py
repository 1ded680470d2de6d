"""What holds for every test: none may fail because the machine is slow."""

from hypothesis import settings

settings.register_profile("fingerpost", deadline=None)
settings.register_profile("same", settings.get_profile("fingerpost"), derandomize=True)  # the same examples each time
settings.load_profile("fingerpost")
