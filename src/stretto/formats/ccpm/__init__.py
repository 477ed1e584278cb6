"""ccpm's epics: a folder with `epic.md` and a file for each task."""

from stretto.formats.ccpm import reader, status
from stretto.formats.format import Format

FORMAT = Format(
    name=reader.NAME,
    about="ccpm epic (epic.md, or a task file beside it)",
    recognises=reader.recognises,
    read=reader.read,
    write_files=status.write_files,
    entries=("epic.md", "[0-9]*.md"),
)
