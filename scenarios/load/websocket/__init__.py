"""WebSocket sessions: ``user.py`` gives them to the flows of a scenario, ``session.py`` is what flows use."""
