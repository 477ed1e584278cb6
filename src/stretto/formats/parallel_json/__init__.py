"""`parallel.json`: achievements of a plan, and the folder that says how far they are."""

from stretto.formats.format import Format
from stretto.formats.parallel_json import achievements, reader

FORMAT = Format(
    name=reader.NAME, about="parallel.json with its folder", recognises=achievements.recognises, read=reader.read
)
"""Without a writer: the format keeps statuses in files beside the plan, for people to write, and never in the plan."""
