"""The issues of beads, as `bd export` writes them."""

from stretto.formats.beads import reader, status
from stretto.formats.format import Format

FORMAT = Format(
    name=reader.NAME,
    about="beads' .beads/issues.jsonl",
    recognises=reader.recognises,
    read=reader.read,
    write_statuses=status.write_statuses,
)
