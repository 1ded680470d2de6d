"""What holds for every test: none may fail because the machine is slow."""

from hypothesis import settings

settings.register_profile("fingerpost", deadline=None)
settings.load_profile("fingerpost")
