"""What cart decides: pure rules of goods, holds, orders and payments. Facts in, decisions out."""
