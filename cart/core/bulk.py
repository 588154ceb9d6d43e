"""What a sheet of products does, and what its sender is told of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from cart.core.catalog import Product, ProductEdit
from cart.core.draft import Rule
from cart.core.movement import Movement, Reason
from cart.core.stock import ON_HAND_LIMIT_UNITS, Sku


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a line; `field`: the column, where it is one.

    `rule` and the `facts` it speaks of say it for machines, `detail` in words.
    """

    line: int
    field: str = ""
    rule: Rule
    facts: Mapping[str, int | str] = {}
    detail: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a sheet does, or would do; with faults it does nothing."""

    lines: int
    applied: bool
    products_added: int
    skus_added: int
    skus_changed: int
    faults: Sequence[Fault]


@dataclass(slots=True)
class Plan:
    """What a sheet does: new products, edits and, by SKU, the free units there should be or change.

    `touched`: the products it speaks of.
    """

    added: list[Product] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    edits: dict[str, ProductEdit] = field(default_factory=dict)
    free: dict[str, int] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)

    @property
    def adds(self) -> bool:
        """Whether done twice it is more than done once: it makes something, or changes units by so
        many."""
        return self.skus_added > 0 or any(self.changes.values())

    @property
    def skus_added(self) -> int:
        """How many SKUs are new."""
        new = sum(len(product.skus) for product in self.added)
        return new + sum(len(edit.added) for edit in self.edits.values())

    @property
    def skus_changed(self) -> int:
        """How many SKUs there were before are spoken of."""
        return len(
            {sku for edit in self.edits.values() for sku in edit.skus} | {*self.free, *self.changes}
        )

    def movements(self, skus: Mapping[str, Sku], key: str) -> list[Movement] | None:
        """What moves of locked SKUs; None when one has fewer free units than are taken away."""
        made: list[Movement] = []
        wanted = {one: free - skus[one].counters.free for one, free in self.free.items()}
        for one, change in (wanted | self.changes).items():
            after = skus[one].counters.stocked(change)
            if after is None or after.on_hand > ON_HAND_LIMIT_UNITS:
                return None
            if change:
                made.append(Movement(one, Reason.IMPORT, key, free=change))
        return made
