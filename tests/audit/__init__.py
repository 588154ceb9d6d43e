"""Many viewers of one service write down what they are told while it is broken again and again."""
