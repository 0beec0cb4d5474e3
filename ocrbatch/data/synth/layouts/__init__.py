"""Page layouts: where runs of text, rules and fills stand, as plain records. One module for each kind of page."""
