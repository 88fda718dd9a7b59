"""News: whoever waits for an object is woken when something of it was applied here, and looks again by himself."""

import asyncio
import time
from uuid import uuid4

from shared.messaging.news import News


async def test_news_wake_who_waits_for_them() -> None:
    news, key = News(), uuid4()
    event = news.expect(key)
    news.tell([uuid4(), key])
    began = time.monotonic()
    await news.wait(event, 10)
    assert time.monotonic() - began < 5
    assert event.is_set()


async def test_news_between_the_attempt_and_the_wait_are_not_lost() -> None:
    news, key = News(), uuid4()
    event = news.expect(key)
    await asyncio.to_thread(news.tell, [key])
    assert event.is_set()


async def test_without_news_one_looks_again_after_a_moment() -> None:
    news = News()
    event = news.expect(uuid4())
    async with asyncio.timeout(5):
        await news.wait(event, 60)
    assert not event.is_set()


async def test_news_that_nobody_waits_for_are_nobodys() -> None:
    news, key = News(), uuid4()
    event = news.expect(key)
    news.forget(key)
    news.forget(key)
    news.tell([key])
    assert not event.is_set()


async def test_an_old_word_is_no_news() -> None:
    news, key = News(), uuid4()
    news.expect(key)
    news.tell([key])
    assert not news.expect(key).is_set()
