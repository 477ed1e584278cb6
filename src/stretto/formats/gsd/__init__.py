"""GSD's phases: folders of `PLAN.md` files, and the roadmap over them."""

from stretto.formats.format import Format
from stretto.formats.gsd import reader, status

FORMAT = Format(
    name=reader.NAME,
    about="GSD phase (a PLAN.md, or ROADMAP.md for all phases)",
    recognises=reader.recognises,
    read=reader.read,
    write_files=status.write_files,
    entries=("ROADMAP.md", "*PLAN.md"),
)
