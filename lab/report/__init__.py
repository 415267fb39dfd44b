"""What the demo tells: the page, its charts and sentences, and the results."""
