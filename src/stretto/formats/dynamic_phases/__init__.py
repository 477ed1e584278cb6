"""Dynamic phase plans: JSON of an app builder, a numbered phase for each part of an app."""

from stretto.formats.dynamic_phases import reader, shape, status
from stretto.formats.format import Format

FORMAT = Format(
    name=reader.NAME,
    about="dynamic phase plans",
    recognises=shape.recognises,
    read=reader.read,
    write_statuses=status.write_statuses,
)
