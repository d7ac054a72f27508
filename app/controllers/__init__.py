"""The only place that knows both state and views; one method per controller lists its connections."""
