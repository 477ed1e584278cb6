"""Auto-Claude's `implementation_plan.json`."""

from stretto.formats.auto_claude import reader, status
from stretto.formats.format import Format

FORMAT = Format(
    name=reader.NAME,
    about="Auto-Claude implementation_plan.json",
    recognises=reader.recognises,
    read=reader.read,
    write_statuses=status.write_statuses,
)
