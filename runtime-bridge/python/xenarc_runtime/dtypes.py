"""Element types: MLIR's names, numpy's types, and the names safetensors gives them."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from .errors import Problem

_NUMPY: dict[str, np.dtype] = {
    name: np.dtype(scalar)
    for name, scalar in {
        "i1": np.bool_,
        "i4": ml_dtypes.int4,
        "i8": np.int8,
        "i16": np.int16,
        "i32": np.int32,
        "i64": np.int64,
        "ui4": ml_dtypes.uint4,
        "ui8": np.uint8,
        "ui16": np.uint16,
        "ui32": np.uint32,
        "ui64": np.uint64,
        "f16": np.float16,
        "bf16": ml_dtypes.bfloat16,
        "f32": np.float32,
        "f64": np.float64,
        "f8E3M4": ml_dtypes.float8_e3m4,
        "f8E4M3": ml_dtypes.float8_e4m3,
        "f8E4M3FN": ml_dtypes.float8_e4m3fn,
        "f8E4M3FNUZ": ml_dtypes.float8_e4m3fnuz,
        "f8E4M3B11FNUZ": ml_dtypes.float8_e4m3b11fnuz,
        "f8E5M2": ml_dtypes.float8_e5m2,
        "f8E5M2FNUZ": ml_dtypes.float8_e5m2fnuz,
        "f8E8M0FNU": ml_dtypes.float8_e8m0fnu,
        "complex<f32>": np.complex64,
        "complex<f64>": np.complex128,
    }.items()
}
_MLIR = {dtype: name for name, dtype in _NUMPY.items()}

_SAFETENSORS = {
    "BOOL": "i1",
    "U8": "ui8",
    "I8": "i8",
    "U16": "ui16",
    "I16": "i16",
    "F16": "f16",
    "BF16": "bf16",
    "U32": "ui32",
    "I32": "i32",
    "F32": "f32",
    "U64": "ui64",
    "I64": "i64",
    "F64": "f64",
    "C64": "complex<f32>",
    "F8_E4M3": "f8E4M3FN",
    "F8_E5M2": "f8E5M2",
}


def to_numpy(name: str) -> np.dtype:
    """numpy's type for an MLIR element type such as `bf16` or `ui32`."""
    try:
        return _NUMPY[name]
    except KeyError:
        raise Problem("dtype", f"There is no element type `{name}`.", f"Known: {', '.join(_NUMPY)}.") from None


def from_numpy(dtype: np.dtype) -> str:
    """MLIR's name of a numpy type."""
    try:
        return _MLIR[np.dtype(dtype)]
    except KeyError:
        raise Problem(
            "dtype", f"The numpy type `{dtype}` has no MLIR element type.", "Convert the tensor first."
        ) from None


def from_safetensors(name: str) -> str:
    """MLIR's name of a safetensors element type such as `BF16`."""
    try:
        return _SAFETENSORS[name]
    except KeyError:
        raise Problem("dtype", f"The safetensors type `{name}` is not supported.") from None
