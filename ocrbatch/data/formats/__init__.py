"""The formats of label files, one module each: ``pages`` and ``lines`` read a data set label by label."""
