"""Whatever is doubled, and in whatever order three topics are read, the counts are the same."""

import datetime as dt
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from services.analytics.domain.counts import by_month, by_opco, by_quarter, recount, total
from services.analytics.domain.measures import Measure
from shared.contracts.events import Event
from shared.contracts.references import AvisKind, SessionMotive
from shared.contracts.submission import FicheAmended, ProgrammationConfirmed
from tests.services.analytics.said import Counting, Speaker, content

Said = tuple[Event, int]
STARTS = [(dt.date(2021, 1, 4) + dt.timedelta(days=29 * n)).isoformat() for n in range(14)]
starts = st.sampled_from(STARTS)


@st.composite
def submission(draw: st.DrawFn, fiche: Speaker) -> list[Event]:
    """Draw what submission says of a fiche with two sessions; the first word is always the submission."""
    first = fiche.submitted(draw(starts), draw(starts))
    later = st.one_of(
        st.builds(fiche.engaged, starts, st.integers(1, 2), st.sampled_from((315, 350)), st.integers(1, 9)),
        st.builds(lambda a, b, n: fiche.postponed(a, b, n, (a, b)), starts, starts, st.integers(1, 2)),
        st.builds(fiche.cancelled, st.sampled_from(SessionMotive), st.integers(1, 2)),
        st.builds(lambda *s: fiche.content_event(FicheAmended, content(*s)), starts, starts),
        st.builds(lambda s: fiche.content_event(ProgrammationConfirmed, content(s)), starts),
        st.just(fiche.withdrawn()),
    )
    return [first, *draw(st.lists(later, max_size=6))]


def validation(fiche: Speaker) -> st.SearchStrategy[list[Event]]:
    kinds = st.builds(fiche.avis, st.sampled_from(AvisKind))
    return st.lists(st.one_of(kinds, st.builds(fiche.validated, st.booleans()), st.just(fiche.refused())), max_size=4)


def publication(fiche: Speaker, number: int) -> st.SearchStrategy[list[Event]]:
    nets = st.integers(0, 12)
    words = st.one_of(
        st.just(fiche.published(number=number)),
        st.builds(lambda n: fiche.ais(n, number), nets),
        st.builds(lambda n: fiche.ais_cancelled(n, number), nets),
        st.builds(lambda n: fiche.aes(n, number), nets),
    )
    return st.lists(words, max_size=5)


@st.composite
def streams(draw: st.DrawFn) -> list[list[Said]]:
    """Draw the streams of a few fiches: one per topic and key, each in its own order."""
    fiches = [Speaker(opco, name) for opco, name in (("akto", "1"), ("akto", "2"), ("opco-2i", "1"))]
    said: list[list[Event]] = []
    for fiche in fiches:
        said += [
            draw(submission(fiche)),
            draw(validation(fiche)),
            draw(publication(fiche, 1)),
            draw(publication(fiche, 2)),
        ]
    return [list(zip(stream, range(1, len(stream) + 1), strict=True)) for stream in said]


@st.composite
def delivered(draw: st.DrawFn, said: Sequence[Sequence[Said]]) -> list[list[Said]]:
    """Draw an interleaving of the streams with duplicates of what came before, cut into batches."""
    left = [list(stream) for stream in said if stream]
    log: list[Said] = []
    while left:
        stream = draw(st.sampled_from(left))
        log.append(stream.pop(0))
        left = [one for one in left if one]
        if draw(st.integers(0, 4)) == 0:
            log.append(draw(st.sampled_from(log)))
    size = draw(st.integers(1, 12))
    return [log[n : n + size] for n in range(0, len(log), size)]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_duplication_and_any_interleaving_of_topics_give_the_same_counts(data: st.DataObject) -> None:
    said = data.draw(streams())
    plain, mixed = Counting(), Counting()
    plain.batch(word for stream in said for word in stream)
    for batch in data.draw(delivered(said)):
        mixed.batch(batch)
    assert mixed.counts == plain.counts
    assert mixed.facts == plain.facts


@settings(max_examples=40, deadline=None)
@given(streams())
def test_sums_by_opco_by_month_and_by_quarter_are_the_total_and_a_rebuild_is_the_same(said: list[list[Said]]) -> None:
    counting = Counting()
    for stream in said:
        counting.batch(stream)
    counts = counting.counts
    for measure in Measure:
        parts = (by_opco(counts, measure), by_month(counts, measure), by_quarter(counts, measure))
        assert [sum(part.values()) for part in parts] == [total(counts, measure)] * 3
    assert recount(counting.facts.values()) == counts
    assert all(value > 0 for value in counts.values())
