"""The rows of mined cues: which sections of `mine_cues` are wanted, and whose maps each is mined from."""

from __future__ import annotations

from collections.abc import Iterable

from wsss_core.rows.kinds import Rows
from wsss_core.rows.wiring import Wiring


def is_wanted(cue: str, wiring: Wiring) -> bool:
    """All are but those of DCSP where it is not asked for, and its variants without the ablations."""
    return not cue.startswith("dcsp") or ("dcsp" in wiring.methods and (cue == "dcsp" or wiring.ablations))


def attention_of(cue: str, attentions: Iterable[str], wiring: Wiring) -> str:
    """The attention that a cue is mined from: for DCSP its own network's, else that of its name, else the wiring's."""
    if cue.startswith("dcsp"):
        name = "gmp" if cue == "dcsp_gmp" else "fcan"
    else:
        name = cue if cue in attentions else wiring.attention
    return f"attention/{name}"


def cue_rows(cues: Iterable[str], attentions: Iterable[str], wiring: Wiring) -> Rows:
    """A row per cue."""
    return {cue: {"settings": cue, "attention": attention_of(cue, attentions, wiring)} for cue in cues}
