"""The whole of Kkot as people meet it: real processes, a real browser, the real pages."""
