"""What accounts need from the world around them."""

ACCESS_COOKIE = "kkot_access"
