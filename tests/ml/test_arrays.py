from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from ml.arrays import medians, medians_of_others

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUMBERS = st.sampled_from([np.nan, -2.0, 0.0, 0.1, 3.0])
"""Few, so that they are often alike."""


def numpys(values: NDArray[np.float64]) -> NDArray[np.float64]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of rows without a number
        return np.asarray(np.nanmedian(values, axis=-1))


@given(arrays(np.float64, array_shapes(min_dims=1, max_dims=3), elements=NUMBERS))
def test_medians_are_numpys(values: NDArray[np.float64]) -> None:
    np.testing.assert_array_equal(medians(values), numpys(values))


@given(arrays(np.float64, array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=6), elements=NUMBERS))
def test_medians_of_others_are_those_without_each(values: NDArray[np.float64]) -> None:
    left_out = [numpys(np.delete(values, place, axis=1)) for place in range(values.shape[1])]
    np.testing.assert_array_equal(medians_of_others(values), np.stack(left_out, axis=1))


def test_the_median_of_nothing_is_nan() -> None:
    assert np.isnan(medians(np.empty((2, 0)))).all()
    assert np.isnan(medians_of_others(np.ones((2, 1)))).all()
