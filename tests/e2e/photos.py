"""Photos of records in the end-to-end tests."""

import hashlib
import random

from world import WANG


def photo_of(size, seed=1):
    return random.Random(seed).randbytes(size)


def blob(program, content):
    """Where a program keeps a file."""
    name = hashlib.sha256(content).hexdigest()
    return program.folder / "blobs" / name[:2] / name


def lies_at(agent, content):
    """The same on a device, where the files of drafts are locked."""
    path = blob(agent, content)
    return path if path.exists() else agent.folder / "locked" / path.parent.name / path.name


def put_photo(agent, visit, content, name="p-photo"):
    """A file on the device's disk, and the visit that names it."""
    path = blob(agent, content)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o600)
    value = {"id": name, "file_name": "a.jpg", "mime": "image/jpeg", "by": WANG, "size": len(content),
             "sha256": hashlib.sha256(content).hexdigest()}
    agent.edit(visit, WANG, [{"do": "add", "field": "attachments", "value": value}])


def has_photo(program, content):
    path = blob(program, content)
    return path.exists() and path.read_bytes() == content
