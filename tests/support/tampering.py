"""Whoever may write to the whole database, with a plan: one trail as read, what he changes of it, and what the audit says then.

He can do anything to entries, to the rows that claim a head, to the tables of the anchors; and he knows the code that made them.
What he cannot reach is the log. A draft holds the chains he touched; chains he left alone are judged once.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from random import Random
from typing import Final

from deploy.audit.anchors import Anchor, Rebuilt, Witness, earliest, judged
from deploy.audit.i13_trail_unbroken import Claim, Entry, Leaf, Mark, Sentence, Walk, recomputed, walked


@dataclass(frozen=True)
class Kept:
    """One trail as the database has it, all of it in memory."""

    service: str
    chains: Mapping[str, Sequence[Entry]]
    claims: Mapping[str, Claim]
    marks: Mapping[str, Sequence[Mark]]
    anchors: Sequence[Anchor]
    lowest_offset: int = 0

    @cached_property
    def not_before(self) -> list[dt.datetime]:
        """The earliest times that entries may name."""
        return earliest(self.anchors, self.lowest_offset)

    @cached_property
    def walks(self) -> dict[str, Walk]:
        """Every chain walked as it is."""
        return {
            name: self._walk(name, self.chains[name], self.claims.get(name), self.marks.get(name, ()))
            for name in sorted(self.chains)
        }

    @cached_property
    def leaves(self) -> dict[int, dict[str, Leaf]]:
        """Leaves by anchor and chain, in the order of the chains' names."""
        found: dict[int, dict[str, Leaf]] = {}
        for name, walk in self.walks.items():
            for leaf in walk.leaves:
                found.setdefault(leaf.anchor, {})[name] = leaf
        return found

    @cached_property
    def rebuilt(self) -> dict[int, Rebuilt]:
        """What the untouched trail puts under each anchor."""
        return {anchor: _rebuilt(leaves) for anchor, leaves in self.leaves.items()}

    @cached_property
    def witness(self) -> Witness:
        """What the log holds: every anchor as it was written."""
        return Witness({anchor.n: anchor for anchor in self.anchors})

    @cached_property
    def entries(self) -> list[Entry]:
        """Every entry that an anchor covers."""
        return [e for chain in self.chains.values() for e in chain if not self.young(e)]

    @cached_property
    def young_entries(self) -> list[Entry]:
        """Every entry that no anchor covers yet, of chains that a row stands for."""
        return [e for name, chain in self.chains.items() if name in self.claims for e in chain if self.young(e)]

    def young(self, entry: Entry) -> bool:
        """Return whether no anchor covers an entry yet."""
        marks = self.marks.get(entry.aggregate)
        return not marks or entry.n > marks[-1].n

    def _walk(self, name: str, entries: Sequence[Entry], claim: Claim | None, marks: Sequence[Mark]) -> Walk:
        return walked(self.service, name, entries, claim, marks, self.not_before)

    def walked(self, draft: "Draft", name: str) -> Walk:
        """Walk a chain as a draft leaves it."""
        return self._walk(name, draft.chain(name), draft.claim(name), draft.marked(name))

    def leaves_with(self, touched: Mapping[str, Sequence[Leaf]]) -> dict[int, dict[str, Leaf]]:
        """Return the leaves with those of the touched chains in place of theirs; the mapping of an anchor without any is untouched."""
        leaves = dict(self.leaves)
        changes: dict[int, dict[str, Leaf | None]] = {}
        for name, anew in touched.items():
            for leaf in self.walks[name].leaves if name in self.walks else ():
                changes.setdefault(leaf.anchor, {})[name] = None
            for leaf in anew:
                changes.setdefault(leaf.anchor, {})[name] = leaf
        for anchor, changed in changes.items():
            leaves[anchor] = _with(leaves.get(anchor, {}), changed)
        return {anchor: under for anchor, under in leaves.items() if under}

    def under(self, anchor: int, leaves: Mapping[str, Leaf]) -> Rebuilt:
        """Return what leaves come to under an anchor; computed once for those of the trail as it is."""
        return self.rebuilt[anchor] if leaves is self.leaves.get(anchor) else _rebuilt(leaves)

    def found_in(self, draft: "Draft") -> list[Sentence]:
        """Return what the audit's own functions say of the trail as a draft leaves it."""
        walks = {name: self.walked(draft, name) for name in draft.names()}
        leaves = self.leaves_with({name: walk.leaves for name, walk in walks.items()})
        rebuilt = {n: self.under(n, under) for n, under in leaves.items()}
        wrong = [sentence for walk in walks.values() for sentence in walk.wrong]
        return [*wrong, *judged(self.service, draft.anchors, rebuilt, self.witness)]


