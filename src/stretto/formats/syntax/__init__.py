"""Text, JSON, YAML, TOML and Markdown, parsed with the place of every value."""
