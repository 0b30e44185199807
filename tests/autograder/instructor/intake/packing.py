"""Archives made for tests: by hand, so that they can say what no packer would."""

import io
import stat
import tarfile
import zipfile

import pytest


def packed(*members, comment=b""):
    """Pack (name, data) or (ZipInfo, data)."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = comment
        for name, content in members:
            archive.writestr(name, content)
    return data.getvalue()


def tarred(*members, pack=None):
    """Pack (name, data) or (TarInfo, data) into a tar, and that with `pack`."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for name, content in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(content) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(content))
    return pack(data.getvalue()) if pack else data.getvalue()


def sevened(*members, **options):
    """Pack (name, data) into a 7z."""
    py7zr = pytest.importorskip("py7zr")
    data = io.BytesIO()
    with py7zr.SevenZipFile(data, "w", **options) as archive:
        for name, content in members:
            archive.writef(io.BytesIO(content), name)
    return data.getvalue()


def special(name, kind, compression=zipfile.ZIP_DEFLATED):
    """Name a member as a link, a device or another kind that Unix knows."""
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr, info.compress_type = 3, (kind | 0o777) << 16, compression
    return info


def link(name):
    return special(name, stat.S_IFLNK)


def patched(data, old, new):
    """Change bytes of the same length everywhere."""
    assert len(old) == len(new)
    assert old in data
    return data.replace(old, new)


def lying_about_size(name, content, said):
    """Pack one member and write another size into both of its headers."""
    data = bytearray(packed((name, content)))
    local, central = data.find(b"PK\x03\x04"), data.find(b"PK\x01\x02")
    data[local + 22 : local + 26] = data[central + 24 : central + 28] = said.to_bytes(4, "little")
    return bytes(data)


def locked(name, content):
    """Pack one member and say that it needs a password."""
    data = bytearray(packed((name, content)))
    data[data.find(b"PK\x03\x04") + 6] |= 1
    data[data.find(b"PK\x01\x02") + 8] |= 1
    return bytes(data)
