"""What can go wrong on one machine, each with what to do about it."""


class LocalError(Exception):
    """A server of this machine cannot be prepared, started or reached; the text says why and what to do."""


class DownloadFailed(LocalError):
    """A pinned file could not be fetched, or what came does not have the pinned checksum."""


class DataFolderInUse(LocalError):
    """Another live server works in this data folder."""


class PortTaken(LocalError):
    """A port that must be kept is held by another program."""


class NotReady(LocalError):
    """A server did not answer as ours within the time given, or died while starting."""
