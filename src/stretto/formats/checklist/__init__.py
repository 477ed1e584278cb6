"""A plain Markdown checklist."""

from stretto.formats.checklist import reader, status
from stretto.formats.format import Format

FORMAT = Format(
    name=reader.NAME,
    about="a Markdown list with check boxes",
    recognises=reader.recognises,
    read=reader.read,
    write_statuses=status.write_statuses,
)
