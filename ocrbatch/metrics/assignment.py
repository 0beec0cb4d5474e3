"""Pairing two sets so that the sum over pairs is greatest (the Hungarian method)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def best_assignment(gain: NDArray[np.floating]) -> list[tuple[int, int]]:
    """Pairs (row, column), min(rows, columns) of them, no row or column twice, with the greatest sum of ``gain`` (rows,
    columns).

    Shortest augmenting paths, O(rows^2 columns): Jonker and Volgenant, "A Shortest Augmenting Path Algorithm for Dense
    and Sparse Linear Assignment Problems", Computing 38 (1987).
    """
    rows, columns = gain.shape
    if rows > columns:
        return sorted((row, column) for column, row in best_assignment(gain.T))
    cost = -np.asarray(gain, np.float64)
    row_price, column_price = np.zeros(rows), np.zeros(columns)
    row_of = np.full(columns, -1)
    for start in range(rows):
        reached = np.full(columns, np.inf)
        previous = np.full(columns, -1)
        done = np.zeros(columns, bool)
        column, row, distance = -1, start, 0.0
        while row >= 0:
            through = distance + cost[row] - row_price[row] - column_price
            better = ~done & (through < reached)
            reached[better], previous[better] = through[better], column
            column = int(np.argmin(np.where(done, np.inf, reached)))
            distance = reached[column]
            done[column] = True
            row = int(row_of[column])
        row_price[start] += distance
        settled = done & (row_of >= 0)
        row_price[row_of[settled]] += distance - reached[settled]
        column_price[done] -= distance - reached[done]
        while column >= 0:
            before = int(previous[column])
            row_of[column] = row_of[before] if before >= 0 else start
            column = before
    return sorted((int(row_of[column]), int(column)) for column in np.flatnonzero(row_of >= 0))