def _with(leaves: Mapping[str, Leaf], touched: Mapping[str, Leaf | None]) -> dict[str, Leaf]:
    merged = {**leaves, **touched}
    kept = {name: leaf for name, leaf in merged.items() if leaf is not None}
    return kept if kept.keys() <= leaves.keys() else dict(sorted(kept.items()))


def _rebuilt(leaves: Mapping[str, Leaf]) -> Rebuilt:
    under = Rebuilt()
    for leaf in leaves.values():
        under.tree.add(leaf.leaf)
        under.entries += leaf.entries
    return under


@dataclass
class Draft:
    """What somebody makes of a trail."""

    trail: Kept
    chains: dict[str, list[Entry]] = field(default_factory=dict)
    claims: dict[str, Claim | None] = field(default_factory=dict)
    marks: dict[str, list[Mark]] = field(default_factory=dict)
    anchors: list[Anchor] = field(default_factory=list)
    reach: int = 4

    def __post_init__(self) -> None:
        """Begin with the anchors as they are."""
        self.anchors = list(self.trail.anchors)

    def names(self) -> set[str]:
        """Return the chains that were touched."""
        return {*self.chains, *self.claims, *self.marks}

    def chain(self, name: str) -> list[Entry]:
        """Return a chain as it stands in the draft."""
        return self.chains[name] if name in self.chains else list(self.trail.chains.get(name, ()))

    def claim(self, name: str) -> Claim | None:
        """Return what the aggregate's row claims."""
        return self.claims[name] if name in self.claims else self.trail.claims.get(name)

    def marked(self, name: str) -> list[Mark]:
        """Return the heads that anchors took of a chain."""
        return self.marks[name] if name in self.marks else list(self.trail.marks.get(name, ()))

    def changes_anything(self) -> bool:
        """Return whether the trail is another one: two entries of the same content, say, may change places unnoticed by anybody."""
        chains = any(self.chain(name) != list(self.trail.chains.get(name, ())) for name in self.chains)
        marks = any(self.marked(name) != list(self.trail.marks.get(name, ())) for name in self.marks)
        return chains or marks or self.anchors != list(self.trail.anchors)

    def cover_up(self, effort: int, since: int = 0) -> None:
        """Hide the traces: 1 the hashes that follow, 2 the row's head too, 3 the heads kept for anchors too, 4 the anchors too."""
        effort = min(effort, self.reach)
        for name in list(self.chains):
            if effort >= 1:
                self.chains[name] = chained_anew(self.chains[name], since)
            if effort >= 2 and name in self.trail.claims:
                self.claims[name] = (len(chain), chain[-1].hash) if (chain := self.chains[name]) else None
            if effort >= 3:
                self.marks[name] = _marks_anew(self.marked(name), self.chains[name])
        if effort >= 4:
            self.anchors = self._anchors_anew()

    def _anchors_anew(self) -> list[Anchor]:
        """Return the anchors as they would have been, had the trail always been as it is now."""
        leaves = self.trail.leaves_with({name: self.trail.walked(self, name).leaves for name in self.names()})
        made: list[Anchor] = []
        for anchor in self.anchors:
            under = self.trail.under(anchor.n, leaves.get(anchor.n, {}))
            before = (made[-1].entries, made[-1].hash) if made else (0, "")
            anew = replace(
                anchor,
                entries=before[0] + under.entries,
                heads=under.tree.leaves,
                root=under.tree.root(),
                previous_hash=before[1],
            )
            made.append(replace(anew, hash=anew.recomputed()))
        return made


def chained_anew(entries: Sequence[Entry], since: int = 0) -> list[Entry]:
    """Return entries numbered and hashed one after the other, from index `since` on."""
    made = list(entries[:since])
    for entry in entries[since:]:
        anew = entry._replace(n=len(made) + 1, previous_hash=made[-1].hash if made else "")
        made.append(anew._replace(hash=recomputed(anew)))
    return made


