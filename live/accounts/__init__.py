"""Who people are: sign-up, sign-in, and the tokens that prove it afterwards."""
