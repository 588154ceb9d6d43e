"""Everything that shows that Kkot does what it says."""
