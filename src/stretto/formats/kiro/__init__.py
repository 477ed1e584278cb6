"""Kiro's `tasks.md`, and that of cc-sdd, which follows it."""

from stretto.formats.format import Format
from stretto.formats.kiro import reader, status

FORMAT = Format(
    name=reader.NAME,
    about="Kiro or cc-sdd tasks.md",
    recognises=reader.recognises,
    read=reader.read,
    write_statuses=status.write_statuses,
)
