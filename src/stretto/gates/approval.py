"""The approval gate: only a person can say."""

from __future__ import annotations

from stretto.model.run import Remark
from stretto.ports import GateCall, Processes, Verdict


class ApprovalGate:
    """Always `ask`, with what the person is to look at."""

    async def judge(self, call: GateCall, processes: Processes) -> Verdict:
        look = call.check.instructions or (call.task.title or call.task.id if call.task else "the landing")
        return Verdict(color="ask", remarks=(Remark(check="approval", message=look),))
