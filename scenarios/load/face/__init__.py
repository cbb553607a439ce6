"""What an engineer who knows Locust sees of the engine: users, options, recording, a summary."""
