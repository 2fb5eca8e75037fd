"""What other programs' exports mean, each format in a module of its own: pure, and careful with every value."""
