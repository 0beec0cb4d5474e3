"""Built-in plugin of ocrbatch."""
