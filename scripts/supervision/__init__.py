"""The supervisor's pieces. Standard library only: it runs before anything is installed."""
