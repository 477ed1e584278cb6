"""Task Master's `tasks.json`."""

from stretto.formats.format import Format
from stretto.formats.task_master import reader, status

FORMAT = Format(
    name=reader.NAME,
    about="Task Master tasks.json",
    recognises=reader.recognises,
    read=reader.read,
    write_statuses=status.write_statuses,
)
