"""A model's completions over HTTP, in the shape that clients of OpenAI's API expect, so that existing ones work."""
