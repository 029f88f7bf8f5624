"""The results of the gates over the extracts and over all months, each judged once for its frames as they are.

Every report of a month tells them, and a sync writes several. They are kept in `frames/kept/gates.parquet`, which
may be deleted at any time.
"""

from dataclasses import dataclass

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.store.frames import FrameStore, to_frame, to_rows, write_frame
from fcb_pipelines.core.digests import digest_of_json
from fcb_pipelines.core.proof.gate import Gate, GateResult
from fcb_pipelines.defs.gates.inputs import OVER_ALL, frames_of, gate_results
from fcb_pipelines.defs.runtime.code import code_digest
from fcb_pipelines.defs.runtime.month import Month
from fcb_pipelines.defs.runtime.partitions import today

_KEPT = ("kept", "gates")
_CODE = "code"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptResult:
    """The result of one gate, and what tells the frames and rules that it was judged by from any others."""

    gate: str
    judged_by: str
    result: GateResult


def over_all(frames: FrameStore, *, keep: bool = False) -> tuple[GateResult, ...]:
    """The results of the gates over the extracts and over all months; with `keep` new ones are kept.

    A gate without all its frames is left out.
    """
    kept = frames.read(_KEPT)
    # Other code may have kept them in another form.
    if kept is None or kept.attrs.get(_CODE) != code_digest():
        kept = to_frame((), KeptResult)
    known = {one.gate: one for one in to_rows(kept, KeptResult)}
    now = {gate.name: _judged_by(frames, gate) for gate in OVER_ALL}
    found = {name: one for name, one in known.items() if one.judged_by == now.get(name)}
    lacking = [gate for gate in OVER_ALL if gate.name not in found]
    if lacking:
        keys = {name: one.key for name, one in frames_of(lacking).items() if one.key is not None}
        read = {name: frames.read(key.path) for name, key in keys.items()}
        there = {name: frame for name, frame in read.items() if frame is not None}
        for result in gate_results(lacking, Month("", there)):
            name = result.gate
            found[name] = KeptResult(gate=name, judged_by=now[name], result=result)
        if keep:
            frame = to_frame(found.values(), KeptResult, **{_CODE: code_digest()})
            write_frame(frame, frames.path(_KEPT))
    return tuple(found[gate.name].result for gate in OVER_ALL if gate.name in found)


def _judged_by(frames: FrameStore, gate: Gate) -> str:
    signatures = sorted(
        (name, frames.signature(one.key.path))
        for name, one in frames_of([gate]).items()
        if one.key is not None
    )
    day = today().isoformat() if "today" in gate.inputs else None
    return digest_of_json([signatures, day, current().model_dump_json()])
