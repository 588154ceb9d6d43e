"""A stand-in for Toss Payments and Stripe: their documented interfaces, as far as we use them."""
