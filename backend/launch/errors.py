"""What can stop a start; each message is one clear line for the person at the terminal."""

import errno


class LaunchError(Exception):
    """The start cannot go on; the text says why and what to do."""


def explain(error: OSError) -> LaunchError:
    """An operating system's error in the words of the person who sees it."""
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return LaunchError(f"The disk is full{where}. Free some space and start again; nothing done so far is lost.")
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return LaunchError(f"No permission to write{where}. Choose another DATA_DIR or change its owner.")
    return LaunchError(f"The system refused a step{where}: {error.strerror or error}.")
