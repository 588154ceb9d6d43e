"""The room's websocket under Autobahn's cases 1 to 7, outside `make test`: see `__main__`."""
