"""Who takes the money: the payment providers this house was given keys for.

The sandbox, which takes none, is for houses without keys, or where it is asked for.
"""

from collections.abc import Mapping
from typing import Final

import httpx

from cart.adapters.payment_sandbox import Sandbox
from cart.adapters.payment_stripe import Stripe
from cart.adapters.payment_toss import Toss
from cart.ports.payments import PaymentProvider
from live.server.settings import Settings

REMOTE: Final = (Toss.name, Stripe.name)
"""The providers that are spoken to over HTTP."""


def payment_providers(
    settings: Settings,
    sandbox: Sandbox,
    clients: Mapping[str, httpx.AsyncClient],
    *,
    public_url: str,
) -> Mapping[str, PaymentProvider]:
    """The providers by name, in the order buyers are shown them.

    `clients`: one for each name in `REMOTE`, so that one that is silent takes up no connections
    of another's.
    """
    providers: dict[str, PaymentProvider] = {}
    if settings.toss_secret_key:
        providers[Toss.name] = Toss(
            clients[Toss.name],
            base_url=settings.toss_url,
            secret_key=settings.toss_secret_key,
            public_url=public_url,
        )
    if settings.stripe_secret_key:
        providers[Stripe.name] = Stripe(
            clients[Stripe.name],
            base_url=settings.stripe_url,
            secret_key=settings.stripe_secret_key,
            webhook_secret=settings.stripe_webhook_secret,
            public_url=public_url,
        )
    if settings.payment_sandbox == "on" or not providers:
        providers[Sandbox.name] = sandbox
    return providers
