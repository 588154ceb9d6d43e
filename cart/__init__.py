"""What is for sale, who holds it, and who paid."""