def _marks_anew(marks: Sequence[Mark], entries: Sequence[Entry]) -> list[Mark]:
    hashes = {entry.n: entry.hash for entry in entries}
    return [mark._replace(hash=hashes[mark.n]) for mark in marks if mark.n in hashes]


# What somebody might do; each takes chance and a draft, and changes at least one thing.

Tampering = Callable[[Random, Draft], None]


def _victim(chance: Random, draft: Draft) -> Entry:
    """Return an entry that an anchor covers; sometimes a younger one, whose row then keeps its head: more is seen by nobody yet."""
    if chance.random() < 0.9:
        return _covered(chance, draft)
    draft.reach = 1
    return chance.choice(draft.trail.young_entries or draft.trail.entries)


def _covered(chance: Random, draft: Draft) -> Entry:
    return chance.choice(draft.trail.entries)


def _other(chance: Random, entry: Entry) -> Entry:
    """Return the entry with another content."""
    day = dt.timedelta(days=chance.randrange(1, 400))
    return chance.choice(
        (
            entry._replace(actor=f"{entry.actor}-x"),
            entry._replace(action="refuse_fiche" if entry.action != "refuse_fiche" else "validate_fiche"),
            entry._replace(at=entry.at - day),
            entry._replace(at=entry.at + dt.timedelta(microseconds=1)),
            entry._replace(facts='{"invented": true}'),
        )
    )


def edit(chance: Random, draft: Draft) -> None:
    """Change what an entry says, or one of its hashes."""
    entry = _victim(chance, draft)
    hashes = (entry._replace(hash=entry.hash[::-1]), entry._replace(previous_hash="0" * 64))
    forged = _other(chance, entry) if chance.random() < 0.8 else chance.choice(hashes)
    draft.chains[entry.aggregate] = _replaced(draft.chain(entry.aggregate), entry, [forged])


def rechain(chance: Random, draft: Draft) -> None:
    """Change what an entry says, and every trace of it that the database holds, as far as one has the patience."""
    entry = _victim(chance, draft)
    draft.chains[entry.aggregate] = _replaced(draft.chain(entry.aggregate), entry, [_other(chance, entry)])
    draft.cover_up(chance.choice((1, 2, 2, 3, 3, 4)), entry.n - 1)


def delete(chance: Random, draft: Draft) -> None:
    """Take an entry out; with patience, close the gap."""
    entry = _victim(chance, draft)
    draft.chains[entry.aggregate] = _replaced(draft.chain(entry.aggregate), entry, [])
    draft.cover_up(chance.choice((0, 0, 1, 2, 3, 4)), entry.n - 1)


def swap(chance: Random, draft: Draft) -> None:
    """Let two entries change places, in one chain or between two."""
    first = _victim(chance, draft)
    others = [e for e in draft.chain(first.aggregate) if e.n != first.n] if chance.random() < 0.5 else []
    second = chance.choice(others) if others else _victim(chance, draft)
    while (second.aggregate, second.n) == (first.aggregate, first.n):
        second = _victim(chance, draft)
    here = second._replace(aggregate=first.aggregate, n=first.n)
    there = first._replace(aggregate=second.aggregate, n=second.n)
    draft.chains[first.aggregate] = _replaced(draft.chain(first.aggregate), first, [here])
    draft.chains[second.aggregate] = _replaced(draft.chain(second.aggregate), second, [there])
    draft.cover_up(chance.choice((0, 0, 1, 2, 3, 4)))


def truncate(chance: Random, draft: Draft) -> None:
    """Cut a chain off at an entry, or take the whole chain with its row away."""
    entry = _victim(chance, draft)
    keep = 0 if chance.random() < 0.3 else entry.n - 1
    draft.chains[entry.aggregate] = draft.chain(entry.aggregate)[:keep]
    draft.cover_up(chance.choice((0, 1, 2, 2, 3, 4)), keep)


