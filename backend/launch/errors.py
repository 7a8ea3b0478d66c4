"""Errors that stop a start; each message is one clear line for the operator."""

import errno


class LaunchError(Exception):
    """The start cannot continue; the message says why and what to do."""


def explain(error: OSError) -> LaunchError:
    """Return an operating system error as a message for the operator."""
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return LaunchError(f"The disk is full{where}. Free some space and start again; work done so far is kept.")
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return LaunchError(f"Permission denied{where}. Choose another DATA_DIR or change its owner.")
    return LaunchError(f"The operating system reported an error{where}: {error.strerror or error}.")
