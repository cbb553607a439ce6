"""The HTTP/1.1 client: gevent, httptools (llhttp) and plain sockets. ``session.Session`` is the door."""
