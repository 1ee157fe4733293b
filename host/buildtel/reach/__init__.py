"""Machines reached by SSH: the agent put there, watched, its spool fetched. The only room that knows paramiko.

Nothing but exec channels and the plain commands of POSIX is used there, so OpenSSH without SFTP and dropbear do.
"""

from buildtel.reach.address import Address, parse_address
from buildtel.reach.auth import Secrets
from buildtel.reach.follow import Follower, Line, Narrator
from buildtel.reach.guest import Guest
from buildtel.reach.link import Link
from buildtel.reach.target import Options

__all__ = [
    "Address", "Follower", "Guest", "Line", "Link", "Narrator", "Options", "Secrets", "parse_address",
]  # fmt: skip
