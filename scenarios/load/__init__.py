"""The load engine: schedules, sessions, recording."""