def insert(chance: Random, draft: Draft) -> None:
    """Invent an entry of the time before the first anchor: within a chain, at its end, or a chain of its own."""
    entry = _victim(chance, draft)
    first = draft.trail.anchors[0].written_at + dt.timedelta(seconds=draft.trail.lowest_offset)
    past = _other(chance, entry)._replace(at=first - dt.timedelta(hours=chance.randrange(1, 9000)))
    where = chance.choice(("within", "end", "alone"))
    if where == "alone":
        name = f"dead_letter/{chance.getrandbits(128):032x}"
        draft.chains[name] = chained_anew([past._replace(aggregate=name)])
        return
    chain = draft.chain(entry.aggregate)
    place = len(chain) if where == "end" else entry.n - 1
    draft.chains[entry.aggregate] = [*chain[:place], past._replace(n=place + 1), *chain[place:]]
    draft.cover_up(chance.choice((0, 1, 2, 2, 3, 4)), place)


def forge_anchors(chance: Random, draft: Draft) -> None:
    """Change, take out, exchange or cut off anchors; with patience, chain them anew."""
    anchors, place = draft.anchors, chance.randrange(len(draft.anchors))
    anchor = anchors[place]
    what = chance.choice(("edit", "delete", "swap", "truncate"))
    if what == "edit":
        anchors[place] = _other_anchor(chance, anchor)
    elif what == "delete":
        del anchors[place]
    elif what == "swap" and len(anchors) > 1:
        other = (place + 1 + chance.randrange(len(anchors) - 1)) % len(anchors)
        anchors[place], anchors[other] = replace(anchors[other], n=anchor.n), replace(anchor, n=anchors[other].n)
    else:
        del anchors[-chance.randrange(1, 3) :]
        for name, marks in draft.trail.marks.items():
            if marks[-1].anchor > len(anchors):
                draft.marks[name] = [mark for mark in marks if mark.anchor <= len(anchors)]
    if chance.random() < 0.5:
        _chain_anchors(anchors)


def _other_anchor(chance: Random, anchor: Anchor) -> Anchor:
    return chance.choice(
        (
            replace(anchor, root=anchor.root[::-1]),
            replace(anchor, entries=anchor.entries + 1),
            replace(anchor, heads=anchor.heads + 1),
            replace(anchor, at=anchor.at - dt.timedelta(days=1)),
            replace(anchor, written_at=anchor.written_at - dt.timedelta(days=1)),
            replace(anchor, hash=anchor.hash[::-1]),
            replace(anchor, previous_hash="0" * 64),
        )
    )


def _chain_anchors(anchors: list[Anchor]) -> None:
    for place, anchor in enumerate(anchors):
        anew = replace(anchor, n=place + 1, previous_hash=anchors[place - 1].hash if place else "")
        anchors[place] = replace(anew, hash=anew.recomputed())


def forge_heads(chance: Random, draft: Draft) -> None:
    """Change what is kept of the heads under an anchor: take one out, or let it be another entry, hash or anchor."""
    name = _covered(chance, draft).aggregate
    marks = draft.marked(name)
    place = chance.randrange(len(marks))
    mark = marks[place]
    what = chance.choice(("delete", "n", "hash", "anchor"))
    if what == "delete":
        del marks[place]
    elif what == "n":
        marks[place] = mark._replace(n=mark.n + chance.choice((-1, 1)))
    elif what == "hash":
        marks[place] = mark._replace(hash=mark.hash[::-1])
    else:
        taken = {one.anchor for one in marks}
        free = [anchor.n for anchor in draft.anchors if anchor.n not in taken] or [len(draft.anchors) + 1]
        marks[place] = mark._replace(anchor=chance.choice(free))
    draft.marks[name] = sorted(marks, key=lambda one: one.anchor)


def _replaced(chain: Sequence[Entry], entry: Entry, by: Sequence[Entry]) -> list[Entry]:
    return [one for old in chain for one in (by if old.n == entry.n else (old,))]


KINDS: Final[tuple[Tampering, ...]] = (edit, delete, swap, truncate, rechain, insert, forge_anchors, forge_heads)


def drawn(kind: Tampering, chance: Random, trail: Kept) -> Draft:
    """Return a draft of this kind that changes something."""
    while True:
        draft = Draft(trail)
        kind(chance, draft)
        if draft.changes_anything():
            return draft
