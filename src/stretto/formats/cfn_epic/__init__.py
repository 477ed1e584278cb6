"""Epics of the CFN loop, in the dialects that people really have."""

from stretto.formats.cfn_epic import reader, status
from stretto.formats.cfn_epic.outline import NAME, recognises
from stretto.formats.format import Format

FORMAT = Format(
    name=NAME,
    about="CFN epic",
    recognises=recognises,
    read=reader.read,
    write_statuses=status.write_statuses,
)
