"""Makes every game day a set of pytest items: `pytest --gameday PLAN --env ENV` (see gameday/gate.py)."""

pytest_plugins = ["gameday.gate"]
