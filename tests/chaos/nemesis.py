"""Does what the schedule says, at its times, and keeps a journal of what was done. One thread; nothing in it waits."""
import heapq
import itertools
import json
import os
import signal
import time
from collections import Counter

from confluent_kafka.admin import ConfigResource, NewPartitions

from chaos import outboxes
from chaos.poison import Poisoner, make
from chaos.schedule import BROKERS, CONSUMERS, POSTGRES, PRODUCERS
from chaos.world import TOPICS

PARTITIONS_MAX = 9
MESSAGE_LIMIT = 3000
TICK_S = 0.1
# What does not apply in its moment is tried again, so long that everything else is over by then.
TRIES = 20
# This one waits for an outbox that was drained: a busy machine has a backlog when everything else is over.
TRIES_FOR_OLD = 3 * TRIES


class Nemesis:
    def __init__(self, world, schedule, journal_file):
        self.world = world
        self.schedule = schedule
        self.done = Counter()       # what happened, by kind and target or way
        self.skipped = Counter()    # what did not apply in its moment
        self.findings = []          # ends that nobody asked for, bad exit codes
        self.must_be_stored = {}    # identity -> outboxes.Row: what lay in outboxes at a kill
        self.ends = {name: [] for name in PRODUCERS}     # monotonic times at which its process was ended
        self.troubles = {name: [] for name in PRODUCERS} # (from, to): stopped, or its disk full
        self._journal = journal_file.open("w")
        self._agenda = []
        self._numbers = itertools.count()
        self._copies = itertools.count()
        self._tries = Counter()     # of a fault that did not apply
        self._began = time.monotonic()
        self._poisoner = Poisoner(world.kafka.servers)
        self._down = {}             # name -> when it may start again (monotonic); also servers
        self._stopped = {}          # name -> since (monotonic)
        self._filled = {}           # disk -> since
        self._changes = []          # futures of the admin client
        self._broken_links = {}     # link -> [(fault, what the proxy was told)]; the last one holds

    # --- running

    def run(self, duration_s, on_progress=None):
        self._began = time.monotonic()
        for fault in self.schedule:
            self._at(fault.at, getattr(self, f"_begin_{fault.kind}"), fault)
        next_word = 10.0
        while (now := self._elapsed()) < duration_s or self._agenda:
            while self._agenda and self._agenda[0][0] <= now:
                _, _, action, words = heapq.heappop(self._agenda)
                action(*words)
            self._watch()
            if on_progress is not None and now >= next_word:
                on_progress(now, self)
                next_word += 10.0
            wait = min(TICK_S, self._agenda[0][0] - self._elapsed() if self._agenda else TICK_S)
            if wait > 0:
                time.sleep(wait)

    def _elapsed(self):
        return time.monotonic() - self._began

    def _at(self, at, action, *words):
        heapq.heappush(self._agenda, (at, next(self._numbers), action, words))

    def _later(self, seconds, action, *words):
        self._at(self._elapsed() + seconds, action, *words)

    def _note(self, what, target="", **more):
        line = {"at": round(self._elapsed(), 3), "what": what, "target": target, **more}
        self._journal.write(json.dumps(line) + "\n")
        self._journal.flush()

    def _did(self, fault, way="", **more):
        self.done[f"{fault.kind} {way or fault.target}".strip()] += 1
        self._note(fault.kind, fault.target, lasts=fault.lasts, **more)

    def _skip(self, fault, why):
        self.skipped[fault.kind] += 1
        self._note(f"{fault.kind} skipped", fault.target, why=why)

    def _put_off(self, fault, why):
        self._tries[fault] += 1
        if self._tries[fault] > TRIES:
            self._skip(fault, why)
        else:
            self._later(1.0, getattr(self, f"_begin_{fault.kind}"), fault)

    def total(self, kind):
        return sum(count for name, count in self.done.items() if name.split(" ")[0] == kind)

    # --- what runs, and what should

    def _watch(self):
        """Start what is due; look for ends that nobody asked for. A full disk may end a server."""
        now = time.monotonic()
        self._poisoner.poll()
        for name, since in list(self._down.items()):
            if now >= since:
                del self._down[name]
                self._start(name)
        for member in self.world.members.values():
            if member.is_wanted and not member.is_running():
                self._lost(member)
        for name in BROKERS:
            if name not in self._down and not self.world.broker(name).process.is_running():
                self._note("ended by itself", name)
                self.done["ended by itself broker"] += 1
                self._down[name] = now + 1.0
        if POSTGRES not in self._down and not self.world.postgres.process.is_running():
            self._note("ended by itself", POSTGRES)
            self.done["ended by itself postgres"] += 1
            self._down[POSTGRES] = now + 1.0

    def _lost(self, member):
        code = member.process.returncode
        self.findings.append(f"{member.name} ended by itself with {code}: "
                             f"{' | '.join(member.process.output()[-2000:].splitlines()[-3:])}")
        self._note("ended by itself", member.name, code=code)
        member.is_wanted = False
        if member.name in PRODUCERS:
            self.note_end(member)
        self._down[member.name] = time.monotonic() + 1.0

    def _start(self, name):
        if name == POSTGRES:
            self.world.postgres.launch()
        elif name in BROKERS:
            self.world.broker(name).start()
        else:
            self.world.members[name].start()

    def _is_up(self, name):
        if name == POSTGRES:
            return self.world.postgres.process.is_running()
        if name in BROKERS:
            return self.world.broker(name).process.is_running()
        return self.world.members[name].is_running()

    def _kill(self, name):
        """kill -9, and for a producer a look at what waited. PostgreSQL's children must run to notice their end."""
        self._thawed(name)
        if name == POSTGRES:
            try:
                os.kill(self.world.postgres.process.pid, signal.SIGKILL)
                self.world.postgres.process.wait()
            except ProcessLookupError:
                pass
            return
        if name in BROKERS:
            self.world.broker(name).kill()
            return
        self.world.members[name].kill()
        if name in PRODUCERS:
            self.note_end(self.world.members[name])

    def note_end(self, member):
        """The producer is dead: what lay in its outbox must come into the store. Nothing here damages a file, so what
        was set aside must have come as well."""
        self.ends[member.name].append(time.monotonic())
        copied = outboxes.copy(member.data_dir, self.world.folder / f"copy-{member.name}")
        rows = outboxes.read(copied)
        aside, unreadable = outboxes.read_set_aside(copied)
        self.must_be_stored |= aside | rows
        self.findings += [f"{member.name} set aside {name}, which can't be read" for name in unreadable]
        self._note("outbox", member.name, rows=len(rows), files=sorted({row.file for row in rows.values()}),
                   **({"set_aside": len(aside)} if aside or unreadable else {}))
        return rows

    # --- faults

    def _begin_kill(self, fault):
        if fault.target in self._down or not self._is_up(fault.target):
            self._put_off(fault, "it is down")
            return
        self._kill(fault.target)
        self._did(fault)
        self._down[fault.target] = time.monotonic() + fault.lasts

    def _begin_restart_all(self, fault):
        names = (*PRODUCERS, *CONSUMERS, *BROKERS, POSTGRES)
        for name in names:
            if name not in self._down and self._is_up(name):
                self._kill(name)
                self.done[f"kill {name}"] += 1
            self._down[name] = max(self._down.get(name, 0), time.monotonic() + fault.lasts)
        self._did(fault, "at once")

    def _begin_stop(self, fault):
        name = fault.target
        if name in self._down or name in self._stopped or not self._is_up(name):
            self._put_off(fault, "it is down or stopped")
            return
        if name == POSTGRES:
            self.world.postgres.freeze()
        elif name in BROKERS:
            self.world.broker(name).freeze()
        else:
            self.world.members[name].freeze()
        self._stopped[name] = time.monotonic()
        self._did(fault)
        self._later(fault.lasts, self._thawed, name)

    def _thawed(self, name):
        """It goes on; also right before it is killed."""
        since = self._stopped.pop(name, None)
        if since is None:
            return
        if name == POSTGRES:
            self.world.postgres.thaw()
        elif name in BROKERS:
            self.world.broker(name).thaw()
        else:
            self.world.members[name].thaw()
        if name in PRODUCERS:
            self.troubles[name].append((since, time.monotonic()))
        self._note("thaw", name)

    def _begin_cut(self, fault):
        self._break(fault, {"mode": fault.get("mode")}, fault.get("mode"))

    def _begin_slow(self, fault):
        self._break(fault, {"mode": "slow", "latency_ms": fault.get("latency_ms"), "rate": fault.get("rate")}, "link")

    def _break(self, fault, words, way):
        self.world.proxy.tell(fault.target, **words)
        self._broken_links.setdefault(fault.target, []).append((fault, words))
        self._did(fault, way, **words)
        self._later(fault.lasts, self._mend, fault)

    def _mend(self, fault):
        """What else is wrong with the link holds again."""
        left = [one for one in self._broken_links[fault.target] if one[0] is not fault]
        self._broken_links[fault.target] = left
        words = left[-1][1] if left else {"mode": "open"}
        self.world.proxy.tell(fault.target, **words)
        self._note("mended", fault.target, **words)

    def _begin_outbox_full(self, fault):
        self._fill(fault, fault.target)

    def _begin_postgres_full(self, fault):
        self._fill(fault, POSTGRES)

    def _fill(self, fault, disk):
        if disk not in self.world.disks:
            self._skip(fault, "no disk of its own")
            return
        if disk in self._filled:
            self._put_off(fault, "full already")
            return
        self.world.disks[disk].fill()
        self._filled[disk] = time.monotonic()
        self._did(fault)
        self._later(fault.lasts, self._freed, disk)

    def _freed(self, disk):
        since = self._filled.pop(disk)
        self.world.disks[disk].free()
        if disk in PRODUCERS:
            self.troubles[disk].append((since, time.monotonic()))
        self._note("disk free", disk)

    def _begin_clock(self, fault):
        member = self.world.members[fault.target]
        member.set_clock(fault.get("seconds"))
        self._did(fault, "forward" if fault.get("seconds") > 0 else "back")
        self._later(fault.lasts, member.set_clock, 0)

    def _begin_rebalance(self, fault):
        member = self.world.members[fault.target]
        if fault.target in CONSUMERS:
            if not member.is_running() or fault.target in self._stopped:
                self._put_off(fault, "it is down or stopped")
                return
            member.ask_to_end()
            self._did(fault, "leave")
            self._later(fault.lasts, self._back, member)
        else:
            if member.is_running() or fault.target in self._down:
                self._put_off(fault, "it is here")
                return
            member.start()
            self._did(fault, "join")
            self._later(fault.lasts, self._away, member)

    def _away(self, member):
        if member.is_running():
            member.ask_to_end()
        self._later(8.0, self._ended_well, member, time.monotonic())

    def _ended_well(self, member, _since):
        """A consumer that was asked to end has done so."""
        if member.is_wanted:
            return
        if member.is_running():
            self._note("slow to end", member.name)
            member.kill()
            self.done["killed because slow to end"] += 1
        elif not member.ended_well():
            self.findings.append(f"{member.name} answered SIGTERM with {member.process.returncode}")

    def _back(self, member):
        if member.is_wanted or member.name in self._down:
            return
        self._ended_well(member, 0)
        self._down[member.name] = time.monotonic()

    def _begin_partitions(self, fault):
        topic = TOPICS[fault.target]
        try:
            known = self.world.kafka.admin().list_topics(topic, timeout=1).topics[topic].partitions
        except Exception as failure:  # no broker answers just now
            self._put_off(fault, str(failure)[:100])
            return
        if not 0 < len(known) < PARTITIONS_MAX:
            self._put_off(fault, "there are enough")
            return
        self._changes += self.world.kafka.admin().create_partitions([NewPartitions(topic, len(known) + 1)]).values()
        self._did(fault, total=len(known) + 1)

    def _begin_topic_limit(self, fault):
        self._limit(MESSAGE_LIMIT)
        self._did(fault)
        self._later(fault.lasts, self._limit, 1 << 20)

    def _limit(self, size):
        resource = ConfigResource(ConfigResource.Type.TOPIC, TOPICS["success"],
                                  set_config={"max.message.bytes": str(size)})
        self._changes += self.world.kafka.admin().alter_configs([resource], request_timeout=10).values()

    def _begin_poison(self, fault):
        self._poisoner.write(TOPICS[fault.target],
                             make(fault.get("seed"), fault.get("count"), list(self.must_be_stored)))
        self._did(fault, "batch")

    # --- the outbox of a while ago

    def _begin_outbox_old(self, fault):
        """Kill it, keep its outbox; later put that back, if nothing newer waits by then."""
        name = fault.target
        if name in self._down or not self._is_up(name) or name in self._filled:
            self._put_off(fault, "it is down, or its disk full")
            return
        self._kill(name)
        self.done[f"kill {name}"] += 1
        old = outboxes.copy(self.world.members[name].data_dir, self.world.folder / f"old-{next(self._copies)}")
        self._down[name] = time.monotonic()
        self._later(fault.lasts, self._end_for_old, fault, old, TRIES_FOR_OLD)

    def _end_for_old(self, fault, old, tries):
        """In good order, so that little waits."""
        member = self.world.members[fault.target]
        if not member.is_running() or fault.target in self._stopped or fault.target in self._filled:
            self._again_for_old(fault, old, tries, "it is down, stopped, or its disk full")
            return
        member.ask_to_end()
        self._later(0.1, self._put_back, fault, old, tries, time.monotonic() + 10)

    def _again_for_old(self, fault, old, tries, why):
        if tries > 0:
            self._later(1.0, self._end_for_old, fault, old, tries - 1)
        else:
            self._skip(fault, why)

    def _put_back(self, fault, old, tries, until):
        name = fault.target
        member = self.world.members[name]
        if member.is_wanted or name in self._down:
            self._again_for_old(fault, old, tries, "started meanwhile")
            return
        if member.is_running():
            if time.monotonic() < until:
                self._later(0.1, self._put_back, fault, old, tries, until)
                return
            self._kill(name)
        waiting = self.note_end(member)
        was_waiting = outboxes.read(outboxes.copy(old, self.world.folder / "look"))
        self._down[name] = time.monotonic()
        if waiting.keys() <= was_waiting.keys():
            outboxes.put_back(old, member.data_dir)
            self._did(fault, rows=len(was_waiting))
        else:
            self._again_for_old(fault, old, tries, "newer rows wait")

    # --- afterwards

    def heal(self):
        """Nothing is broken any more, and everything runs again."""
        self._agenda.clear()
        for disk in list(self._filled):
            self._freed(disk)
        for name in list(self._stopped):
            self._thawed(name)
        for link in self._broken_links:
            self.world.proxy.tell(link, mode="open")
        for member in self.world.members.values():
            member.set_clock(0)
        for name in (*PRODUCERS, *CONSUMERS):
            member = self.world.members[name]
            if not member.is_wanted and name not in self._down:
                self._down[name] = time.monotonic()
        self._limit(1 << 20)
        late = time.monotonic() + 60
        while self._down and time.monotonic() < late:
            self._watch()
            time.sleep(TICK_S)
        self._note("healed")

    def keep_servers_up(self):
        """While draining: a broker that lost its port to somebody starts again."""
        self._watch()

    def poison_left(self, timeout):
        return self._poisoner.finish(timeout)

    @property
    def poison(self):
        return self._poisoner.lie_at

    @property
    def written_poison(self):
        """All of it, wherever it lies."""
        return self._poisoner.written

    def close(self):
        self._journal.close()
