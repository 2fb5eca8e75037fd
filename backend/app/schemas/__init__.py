"""What travels between the tiers: names, shapes and limits of requests, replies and events."""
