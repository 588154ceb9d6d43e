"""Stores' FAQs in PostgreSQL; one row for each store that has saved one."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from chat.adapters.faq_tables import faqs
from chat.core.assistant.facts import Entry
from chat.ports import FaqBook, StoreFaq


class SqlFaqBook(FaqBook):
    """The FAQs in PostgreSQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def load(self, store: str) -> StoreFaq:
        """The store's FAQ; an empty one where none was kept."""
        query = sa.select(faqs.c.switched_on, faqs.c.entries).where(faqs.c.store == store)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return StoreFaq()
        return StoreFaq(row.switched_on, tuple(Entry(**entry) for entry in row.entries))

    async def save(self, store: str, faq: StoreFaq) -> None:
        """Keep a store's FAQ in place of the one before."""
        entries = [{"question": entry.question, "answer": entry.answer} for entry in faq.entries]
        said = {"switched_on": faq.on, "entries": entries, "saved_at": sa.func.now()}
        change = insert(faqs).values(store=store, **said)
        change = change.on_conflict_do_update(index_elements=[faqs.c.store], set_=said)
        async with self._engine.begin() as connection:
            await connection.execute(change)
