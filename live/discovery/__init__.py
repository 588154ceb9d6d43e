"""How people find shows and stores again: whom they follow."""
