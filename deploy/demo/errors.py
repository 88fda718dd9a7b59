"""What can keep the year from being played."""


class CouldNotPlay(Exception):
    """The year could not be played to its end; the message says where and what was answered, and holds no secret."""
