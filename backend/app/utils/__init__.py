"""Small pure functions without a word of the domain in them."""
