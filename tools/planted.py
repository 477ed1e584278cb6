"""The bugs that `mutations.py` plants in the core: where each stands, what it replaces and with what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """In `file`, `old` is replaced by `new`; `old` occurs there exactly once."""

    name: str
    file: str
    old: str
    new: str


MUTATIONS = (
    Mutation(
        "a finished attempt does not speak for its agent",
        "core/breaker.py",
        "    state.streaks.pop(record.agent, None)\n",
        "",
    ),
    Mutation(
        "an agent goes on with the session of another one",
        "core/coordinator.py",
        "        resumes = record.resumes if agent == record.agent else None\n",
        "        resumes = record.resumes\n",
    ),
    Mutation(
        "a conflict goes on in its old session",
        "core/retry.py",
        '"conflict": Rule("conflicts", "again", carry=True',
        '"conflict": Rule("conflicts", "again", carry=True, resume=True',
    ),
    Mutation(
        "a phase without tasks hands nothing on",
        "core/handoff.py",
        "            joins += [node for node in needs if node not in joins]\n",
        "            pass\n",
    ),
    Mutation(
        "what came to nothing is told as if it were there",
        "core/handoff.py",
        '    if record.state != "succeeded":\n',
        "    if False:\n",
    ),
    Mutation(
        "two tries of one task count twice against its agent",
        "core/breaker.py",
        "    if record.id not in streak:\n",
        "    if True:\n",
    ),
    Mutation(
        "a barred task still reserves its paths",
        "core/steps.py",
        "            self.admission.forget_barred(state)\n",
        "",
    ),
    Mutation(
        "an agent that is let in again finds its tasks asleep",
        "core/steps.py",
        "        self.state.streaks, self.state.out = {}, {}\n        self.admission.try_again(AGENT)\n",
        "        self.state.streaks, self.state.out = {}, {}\n",
    ),
    Mutation(
        "an empty phase is done at once",
        "core/readiness.py",
        "        unmet=[len(graph.needs[i]) + len(graph.after[i]) for i in range(size)],\n",
        "        unmet=[len([x for x in graph.needs[i] if not (graph.is_join(i) and graph.is_join(x))])"
        " + len(graph.after[i]) for i in range(size)],\n",
    ),
    Mutation(
        "a claim is kept while waiting for a timer",
        "core/steps.py",
        'record.wait = "timer"\n        self.drop_claims(record)\n',
        'record.wait = "timer"\n',
    ),
    Mutation(
        "jitter is random",
        "core/retry.py",
        "spread = 1 + int.from_bytes(digest[:4]) / 2**32 / 4",
        'spread = 1 + __import__("random").random() / 4',
    ),
    Mutation(
        "a token is not passed on",
        "core/admission.py",
        "            if token is not None:\n                self.wake(state, token)\n",
        "",
    ),
    Mutation(
        "a cancelled task takes its token along",
        "core/admission.py",
        "            index = rank[2]\n            if self.version.get(index) == version:\n",
        "            index = rank[2]\n            if self.version.get(index) != version:\n"
        "                continue\n            if self.version.get(index) == version:\n",
    ),
    Mutation(
        "no wake when the first in a queue was cancelled",
        "core/admission.py",
        "                self._push(rank[2], rank, key)\n                break\n",
        "                self._push(rank[2], rank, key)\n            break\n",
    ),
    Mutation(
        "a decision against a batch on its way is not deferred",
        "core/steps.py",
        "merge_queue.in_batch(state.lane, record.id):\n            record.doom = doom\n",
        "merge_queue.in_batch(state.lane, record.id):\n            self.decide(record, doom)\n",
    ),
    Mutation(
        "results of older attempts are accepted",
        "core/coordinator.py",
        "if record is not None and record.attempt == attempt and record.state == state else None",
        "if record is not None and record.state == state else None",
    ),
    Mutation(
        "quota does not pause the run",
        "core/retry.py",
        '"quota": Rule("free", "pause", carry',
        '"quota": Rule("free", "again", carry',
    ),
    Mutation(
        "claims are dropped when a gate re-opens the task",
        "core/retry.py",
        '"gate": Rule("charged", "again", carry=True, resume=True, keep_claims=True)',
        '"gate": Rule("charged", "again", carry=True, resume=True)',
    ),
    Mutation(
        "an optional failure breaks its phase",
        "core/readiness.py",
        "if met or (optional and join and node == start):",
        "if met:",
    ),
    Mutation(
        "a decision is forgotten when the batch comes back",
        "core/coordinator.py",
        "            if record.doom is not None:\n                self.steps.decide(record, record.doom)\n"
        "            else:\n                rest.append(record.index)\n",
        "            record.doom = None\n            rest.append(record.index)\n",
    ),
    Mutation(
        "an attempt is charged when its engine died",
        "core/coordinator.py",
        '            self._interrupted(record, event.commit, Failure(kind="lost", message="lost with its engine"))\n',
        '            self._ended(record, Usage())\n            self.steps.fail(record, Failure(kind="lost"))\n',
    ),
    Mutation(
        "a denied grant keeps its place",
        "core/coordinator.py",
        "            return\n        self.steps.give_place(record)\n        self.steps.drop_claims(record)\n"
        "        record.reason = event.reason",
        "            return\n        record.asking = False\n        self.steps.drop_claims(record)\n"
        "        record.reason = event.reason",
    ),
    Mutation(
        "a denied grant keeps its claims",
        "core/coordinator.py",
        "        self.steps.drop_claims(record)\n        record.reason = event.reason",
        "        record.reason = event.reason",
    ),
    Mutation(
        "approved work lands without its claims",
        "core/coordinator.py",
        "            if admission.is_free(state, record):\n",
        "            if True:\n",
    ),
    Mutation(
        "a drain starts what was granted late",
        "core/coordinator.py",
        "        if self.state.drain is not None or breaker.barred(self.state, record):\n",
        "        if breaker.barred(self.state, record):\n",
    ),
    Mutation(
        "priority is ignored",
        "core/start.py",
        "rank=(task.priority, -rank_s, index)",
        "rank=(3, -rank_s, index)",
    ),
    Mutation(
        "what earlier runs have shown is not heeded",
        "core/start.py",
        "expected(task, settings.estimate_s, event.expected_s)",
        "expected(task, settings.estimate_s, {})",
    ),
    Mutation(
        "what was learned goes before the estimate of the plan",
        "core/start.py",
        "expected(task, settings.estimate_s, event.expected_s)",
        "event.expected_s.get(task.id, expected(task, settings.estimate_s, {}))",
    ),
    Mutation(
        "attempts start from the run's base",
        "core/coordinator.py",
        "record.base, record.commit, record.paths, record.drift = self.state.lane.head",
        "record.base, record.commit, record.paths, record.drift = self.state.base",
    ),
    Mutation(
        "an interrupted landing goes to the end of the queue",
        "core/coordinator.py",
        "self.state.lanes[lane].queue[:0] = rest",
        "self.state.lanes[lane].queue.extend(rest)",
    ),
    Mutation(
        "claims are indexed as they are spelled",
        "core/claims.py",
        "    return parse(pattern).text\n",
        "    return pattern.casefold()\n",
    ),
    Mutation(
        "a starving task never reserves",
        "core/admission.py",
        "OVERTAKEN = 4\n",
        "OVERTAKEN = 400\n",
    ),
    Mutation(
        "conflicts are charged",
        "core/retry.py",
        '"conflict": Rule("conflicts",',
        '"conflict": Rule("charged",',
    ),
    Mutation(
        "`after` waits for success",
        "core/readiness.py",
        "            for other in self.after_dependents[node]:\n",
        "            for other in self.after_dependents[node] if met else ():\n",
    ),
    Mutation(
        "gates are not owed after a crash",
        "core/recovery.py",
        'elif record.state == "gating":',
        "elif False:",
    ),
    Mutation(
        "a full phase wakes nobody",
        "core/admission.py",
        "        if record.task.phase in self.limits:\n",
        "        if False:\n",
    ),
    Mutation(
        "the run ends with a batch on its way",
        "core/ending.py",
        "    if any(lane.batch is not None for lane in state.lanes.values()):\n        return None\n",
        "",
    ),
    Mutation(
        "a critical failure lets ready tasks start",
        "core/steps.py",
        "            self._skip_idle(state.tasks, state.critical)\n",
        "",
    ),
    Mutation(
        "what ended with its engine starts again behind a critical failure",
        "core/steps.py",
        "        elif halt := self.halted(record):\n"
        '            self.final(record, "skipped", f"{halt} (its own attempt: {doom.',
        '        elif halt := str():\n            self.final(record, "skipped", f"{halt} (its own attempt: {doom.',
    ),
    Mutation(
        "a left-over timer counts",
        "core/coordinator.py",
        "        if self.state.at < due:",
        "        if False:",
    ),
    Mutation(
        "a landing that cannot be done is tried for ever",
        "core/coordinator.py",
        "state.drain or drain, lands=False)",
        "state.drain or drain, lands=True)",
    ),
    Mutation(
        "drift is not held",
        "core/steps.py",
        "        claims.hold(record.index, drift)\n",
        "",
    ),
    Mutation(
        "a grant that comes too late is not given back",
        "core/coordinator.py",
        "                self.steps.emit(ReleaseGrant(task=event.task, attempt=event.attempt))\n",
        "                pass\n",
    ),
    Mutation(
        "backoff has no cap",
        "core/retry.py",
        "backoff = min(BACKOFF_CAP_S, BACKOFF_FIRST_S * 2.0 ** min(count - 1, 16) * spread)",
        "backoff = BACKOFF_FIRST_S * 2.0 ** min(count - 1, 16) * spread",
    ),
    Mutation(
        "an overloaded agent is tried once too often",
        "core/retry.py",
        "record.overloaded >= LIMITS",
        "record.overloaded > LIMITS",
    ),
    Mutation(
        "a failure while everything is being stopped costs nothing",
        "core/steps.py",
        '        if doom is not None and doom.state != "ready":',
        "        if doom is not None:",
    ),
    Mutation(
        "a retry of several takes only the first",
        "core/requests.py",
        "named = steps.state, frozenset(tasks)",
        "named = steps.state, frozenset(tasks[:1])",
    ),
    Mutation(
        "a retry brings back what a person cancelled",
        "core/requests.py",
        '(not tasks and record.state == "failed")',
        '(not tasks and record.state in ("failed", "cancelled"))',
    ),
    Mutation(
        "a retry forgets the critical failure that stands",
        "core/requests.py",
        '        if record.state == "failed":\n            steps.halt(record)\n',
        "        pass\n",
    ),
    Mutation(
        "a retry leaves the drain of a stopped run",
        "core/requests.py",
        'state.drain.outcome == "failed"',
        'state.drain.outcome == "never"',
    ),
    Mutation(
        "the carried work is forgotten by an interruption",
        "core/coordinator.py",
        "        record.carry = commit or record.carry\n",
        "        record.carry = None\n",
    ),
    Mutation(
        "a question changes the state",
        "core/explain.py",
        "    record = state.by_id.get(task)\n",
        "    record = state.by_id.get(task)\n    coordinator.steps.admission.versions += 1\n",
    ),
    Mutation(
        "nothing is added",
        "core/coordinator.py",
        "            grow(self.steps, record)  # first: its phase is not done before what it adds is\n",
        "",
    ),
    Mutation(
        "what is added is in no phase",
        "core/growth.py",
        "    steps.readiness, change = readiness.build(graph, state.tasks)\n",
        "    closed = steps.readiness.graph\n"
        "    n, new = closed.tasks, len(tasks)\n"
        "    joins = (tuple(x + new if x >= n else x for x in waits) for waits in closed.needs[n:])\n"
        "    needs = (*graph.needs[: n + new], *joins)\n"
        "    graph = replace(graph, needs=needs)\n"
        "    steps.readiness, change = readiness.build(graph, state.tasks)\n",
    ),
    Mutation(
        "what is added makes nobody start earlier",
        "core/growth.py",
        "            steps.admission.risen(record)\n",
        "            pass\n",
    ),
    Mutation(
        "the tasks that a run has added are not counted",
        "core/growth.py",
        "    if earlier + len(tasks) > settings.growth_most:\n",
        "    if len(tasks) > settings.growth_most:\n",
    ),
    Mutation(
        "who waits for itself is added",
        "core/growth.py",
        "    why = _refusal(state, adder, tasks, over) or _circle(graph)\n",
        "    why = _refusal(state, adder, tasks, over)\n",
    ),
    Mutation(
        "with what is added comes back what was gone",
        "core/growth.py",
        "    graph = build(plan, state.gone)\n",
        "    graph = build(plan)\n",
    ),
    Mutation(
        "a task that is gone is waited for",
        "core/replan.py",
        "    graph = build(plan, gone)\n",
        "    graph = build(plan)\n",
    ),
    Mutation(
        "a task that is gone counts at the end",
        "core/ending.py",
        "    short = [record for record in short if record.id not in state.gone]\n",
        "",
    ),
    Mutation(
        "what could start and has to wait by another plan starts",
        "core/replan.py",
        "    return Next(plan, gone, graph, changed - gone, late)\n",
        "    return Next(plan, gone, graph, changed - gone, frozenset())\n",
    ),
    Mutation(
        "another plan takes the claims from what is still at work",
        "core/replan.py",
        "            admission.hold_as(record, former, was[record.id])\n",
        "            admission.hold(state, record)\n",
    ),
    Mutation(
        "what was to make room starts before what a new plan puts in front of it",
        "core/replan.py",
        '    free = record.doom is None or record.doom.state == "ready"',
        "    free = record.doom is None",
    ),
    Mutation(
        "another plan changes what is in flight without force",
        "core/replan.py",
        "    if not change.force:\n",
        "    if False:\n",
    ),
    Mutation(
        "a task that has changed has no new tries",
        "core/replan.py",
        "    if record.id in changed:\n        record.charged",
        "    if False:\n        record.charged",
    ),
)
