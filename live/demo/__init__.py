"""A show without a seller: a generated picture and tone published like any phone's."""
