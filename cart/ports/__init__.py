"""What cart needs from outside, as small protocols; each says what it promises.

The books (`Shelf`, `Ledger`, `OrderBook` and their like) are one PostgreSQL behind several doors.
Each method is one transaction: when it returns, what it did is durable; when it raises, nobody may
be told that it happened, though it may have. Times are the database's, in milliseconds.
"""
