"""spec-kit's `tasks.md`."""

from stretto.formats.format import Format
from stretto.formats.spec_kit import reader, status

FORMAT = Format(
    name=reader.NAME,
    about="spec-kit tasks.md",
    recognises=reader.recognises,
    read=reader.read,
    write_statuses=status.write_statuses,
)
