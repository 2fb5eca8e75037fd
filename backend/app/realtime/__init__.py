"""The socket edge: Socket.IO and the plain WebSocket."""
