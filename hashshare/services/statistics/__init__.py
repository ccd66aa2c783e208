"""The coalition's figures: counted by day, then shown by period."""
